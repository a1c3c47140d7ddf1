(component (core module (func {{parts}})))
