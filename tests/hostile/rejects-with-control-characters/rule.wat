(data (i32.const 256) "no\1b[31m\0d\0anew line")
(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $err (local.get 0) (i32.const 0) (i32.const 256) (i32.const 17)))
