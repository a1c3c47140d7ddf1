(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (drop (memory.grow (i32.const 2000)))
  (loop $again
    (memory.fill (i32.const 65536) (i32.const 7) (i32.const 60000000))
    (memory.copy (i32.const 65537) (i32.const 65000) (i32.const 60000000))
    (br $again))
  unreachable)
