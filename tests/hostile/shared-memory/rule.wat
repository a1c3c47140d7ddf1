(component (core module (memory 1 1 shared))
  (instance $rule)
  (export "refiner:rule/rule@1.0.0" (instance $rule)))
