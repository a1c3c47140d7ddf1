(component
  (core module $module
    (func (export "describe") (result i32) (i32.const 0))
    (func (export "refine") (param i64) (result i64) (local.get 0)))
  (core instance $module (instantiate $module))
  (func $describe (result u32) (canon lift (core func $module "describe")))
  (func $refine (param "specimen" u64) (result u64) (canon lift (core func $module "refine")))
  (instance $rule (export "describe" (func $describe)) (export "refine" (func $refine)))
  (export "refiner:rule/rule" (instance $rule)))
