;; output: aut text/plain
;; output: but text/plain
;; output: cut text/plain
;; output: dut text/plain
;; output: eut text/plain
;; output: fut text/plain
;; output: gut text/plain
;; output: hut text/plain
(import "refiner:rule/output" "[constructor]artifact" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(data (i32.const 256) "out")
(data (i32.const 384) "text/plain")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $letter i32)
  (local.set $letter (i32.const 97))
  (loop $again
    (i32.store8 (i32.const 256) (local.get $letter))
    (drop (call $artifact (i32.const 256) (i32.const 3) (i32.const 384) (i32.const 10) (i32.const 0) (i32.const 0) (i32.const 0)))
    (local.set $letter (i32.add (local.get $letter) (i32.const 1)))
    (br $again))
  unreachable)
