(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $began i64)
  (local.set $began (call $now))
  (loop $again
    (br_if $again (i64.eq (call $now) (local.get $began))))
  (call $ok (local.get 0) (i64.const 0)))
