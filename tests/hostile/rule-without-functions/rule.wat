(component
  (instance $rule)
  (export "refiner:rule/rule@1.0.0" (instance $rule)))
