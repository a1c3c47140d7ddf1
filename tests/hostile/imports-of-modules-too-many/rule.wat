(component (core module {{imports}}))
