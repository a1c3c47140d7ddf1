(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $small f64)
  (local.set $small (f64.const 0x1p-1060))
  (loop $again
    (local.set $small (f64.reinterpret_i64 (i64.or (i64.const 4096)
      (i64.reinterpret_f64 (f64.sqrt (f64.mul (f64.div (local.get $small) (f64.const 1.5)) (f64.const 1.25)))))))
    (local.set $small (f64.mul (local.get $small) (f64.const 0x1p-600)))
    (br $again))
  unreachable)
