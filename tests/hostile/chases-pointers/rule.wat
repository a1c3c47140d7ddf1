(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $line i32) (local $at i32)
  (drop (memory.grow (i32.const 1025)))
  (loop $fill
    (i32.store offset=65536 (i32.shl (local.get $line) (i32.const 6))
      (i32.shl (i32.and (i32.add (i32.mul (local.get $line) (i32.const 1664525)) (i32.const 1013904223)) (i32.const 0xfffff)) (i32.const 6)))
    (local.set $line (i32.add (local.get $line) (i32.const 1)))
    (br_if $fill (i32.lt_u (local.get $line) (i32.const 0x100000))))
  (loop $again
    (local.set $at (i32.load offset=65536 (i32.load offset=65536 (i32.load offset=65536 (i32.load offset=65536 (local.get $at))))))
    (br $again))
  unreachable)
