(component (core module (memory i64 1))
  (instance $rule)
  (export "refiner:rule/rule" (instance $rule)))
