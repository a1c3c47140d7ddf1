(import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $now (i32.const 256))
  (call $ok (local.get 0) (i64.const 0)))
