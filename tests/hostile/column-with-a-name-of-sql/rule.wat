;; output: out application/x-ndjson
;; column: out from u8
(import "refiner:rule/output" "[constructor]artifact" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output" "[method]artifact.write" (func $write (param i32 i32 i32)))
(import "refiner:rule/output" "[method]artifact.finish" (func $finish (param i32)))
(data (i32.const 256) "outapplication/x-ndjson")
(data (i32.const 384) "{\"x\":255}\0a{\"x\":256}\0a")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $handle i32)
  (local.set $handle (call $artifact (i32.const 256) (i32.const 3) (i32.const 259) (i32.const 20) (i32.const 0) (i32.const 0) (i32.const 0)))
  (call $write (local.get $handle) (i32.const 384) (i32.const 20))
  (call $finish (local.get $handle))
  (call $ok (local.get 0) (i64.const 2)))
