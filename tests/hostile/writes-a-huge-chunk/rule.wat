;; output: out text/plain
(import "refiner:rule/output" "[constructor]artifact" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output" "[method]artifact.write" (func $write (param i32 i32 i32)))
(data (i32.const 256) "out")
(data (i32.const 384) "text/plain")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (drop (memory.grow (i32.const 100)))
  (call $write
    (call $artifact (i32.const 256) (i32.const 3) (i32.const 384) (i32.const 10) (i32.const 0) (i32.const 0) (i32.const 0))
    (i32.const 0) (i32.const 4194305))
  (call $ok (local.get 0) (i64.const 0)))
