(component {{parts}})
