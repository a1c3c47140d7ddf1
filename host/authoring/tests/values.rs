//! Values of the SDKs in Python and JavaScript, which have numbers and more that no row has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{path::Path, process::Command};

/// Runs a script of a language over the SDK's folder, which is the argument after it; a line says so where there is no such language.
fn run(program: &str, arguments: &[&str], folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk").join(folder).canonicalize().unwrap();
    let ended = Command::new(program).args(arguments).arg(folder).output();
    #[allow(clippy::print_stderr)]
    let Ok(ended) = ended else {
        eprintln!("skipped: no {program} on the PATH");
        return;
    };
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{stderr}");
}

#[test]
fn row_in_python_has_no_number_that_json_or_the_columns_do_not_have() {
    let script = r#"
import importlib.util, sys
spec = importlib.util.spec_from_file_location("sdk", sys.argv[1] + "/__init__.py")
sdk = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sdk)
for value, expected in [
    (2**64 - 1, "18446744073709551615"), (2**64, '"18446744073709551616"'),
    (-(2**63), "-9223372036854775808"), (-(2**63) - 1, '"-9223372036854775809"'),
    (True, "true"), (None, "null"), (1.5, "1.5"), ([2**64, (1,), {"a": 2**64}], '["18446744073709551616",[1],{"a":"18446744073709551616"}]'),
]:
    assert sdk.row({"x": value}) == '{"x":' + expected + "}", sdk.row({"x": value})
for value in [float("nan"), float("inf"), [float("-inf")]]:
    try:
        raise AssertionError(sdk.row({"x": value}))
    except ValueError:
        pass
words = lambda *words: type("B256", (), dict(zip(["w0", "w1", "w2", "w3"], words)))
assert sdk.known_hash(words(0, 0, 0, 0)) is None
assert sdk.known_hash(words(0, 0, 0, 1)) == "0x" + "0" * 63 + "1"
"#;
    run("python3", &["-B", "-c", script], "python");
}

#[test]
fn json_in_javascript_has_no_value_that_json_or_the_columns_do_not_have() {
    let script = r#"
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
const text = readFileSync(`${process.argv.at(-1)}/values.js`);
const { json, knownHash } = await import(`data:text/javascript;base64,${text.toString("base64")}`);
for (const [value, expected] of [
  [2n ** 64n - 1n, "18446744073709551615"], [2n ** 64n, '"18446744073709551616"'],
  [-(2n ** 63n), "-9223372036854775808"], [-(2n ** 63n) - 1n, '"-9223372036854775809"'],
  [true, "true"], [undefined, "null"], [1.5, "1.5"], [[2n ** 64n, { a: 1 }], '["18446744073709551616",{"a":1}]'],
  [[, "\n"], '[null,"\\n"]'], [Object.assign(Object.create(null), { a: {} }), '{"a":{}}'], [new (class { a = 1n })(), '{"a":1}'],
]) assert.equal(json({ x: value }), `{"x":${expected}}`);
for (const value of [NaN, Infinity, [-Infinity]]) assert.throws(() => json({ x: value }), RangeError);
for (const value of [() => 1, class {}, Symbol("x"), new Date(0), new Map(), [new Set()], new Uint8Array(1), /x/, new Number(1)])
  assert.throws(() => json({ x: value }), { name: "TypeError", message: /^[A-Z]\w+ is no value of JSON$/ });
assert.equal(knownHash({ w0: 0n, w1: 0n, w2: 0n, w3: 0n }), null);
assert.equal(knownHash({ w0: 0n, w1: 0n, w2: 0n, w3: 1n }), `0x${"0".repeat(63)}1`);
"#;
    run("node", &["--input-type=module", "-e", script, "--"], "javascript");
}
