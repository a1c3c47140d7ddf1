;; output: outs text/plain
;; output: ou text/plain
(import "refiner:rule/output" "[constructor]artifact" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(data (i32.const 256) "out")
(data (i32.const 384) "text/plain")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (drop (call $artifact (i32.const 256) (i32.const 3) (i32.const 384) (i32.const 10) (i32.const 0) (i32.const 256) (i32.const 3)))
  (call $ok (local.get 0) (i64.const 0)))
