(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (loop $again
    (i32.store (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)) (i32.const 7))
    (br $again))
  unreachable)
