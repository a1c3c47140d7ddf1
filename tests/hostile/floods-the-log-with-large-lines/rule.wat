(import "refiner:rule/log" "write" (func $log (param i32 i32 i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (drop (memory.grow (i32.const 64)))
  (loop $again
    (call $log (i32.const 1) (i32.const 0) (i32.const 4194304))
    (br $again))
  unreachable)
