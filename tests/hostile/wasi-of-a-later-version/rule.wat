(component
  (import "wasi:clocks/wall-clock@0.3.0" (instance (export "now" (func (result u64))))))
