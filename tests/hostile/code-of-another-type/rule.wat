(component (core module (func (result i32) (i64.const 1)))
  (instance $rule)
  (export "refiner:rule/rule" (instance $rule)))
