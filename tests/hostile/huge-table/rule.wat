(component (core module (table 100001 funcref)))
