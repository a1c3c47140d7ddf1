;; output: out text/plain
(import "refiner:rule/output" "[constructor]artifact" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output" "[method]artifact.write" (func $write (param i32 i32 i32)))
(data (i32.const 256) "out")
(data (i32.const 384) "text/plain")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $handle i32)
  (drop (memory.grow (i32.const 64)))
  (local.set $handle (call $artifact (i32.const 256) (i32.const 3) (i32.const 384) (i32.const 10) (i32.const 0) (i32.const 0) (i32.const 0)))
  (loop $again
    (call $write (local.get $handle) (i32.const 0) (i32.const 4194304))
    (br $again))
  unreachable)
