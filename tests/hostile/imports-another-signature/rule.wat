(component
  (import "refiner:rule/log@1.0.0" (instance $log (export "write" (func (param "anything" u64)))))
  (instance $rule)
  (export "refiner:rule/rule@1.0.0" (instance $rule)))
