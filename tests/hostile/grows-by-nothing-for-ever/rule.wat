(table $table 0 funcref)
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (loop $again
    (drop (memory.grow (i32.const 0)))
    (drop (table.grow $table (ref.null func) (i32.const 0)))
    (br $again))
  unreachable)
