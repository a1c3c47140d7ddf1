(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $exit (i32.const 0))
  (call $ok (local.get 0) (i64.const 0)))
