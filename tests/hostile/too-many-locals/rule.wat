(component (core module (func (local {{parts}}))))
