(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32)
  (loop $again {{bodies}} (br $again))
  unreachable)
