(memory (export "memory") 8192)
(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32) (i32.const 128))
(func (export "refiner:rule/rule@1.0.0#describe") (result i32) (i32.const 64))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
