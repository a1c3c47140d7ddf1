//! Operators on numbers, locals, globals and control flow.

use super::{Case, case};

const INT_BINARY: &str = "add sub mul and or xor shl shr_s shr_u rotl rotr";
const INT_DIVISIONS: &str = "div_s div_u rem_s rem_u";
const INT_COMPARISONS: &str = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const FLOAT_BINARY: &str = "add sub mul div min max copysign";
const FLOAT_UNARY: &str = "abs neg ceil floor trunc nearest sqrt";
const FLOAT_COMPARISONS: &str = "eq ne lt gt le ge";
/// From, operator, and the way back to the type it came from.
const CONVERSIONS: &[(&str, &str, &str)] = &[
    ("i64", "i32.wrap_i64", "i64.extend_i32_s"),
    ("i64", "i32.wrap_i64", "i64.extend_i32_u"),
    ("f32", "i32.trunc_f32_s", "f32.convert_i32_s"),
    ("f32", "i32.trunc_f32_u", "f32.convert_i32_u"),
    ("f64", "i32.trunc_f64_s", "f64.convert_i32_s"),
    ("f64", "i32.trunc_f64_u", "f64.convert_i32_u"),
    ("f32", "i64.trunc_f32_s", "f32.convert_i64_s"),
    ("f32", "i64.trunc_f32_u", "f32.convert_i64_u"),
    ("f64", "i64.trunc_f64_s", "f64.convert_i64_s"),
    ("f64", "i64.trunc_f64_u", "f64.convert_i64_u"),
    ("f32", "i32.trunc_sat_f32_s", "f32.convert_i32_s"),
    ("f32", "i32.trunc_sat_f32_u", "f32.convert_i32_u"),
    ("f64", "i32.trunc_sat_f64_s", "f64.convert_i32_s"),
    ("f64", "i32.trunc_sat_f64_u", "f64.convert_i32_u"),
    ("f32", "i64.trunc_sat_f32_s", "f32.convert_i64_s"),
    ("f32", "i64.trunc_sat_f32_u", "f32.convert_i64_u"),
    ("f64", "i64.trunc_sat_f64_s", "f64.convert_i64_s"),
    ("f64", "i64.trunc_sat_f64_u", "f64.convert_i64_u"),
    ("f64", "f32.demote_f64", "f64.promote_f32"),
    ("f32", "i32.reinterpret_f32", "f32.reinterpret_i32"),
    ("f64", "i64.reinterpret_f64", "f64.reinterpret_i64"),
];

/// A local of each type, with values that keep units slow: large dividends, small numbers for floats.
pub const LOCALS: &str = "(local $a i32) (local $b i32) (local $p i64) (local $q i64) (local $f f32) (local $g f32) (local $d f64) (local $e f64)
  (local.set $a (i32.const 0x7edcba98)) (local.set $b (i32.const 3)) (local.set $p (i64.const 0x7edcba9876543210)) (local.set $q (i64.const 3))
  (local.set $f (f32.const 1.7)) (local.set $g (f32.const 1.0000001)) (local.set $d (f64.const 1.7)) (local.set $e (f64.const 1.0000001))";
/// The same with floats that have no full precision: some processors take a hundred cycles for each.
const SUBNORMAL: &str = "(local $a i32) (local $f f32) (local $g f32) (local $d f64) (local $e f64)
  (local.set $f (f32.const 0x1p-140)) (local.set $g (f32.const 0x1p-141)) (local.set $d (f64.const 0x1p-1060)) (local.set $e (f64.const 0x1p-1061))";

fn names(of: &str, list: &str) -> Vec<String> {
    list.split(' ').map(|name| format!("{of}.{name}")).collect()
}

/// The first and second local of a type.
fn pair(ty: &str) -> (&'static str, &'static str) {
    match ty {
        "i32" => ("$a", "$b"),
        "i64" => ("$p", "$q"),
        "f32" => ("$f", "$g"),
        _ => ("$d", "$e"),
    }
}

