(component (core module (memory 1 1 shared))
  (instance $rule)
  (export "refiner:rule/rule" (instance $rule)))
