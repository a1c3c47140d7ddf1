(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-instant" (func $at (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32)
  (local $place i32) (local $wait i32)
  (local.set $wait (call $at (i64.const -1)))
  (loop $fill
    (i32.store (i32.add (i32.const 8192) (local.get $place)) (local.get $wait))
    (local.set $place (i32.add (local.get $place) (i32.const 4)))
    (br_if $fill (i32.lt_u (local.get $place) (i32.const 4000))))
  (loop $again
    ;; The answer lies in the same place again and again.
    (global.set $top (i32.const 16384))
    (call $poll (i32.const 8192) (i32.const 1000) (i32.const 512))
    (br $again))
  unreachable)
