;; For the self-test: a rule that takes memory for ever, 1 MiB at a time.
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (loop $again
    (drop (memory.grow (i32.const 16)))
    (br $again))
  unreachable)
