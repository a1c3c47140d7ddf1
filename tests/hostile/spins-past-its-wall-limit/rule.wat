(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (loop $again (br $again))
  unreachable)
