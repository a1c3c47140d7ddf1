(table $from 100000 externref)
(table $to 100000 externref)
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (loop $again
    (table.fill $from (i32.const 0) (ref.null extern) (i32.const 100000))
    (table.copy $to $from (i32.const 0) (i32.const 0) (i32.const 100000))
    (br $again))
  unreachable)
