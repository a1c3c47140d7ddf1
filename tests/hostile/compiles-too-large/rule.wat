(type $wide (func (param{{values}}) (result{{values}})))
(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 0)))
(func (export "large") (result i64)
  {{constants}}
  {{loops}}
  {{drops}})
