//! SIMD.

use super::{Case, case};

const BINARY: &str = "i8x16.add i8x16.sub i8x16.add_sat_s i8x16.add_sat_u i8x16.sub_sat_s i8x16.sub_sat_u i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u i8x16.avgr_u i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i8x16.swizzle i16x8.add i16x8.sub i16x8.mul i16x8.add_sat_s i16x8.add_sat_u i16x8.sub_sat_s i16x8.sub_sat_u i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u i16x8.avgr_u i16x8.q15mulr_sat_s i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u i32x4.add i32x4.sub i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u i64x2.add i64x2.sub i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge v128.and v128.andnot v128.or v128.xor";
const UNARY: &str = "v128.not i8x16.abs i8x16.neg i8x16.popcnt i16x8.abs i16x8.neg i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u i32x4.abs i32x4.neg i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u i64x2.abs i64x2.neg i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest f32x4.abs f32x4.neg f32x4.sqrt f64x2.ceil f64x2.floor f64x2.trunc f64x2.nearest f64x2.abs f64x2.neg f64x2.sqrt i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u f32x4.demote_f64x2_zero f64x2.promote_low_f32x4";
const TESTS: &str = "v128.any_true i8x16.all_true i8x16.bitmask i16x8.all_true i16x8.bitmask i32x4.all_true i32x4.bitmask i64x2.all_true i64x2.bitmask";
const SHAPES: [(&str, &str); 6] =
    [("i8x16", "i32"), ("i16x8", "i32"), ("i32x4", "i32"), ("i64x2", "i64"), ("f32x4", "f32"), ("f64x2", "f64")];

const LOCALS: &str = "(local $x v128) (local $y v128) (local $a i32) (local $p i64) (local $f f32) (local $d f64)
  (local.set $x (v128.const i32x4 0x3fc12345 0x40123456 0x3ff77777 0x3f012345)) (local.set $y (v128.const i32x4 0x3f800001 0x3f812345 0x3f800100 0x3f876543))";
const SUBNORMAL: &str = "(local $x v128) (local $y v128)
  (local.set $x (v128.const i32x4 0x1200 0x1200 0x1200 0x1200)) (local.set $y (v128.const i32x4 0x900 0x900 0x900 0x900))";

fn chain(name: &str, second: &str) -> String {
    let value = (0..4).fold("(local.get $x)".to_owned(), |value, _| format!("({name} {value}{second})"));
    format!("(local.set $x {value})")
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut push = |name: &str, unit: String| cases.push(case("simd", name, LOCALS, unit));
    for name in BINARY.split(' ') {
        push(name, chain(name, " (local.get $y)"));
    }
    for name in UNARY.split(' ') {
        push(name, chain(name, ""));
    }
    for name in TESTS.split(' ') {
        push(name, format!("(local.set $x (i32x4.splat ({name} (local.get $x))))"));
    }
    for (shape, ty) in SHAPES {
        let local = match ty {
            "i32" => "$a",
            "i64" => "$p",
            "f32" => "$f",
            _ => "$d",
        };
        let signs: &[&str] = if matches!(shape, "i8x16" | "i16x8") { &["_s", "_u"] } else { &[""] };
        for sign in signs {
            let name = format!("{shape}.extract_lane{sign}");
            push(&name, format!("(local.set $x ({shape}.splat ({name} 1 (local.get $x))))"));
        }
        push(&format!("{shape}.splat"), format!("(local.set $x ({shape}.splat (local.get {local})))"));
        let name = format!("{shape}.replace_lane");
        push(&name, format!("(local.set $x ({name} 1 (local.get $x) (local.get {local})))"));
        if ty.starts_with('i') {
            for shift in ["shl", "shr_s", "shr_u"] {
                push(&format!("{shape}.{shift}"), chain(&format!("{shape}.{shift}"), " (local.get $a)"));
            }
        }
    }
    push("v128.const", "(local.set $x (v128.const i64x2 7 9))".to_owned());
    push("v128.bitselect", chain("v128.bitselect", " (local.get $y) (local.get $x)"));
    push("i8x16.shuffle", chain("i8x16.shuffle 31 0 30 1 29 2 28 3 27 4 26 5 25 6 24 7", " (local.get $y)"));
    for (shape, names) in [("f32x4", "add sub mul div min max sqrt"), ("f64x2", "add sub mul div min max sqrt")] {
        for name in names.split(' ') {
            let second = match name {
                "sqrt" => String::new(),
                "mul" | "div" => format!("({shape}.splat ({}.const 1.5))", &shape[..3]),
                _ => "(local.get $y)".to_owned(),
            };
            let mask = if shape == "f32x4" {
                "i64x2 0x003fffff003fffff 0x003fffff003fffff"
            } else {
                "i64x2 0x7ffffffffffff 0x7ffffffffffff"
            };
            let unit = format!(
                "(local.set $x (v128.or (v128.and ({shape}.{name} (local.get $x) {second}) (v128.const {mask})) (v128.const i64x2 0x100000001000 0x100000001000)))"
            );
            cases.push(case("simd", format!("{shape}.{name} of subnormals"), SUBNORMAL, unit));
        }
    }
    cases
}
