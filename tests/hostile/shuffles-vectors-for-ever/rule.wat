(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $vector v128)
  (loop $again
    (local.set $vector (f32x4.ceil (f32x4.nearest (i8x16.swizzle (local.get $vector) (i8x16.popcnt (f32x4.div (local.get $vector) (local.get $vector)))))))
    (br $again))
  unreachable)
