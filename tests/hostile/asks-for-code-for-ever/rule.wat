(import "refiner:rule/specimen" "[method]block-specimen.code" (func $code (param i32 i64 i64 i64 i64 i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (loop $again
    (call $code (local.get 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i32.const 512))
    (br $again))
  unreachable)
