(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (loop $again
    (br_table {{parts}} (local.get 0)))
  unreachable)
