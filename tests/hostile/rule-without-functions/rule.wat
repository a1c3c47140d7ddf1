(component
  (instance $rule)
  (export "refiner:rule/rule" (instance $rule)))