/// `x = op(op(op(x)))`: each waits for the one before.
fn chain(name: &str, local: &str, second: &str, back: &str) -> String {
    let mut value = format!("(local.get {local})");
    for _ in 0..4 {
        value = format!("({name} {value}{second})");
        if !back.is_empty() {
            value = format!("({back} {value})");
        }
    }
    format!("(local.set {local} {value})")
}

fn integers(cases: &mut Vec<Case>) {
    for ty in ["i32", "i64"] {
        let (one, two) = pair(ty);
        let second = format!(" (local.get {two})");
        for name in names(ty, INT_BINARY) {
            cases.push(case("integer", &name, LOCALS, chain(&name, one, &second, "")));
        }
        for name in names(ty, INT_DIVISIONS) {
            let large = if ty == "i32" { "0x7edcba98" } else { "0x7edcba9876543210" };
            let unit = format!("(local.set {one} ({ty}.or ({name} (local.get {one}){second}) ({ty}.const {large})))");
            cases.push(case("division", &name, LOCALS, unit));
        }
        let back = if ty == "i32" { "" } else { "i64.extend_i32_u" };
        for name in names(ty, INT_COMPARISONS) {
            cases.push(case("integer", &name, LOCALS, chain(&name, one, &second, back)));
        }
        cases.push(case("integer", format!("{ty}.eqz"), LOCALS, chain(&format!("{ty}.eqz"), one, "", back)));
        for name in names(ty, "clz ctz popcnt extend8_s extend16_s") {
            cases.push(case("integer", &name, LOCALS, chain(&name, one, "", "")));
        }
        cases.push(case("integer", format!("{ty}.const"), LOCALS, format!("(local.set {one} ({ty}.const 77))")));
    }
    cases.push(case("integer", "i64.extend32_s", LOCALS, chain("i64.extend32_s", "$p", "", "")));
}

/// Takes a result down to the smallest numbers again, so that the next one starts from there.
fn made_small(ty: &str, value: &str) -> String {
    let (int, mask) = if ty == "f32" { ("i32", "0x3fffff") } else { ("i64", "0x7ffffffffffff") };
    format!(
        "({ty}.reinterpret_{int} ({int}.or ({int}.and ({int}.reinterpret_{ty} {value}) ({int}.const {mask})) ({int}.const 0x1000)))"
    )
}

fn floats(cases: &mut Vec<Case>) {
    for ty in ["f32", "f64"] {
        let (one, two) = pair(ty);
        let second = format!(" (local.get {two})");
        let mut subnormal = |name: &str, second: &str| {
            let unit = format!("(local.set {one} {})", made_small(ty, &format!("({name} (local.get {one}){second})")));
            cases.push(case("float", format!("{name} of subnormals"), SUBNORMAL, unit).covering(&[name]));
        };
        for name in names(ty, FLOAT_BINARY) {
            // A product of two subnormals is nought, and a quotient is none.
            let factor = format!(" ({ty}.const 1.5)");
            subnormal(&name, if name.ends_with("mul") || name.ends_with("div") { &factor } else { &second });
        }
        for name in names(ty, FLOAT_UNARY) {
            subnormal(&name, "");
        }
        for name in names(ty, FLOAT_BINARY) {
            cases.push(case("float", &name, LOCALS, chain(&name, one, &second, "")));
        }
        for name in names(ty, FLOAT_UNARY) {
            cases.push(case("float", &name, LOCALS, chain(&name, one, "", "")));
        }
        for name in names(ty, FLOAT_COMPARISONS) {
            let unit = format!("(local.set {one} ({ty}.convert_i32_s ({name} (local.get {one}){second})))");
            cases.push(case("float", &name, LOCALS, unit));
        }
        cases.push(case("float", format!("{ty}.const"), LOCALS, format!("(local.set {one} ({ty}.const 77))")));
    }
    for (ty, there, back) in CONVERSIONS {
        let unit = chain(there, pair(ty).0, "", back);
        cases.push(case("conversion", format!("{there}, {back}"), LOCALS, unit).covering(&[there, back]));
    }
    let unit = format!("(local.set $f {})", made_small("f32", "(f32.demote_f64 (f64.promote_f32 (local.get $f)))"));
    let subnormal = case("conversion", "demote and promote of subnormals", SUBNORMAL, unit);
    cases.push(subnormal.covering(&["f32.demote_f64", "f64.promote_f32"]));
}

