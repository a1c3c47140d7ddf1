//! Memory and tables: single accesses, also such that no cache has, and operations over many bytes.

use super::{Case, case};

const LOADS: &str = "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.load32_zero v128.load64_zero";
/// Rounds of scattered accesses: more time than filling the memory takes.
const FAR_ROUNDS: u64 = 100_000;
const STORES: &str =
    "i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32 v128.store";

/// Fills a memory with a circle through all its lines of 64 bytes, in an order that no prefetcher guesses, `at` bytes from the start of each.
fn circle(bits: u32, at: u32) -> String {
    let (pages, lines) = ((1u64 << bits) / 65_536 + 2, 1u64 << (bits - 6));
    format!(
        "(local $i i32) (local $a i32) (local $b i32) (local $p i64) (local $x v128)
  (drop (memory.grow (i32.const {pages})))
  (loop $fill
    (i32.store offset={at} (i32.shl (local.get $i) (i32.const 6))
      (i32.shl (i32.and (i32.add (i32.mul (local.get $i) (i32.const 1664525)) (i32.const 1013904223)) (i32.const {mask})) (i32.const 6)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $fill (i32.lt_u (local.get $i) (i32.const {lines}))))
  (local.set $i (i32.const 0))",
        mask = lines - 1
    )
}

fn accesses(cases: &mut Vec<Case>) {
    let before = "(local $a i32) (local $p i64) (local $f f32) (local $d f64) (local $x v128)";
    for name in LOADS.split(' ') {
        let unit = match name.split('.').next() {
            Some("i32") => format!("(local.set $a ({name} offset=2048 (local.get $a)))"),
            Some("i64") => format!("(local.set $p ({name} offset=2048 (i32.wrap_i64 (local.get $p))))"),
            Some("f32") => format!("(local.set $f ({name} offset=2048 (i32.reinterpret_f32 (local.get $f))))"),
            Some("f64") => {
                format!("(local.set $d ({name} offset=2048 (i32.wrap_i64 (i64.reinterpret_f64 (local.get $d)))))")
            }
            _ => format!("(local.set $x ({name} offset=2048 (i32x4.extract_lane 0 (local.get $x))))"),
        };
        cases.push(case("memory", name, before, unit));
    }
    for name in STORES.split(' ') {
        let local = match name.split('.').next() {
            Some("i32") => "$a",
            Some("i64") => "$p",
            Some("f32") => "$f",
            Some("f64") => "$d",
            _ => "$x",
        };
        let unit = format!("({name} offset=2048 (i32.const 60) (local.get {local}))");
        cases.push(case("memory", name, before, unit));
    }
    for (shape, lanes) in [("8", "a"), ("16", "a"), ("32", "a"), ("64", "a")] {
        let _ = lanes;
        let load = format!("v128.load{shape}_lane");
        let unit =
            format!("(local.set $x ({load} offset=2048 0 (i32x4.extract_lane 0 (local.get $x)) (local.get $x)))");
        cases.push(case("memory", load, before, unit));
        let store = format!("v128.store{shape}_lane");
        cases.push(case("memory", &store, before, format!("({store} offset=2048 0 (i32.const 60) (local.get $x))")));
    }
    cases.push(case("memory", "memory.size", before, "(local.set $a (memory.size))"));
}

fn scattered(cases: &mut Vec<Case>) {
    // At 62 bytes each load needs two lines, and every 64th two pages.
    for (bits, at) in [(16, 65_536), (21, 65_536), (24, 65_536), (28, 65_536), (29, 65_536), (29, 65_598)] {
        let size = (1u32 << bits) >> 10;
        let loads = (0..16).fold("(local.get $a)".to_owned(), |value, _| format!("(i32.load offset={at} {value})"));
        let name = format!("16 of i32.load over {size} KiB from {at}");
        cases.push(
            case("scattered", name, &circle(bits, at), format!("(local.set $a {loads})")).covering(&["i32.load"]),
        );
    }
    let copies = "(memory.copy (i32.const 2048) (i32.add (local.get $a) (i32.const 65536)) (i32.const 4))
      (local.set $a (i32.load (i32.const 2048))) (memory.copy (i32.add (i32.xor (local.get $a) (i32.const 0xa540100)) (i32.const 65560)) (i32.const 2048) (i32.or (local.get $i) (i32.const 1)))";
    cases.push(
        case("scattered", "memory.copy, load, memory.copy over 524288 KiB", &circle(29, 65_536), copies)
            .covering(&["memory.copy"]),
    );
    let next = "(local.set $b (i32.add (i32.mul (local.get $b) (i32.const 1664525)) (i32.const 1013904223)))";
    let at = "(i32.and (local.get $b) (i32.const 0x1fffffc0))";
    let unit = format!("{next} (i32.store offset=65536 {at} (local.get $b))");
    cases.push(case("scattered", "i32.store over 524288 KiB", &circle(29, 65_536), unit).covering(&["i32.store"]));
    let unit = format!("{next} (local.set $x (v128.xor (local.get $x) (v128.load offset=69630 {at})))");
    cases.push(
        case("scattered", "v128.load over 524288 KiB, across pages", &circle(29, 65_536), unit)
            .covering(&["v128.load"]),
    );
    let unit = format!("{next} (local.set $a (i32.atomic {at}))").replace("i32.atomic", "i32.load8_u offset=65536");
    cases.push(case("scattered", "i32.load8_u over 524288 KiB", &circle(29, 65_536), unit).covering(&["i32.load8_u"]));
}

fn bulk(cases: &mut Vec<Case>) {
    let mut push = |name: &str, fields: &str, before: &str, unit: &str, times: usize, covers: &[&str]| {
        cases.push(case("bulk", name, before, unit).with_fields(fields).times(times).covering(covers));
    };
    let grown = "(local $a i32) (drop (memory.grow (i32.const 2048)))";
    let data = format!("(data $d \"{}\")", "x".repeat(60_000));
    for len in [0, 1, 200, 4096, 1 << 20, 1 << 26] {
        let times = if len > 100_000 { 1 } else { 32 };
        let name = |what: &str| format!("{what} of {len} bytes");
        let dynamic = format!("(i32.or (local.get $a) (i32.const {len}))");
        let unit = format!("(memory.fill (i32.const 65536) (i32.const 7) {dynamic})");
        push(&name("memory.fill"), "", grown, &unit, times, &["memory.fill"]);
        let unit = format!("(memory.copy (i32.const 65537) (i32.const 67108864) {dynamic})");
        push(&name("memory.copy"), "", grown, &unit, times, &["memory.copy"]);
        let unit = format!("(memory.copy (i32.const 65537) (i32.const 66001) {dynamic})");
        push(&name("memory.copy, overlapping,"), "", grown, &unit, times, &["memory.copy"]);
        if len < 60_000 {
            let unit = format!("(memory.init $d (i32.const 65536) (i32.const 0) {dynamic})");
            push(&name("memory.init"), &data, grown, &unit, times, &["memory.init"]);
        }
    }
    push(
        "memory.copy of 100 bytes, length known",
        "",
        grown,
        "(memory.copy (i32.const 65536) (i32.const 70000) (i32.const 100))",
        32,
        &["memory.copy"],
    );
    push("memory.grow of 0 pages", "", "", "(drop (memory.grow (i32.const 0)))", 32, &["memory.grow"]);
    push("data.drop", &data, "", "(data.drop $d)", 32, &["data.drop"]);
}

/// A table whose functions are looked at for the first time again and again.
fn tables(cases: &mut Vec<Case>) {
    let all = "$f ".repeat(10_000);
    let fields = format!(
        "(table $t 10000 funcref) (table $u 10000 funcref) (table $x 10000 externref) (table $g 0 funcref) (table $s 0 0 funcref) (func $f) (elem (table $t) (i32.const 0) func {all}) (elem $e func {all})"
    );
    let mut push = |name: &str, unit: &str, times: usize, covers: &[&str]| {
        cases.push(
            case("table", name, "(local $a i32) (local $r externref)", unit)
                .with_fields(&fields)
                .times(times)
                .covering(covers),
        );
    };
    push("ref.null, ref.is_null", "(local.set $a (ref.is_null (ref.null func)))", 32, &["ref.null", "ref.is_null"]);
    push("ref.func", "(local.set $a (ref.is_null (ref.func $f)))", 32, &["ref.func"]);
    push("table.size", "(local.set $a (table.size $t))", 32, &["table.size"]);
    push("table.get", "(local.set $a (ref.is_null (table.get $t (i32.const 5))))", 32, &["table.get"]);
    push("table.get of externref", "(local.set $a (ref.is_null (table.get $x (i32.const 5))))", 32, &["table.get"]);
    push("table.set", "(table.set $t (i32.const 5) (ref.null func))", 32, &["table.set"]);
    push("table.set of externref", "(table.set $x (i32.const 5) (local.get $r))", 32, &["table.set"]);
    for len in [0, 1, 100, 10_000] {
        let times = if len > 1_000 { 1 } else { 32 };
        let dynamic = format!("(i32.or (local.get $a) (i32.const {len}))");
        let mut sized = |what: &str, unit: String, covers: &str| {
            push(&format!("{what} of {len} elements"), &unit, times, &[covers]);
        };
        sized("table.fill", format!("(table.fill $t (i32.const 0) (ref.null func) {dynamic})"), "table.fill");
        sized(
            "table.fill with a function",
            format!("(table.fill $t (i32.const 0) (ref.func $f) {dynamic})"),
            "table.fill",
        );
        sized(
            "table.fill of externref",
            format!("(table.fill $x (i32.const 0) (local.get $r) {dynamic})"),
            "table.fill",
        );
        sized("table.copy", format!("(table.copy $u $t (i32.const 0) (i32.const 0) {dynamic})"), "table.copy");
        sized(
            "table.copy of externref",
            format!("(table.copy $x $x (i32.const 0) (i32.const 0) {dynamic})"),
            "table.copy",
        );
        sized("table.init", format!("(table.init $t $e (i32.const 0) (i32.const 0) {dynamic})"), "table.init");
        sized(
            "table.init and copy",
            format!(
                "(table.init $t $e (i32.const 0) (i32.const 0) {dynamic})(table.copy $u $t (i32.const 0) (i32.const 0) {dynamic})"
            ),
            "table.init",
        );
    }
    push("table.grow of 0 elements", "(drop (table.grow $g (ref.null func) (i32.const 0)))", 32, &["table.grow"]);
    push("table.grow past the maximum", "(drop (table.grow $s (ref.null func) (i32.const 1)))", 32, &["table.grow"]);
    push("elem.drop", "(elem.drop $e)", 32, &["elem.drop"]);
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    accesses(&mut cases);
    let mut far = Vec::new();
    scattered(&mut far);
    cases.extend(far.into_iter().map(|case| case.rounds(FAR_ROUNDS).times(4)));
    bulk(&mut cases);
    tables(&mut cases);
    cases
}
