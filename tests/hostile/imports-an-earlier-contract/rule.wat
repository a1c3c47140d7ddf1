(component
  (import "refiner:rule/log@0.9.0" (instance (export "shout" (func (param "message" string))))))
