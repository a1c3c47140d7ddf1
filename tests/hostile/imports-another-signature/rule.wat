(component
  (import "refiner:rule/log" (instance $log (export "write" (func (param "anything" u64)))))
  (instance $rule)
  (export "refiner:rule/rule" (instance $rule)))
