(module (func (export "refiner:rule/rule#refine") (param i32) (result i32) (i32.const 0)))
