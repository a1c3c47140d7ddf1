//! Checks of rows by their columns: rows that take long for their bytes.

use super::{Case, case};

/// Bytes that are written at once, from [`FROM`] on.
const CHUNK: usize = 64 << 10;
/// Where the rows stand.
const FROM: usize = 64 << 10;
/// Where the text stands that the rows are copies of: above what `parts.wat` uses.
const PATTERN: usize = 4 << 10;

/// Rows that are copies of one, in an output with these columns, written in the loop and checked after its last round.
fn rows(name: &str, row: &str, columns: &[(String, &str)]) -> Case {
    let columns: String = columns.iter().map(|(name, kind)| format!(";; column: can {name} {kind}\n")).collect();
    let escaped: String = row.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let copies = CHUNK / row.len();
    let fields = format!(
        "
;; output: can application/x-ndjson
{columns}
(import \"refiner:rule/output\" \"[constructor]artifact\" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import \"refiner:rule/output\" \"[method]artifact.write\" (func $write (param i32 i32 i32)))
(import \"refiner:rule/output\" \"[method]artifact.finish\" (func $finish (param i32)))
(data (i32.const 256) \"canapplication/x-ndjson\")
(data (i32.const {PATTERN}) \"{escaped}\")"
    );
    let length = row.len();
    let before = format!(
        "(local $handle i32) (local $copy i32)
      (drop (memory.grow (i32.const 2)))
      (loop $fill
        (memory.copy (i32.add (i32.const {FROM}) (i32.mul (local.get $copy) (i32.const {length}))) (i32.const {PATTERN}) (i32.const {length}))
        (local.set $copy (i32.add (local.get $copy) (i32.const 1)))
        (br_if $fill (i32.lt_u (local.get $copy) (i32.const {copies}))))
      (local.set $handle (call $artifact (i32.const 256) (i32.const 3) (i32.const 259) (i32.const 20) (i32.const 0) (i32.const 0) (i32.const 0)))"
    );
    let bytes = copies * length;
    let unit = format!(
        "(call $write (local.get $handle) (i32.const {FROM}) (i32.const {bytes}))
      (if (i64.eq (i64.add (local.get $round) (i64.const 1)) (local.get $rounds)) (then (call $finish (local.get $handle))))"
    );
    case("rows", name, &before, unit).with_fields(fields).times(1).rounds(16).covering(&[])
}

pub fn cases() -> Vec<Case> {
    let one = |kind| vec![("a".to_owned(), kind)];
    let many: Vec<_> = (0..128_u8)
        .map(|number| (format!("{}_{}", char::from(b'a' + number / 16), char::from(b'a' + number % 16)), "u8?"))
        .collect();
    let backwards = many.iter().rev().map(|(name, _)| format!("\"{name}\":0")).collect::<Vec<_>>().join(",");
    let list = |item: &str, count: usize| format!("{{\"a\":[{}]}}\n", vec![item; count].join(","));
    let digits = format!("\"{}\"", "9".repeat(77));
    vec![
        rows("rows without keys", "{}\n", &many),
        rows("rows of one key", "{\"a\":0}\n", &one("u8")),
        rows("keys in another order", &format!("{{{backwards}}}\n"), &many),
        rows("list of u8", &list("0", 500), &one("list<u8>")),
        rows("list of json", &list("0", 500), &one("list<json>")),
        rows("list of hexadecimal u256", &list("\"0x0\"", 300), &one("list<u256>")),
        rows("list of wide hexadecimal u256", &list(&format!("\"0x{}\"", "f".repeat(64)), 20), &one("list<u256>")),
        rows("list of wide u256", &list(&digits, 20), &one("list<u256>")),
        rows("list of small i256", &list("-1", 300), &one("list<i256>")),
        rows(
            "list whose last item is read by serde",
            &format!("{{\"a\":[{}-1]}}\n", "0,".repeat(500)),
            &one("list<i64>"),
        ),
        rows("escaped text", &format!("{{\"a\":\"{}\"}}\n", "\\n".repeat(500)), &one("string")),
        rows("bytes", &format!("{{\"a\":\"0x{}\"}}\n", "ff".repeat(500)), &one("bytes")),
        rows("lists of nothing in json", &format!("{{\"a\":{}{}}}\n", "[".repeat(100), "]".repeat(100)), &one("json")),
    ]
}
