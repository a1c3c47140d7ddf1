(component (core module (memory i64 1))
  (instance $rule)
  (export "refiner:rule/rule@1.0.0" (instance $rule)))
