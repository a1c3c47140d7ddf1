(component
  (import "refiner:rule/log@1.7.0" (instance (export "shout" (func (param "message" string))))))