/// Imported functions before the first of a module's own: what gives the specimen back, and what gives the rounds.
const COLD_FIRST: usize = 2;

/// A body that starts with a return and is long, so that each lies in lines and pages of its own.
fn cold_body(number: usize) -> String {
    let rest = format!(
        "(local.set 0 (i32.xor (i32.mul (local.get 0) (i32.const {})) (i32.load (local.get 0))))",
        number * 2 + 12_345
    )
    .repeat(30);
    format!(
        "(if (i32.ne (local.get 0) (i32.const 0x7fffffff)) (then (return (i32.add (local.get 0) (i32.const 1))))) {rest} (local.get 0)"
    )
}

fn control(cases: &mut Vec<Case>) {
    let mut push = |name: &str, fields: &str, unit: &str, covers: &[&str]| {
        cases.push(case("control", name, LOCALS, unit).with_fields(fields).covering(covers));
    };
    push("nop, drop", "", "(nop) (drop (local.get $a))", &["nop", "drop"]);
    push("block, br, end", "", "(block (br 0))", &["block", "br", "end", "unreachable"]);
    push("loop", "", "(loop)", &["loop", "end"]);
    push(
        "if, else",
        "",
        "(if (local.get $a) (then (local.set $b (i32.const 1))) (else (local.set $b (i32.const 2))))",
        &["if", "else"],
    );
    let mispredicted = "(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))
      (if (i32.lt_s (local.get $a) (i32.const 0)) (then (local.set $b (i32.xor (local.get $b) (local.get $a)))))";
    push("if, mispredicted", "", mispredicted, &["if"]);
    let mispredicted = "(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))
      (block (br_if 0 (i32.lt_s (local.get $a) (i32.const 0))) (local.set $b (i32.xor (local.get $b) (local.get $a))))";
    push("br_if, mispredicted", "", mispredicted, &["br_if"]);
    let arms = 256;
    let table = format!(
        "(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))
         {}(br_table {} (i32.shr_u (local.get $a) (i32.const 24))){}",
        "(block ".repeat(arms),
        (0..arms).map(|arm| arm.to_string()).collect::<Vec<_>>().join(" "),
        ") (local.set $b (i32.add (local.get $b) (i32.const 1)))".repeat(arms - 1) + ")"
    );
    let exits = format!(
        "(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))
         (block $out {}(br_table {} (i32.shr_u (local.get $a) (i32.const 24))){})",
        "(block ".repeat(arms),
        (0..arms).map(|arm| arm.to_string()).collect::<Vec<_>>().join(" "),
        ") (br $out)".repeat(arms)
    );
    push("br_table of 256, falling through", "", &table, &["br_table"]);
    push("br_table of 256, mispredicted", "", &exits, &["br_table"]);
    push("select", "", "(local.set $a (select (local.get $a) (local.get $b) (local.get $a)))", &["select"]);
    push(
        "select of references",
        "(func $n)(elem declare func $n)",
        "(drop (select (result funcref) (ref.null func) (ref.null func) (local.get $a)))",
        &["typed_select", "typed_select_multi"],
    );
    push(
        "local.get, set, tee",
        "",
        "(local.set $a (local.tee $b (local.get $a)))",
        &["local.get", "local.set", "local.tee"],
    );
    push(
        "global.get, set",
        "(global $w (mut i64) (i64.const 1))",
        "(global.set $w (i64.add (global.get $w) (i64.const 1)))",
        &["global.get", "global.set"],
    );
    push("call, return", "(func $n (return))", "(call $n)", &["call", "return"]);
    let many = "(func $n (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))";
    let gets = "(local.get $p)".repeat(12);
    push("call of 12 parameters, 8 results", many, &format!("{gets}(call $n){}", "(drop)".repeat(8)), &["call"]);
    push("return_call", "(func $m) (func $n (return_call $m))", "(call $n)", &["return_call"]);
    let table = "(table $t 4 funcref) (type $v (func)) (func $m) (elem (i32.const 0) $m $m $m $m)";
    push("call_indirect", table, "(call_indirect $t (type $v) (i32.const 1))", &["call_indirect"]);
    let tail = format!("{table} (func $n (return_call_indirect $t (type $v) (i32.const 1)))");
    push("return_call_indirect", &tail, "(call $n)", &["return_call_indirect"]);
    let functions = 4_000;
    let bodies: String = (0..functions).map(|n| format!("(func (param i32) (result i32) {})", cold_body(n))).collect();
    let all: String = (0..functions).map(|n| format!("{n} ", n = n + COLD_FIRST)).collect();
    let cold = format!(
        "(type $c (func (param i32) (result i32))) (table $t {functions} funcref) {bodies} (elem (table $t) (i32.const 0) func {all})"
    );
    let next = "(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))";
    let unit = format!(
        "{next} (local.set $b (call_indirect $t (type $c) (local.get $b) (i32.rem_u (i32.shr_u (local.get $a) (i32.const 4)) (i32.const {functions}))))"
    );
    push("call_indirect of 4000 functions", &cold, &unit, &["call_indirect"]);
    let deep = "(func $n (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $n (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))";
    push("recursion, 1000 deep", deep, "(drop (call $n (i32.const 1000)))", &["call"]);
    let frame: String = (0..200).map(|_| "(local.set $p (i64.add (local.get $p) (local.get $q)))").collect();
    let (all, set): (String, String) = (1..=1000)
        .map(|n| {
            (
                format!("(i64.store (i32.const 512) (local.get {n}))"),
                format!("(local.set {n} (i64.load (local.get $z)))"),
            )
        })
        .unzip();
    let locals = format!(
        "(func $n (param $z i32) (local {}) (if (local.get $z) (then {set})) (if (local.get $z) (then {all})))",
        "i64 ".repeat(1000)
    );
    push("call of a frame of 1000 locals", &locals, "(call $n (i32.const 0))", &["call"]);
    let blocks: String = (0..20_000).map(|n| format!("(block (br_if 0 (local.get $y)) (local.set $z (i32.load (i32.popcnt (i32.popcnt (local.get $z)))))(local.set $z (i32.add (i32.const {n}) (i32.popcnt (local.get $z)))))")).collect();
    let cold = format!("(func $n (param $y i32) (param $z i32) {blocks})");
    push("br_if over cold code, 20000 times", &cold, "(call $n (i32.const 1) (i32.const 1))", &["br_if"]);
    let chain: String = (0..20_000).map(|n| format!("(func $n{n} (param $y i32) (if (i32.eqz (local.get $y)) (then (local.set $y (i32.add (i32.const {n}) (i32.load (i32.popcnt (i32.popcnt (i32.load (local.get $y))))))))) (return_call $n{} (local.get $y)))", n + 1)).collect();
    let cold = format!("{chain} (func $n20000 (param i32))");
    push("return_call through 20000 functions", &cold, "(call $n0 (i32.const 1))", &["return_call"]);
    push("i64.add, 200 times", "", &frame, &["i64.add"]);
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    integers(&mut cases);
    floats(&mut cases);
    control(&mut cases);
    cases
}
