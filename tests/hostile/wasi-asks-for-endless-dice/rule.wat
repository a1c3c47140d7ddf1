(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $random (i64.const 1099511627776) (i32.const 512))
  (call $ok (local.get 0) (i64.const 0)))
