(data (i32.const 256) "\ff\fe")
(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $err (local.get 0) (i32.const 0) (i32.const 256) (i32.const 2)))
