(table 4 funcref)
(type $f (func (result i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call_indirect (type $f) (i32.const 2)))
