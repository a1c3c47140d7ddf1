(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $later i64)
  (loop $again
    (local.set $later (i64.add (local.get $later) (i64.const 1)))
    (drop (call $after (local.get $later)))
    (br $again))
  unreachable)
