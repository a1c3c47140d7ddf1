(component (core module {{parts}}))
