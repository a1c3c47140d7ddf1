//! Calls to sealed WASI.

use super::{Case, case};

/// What the host hands out lies in the same place again and again.
const RESET: &str = "(global.set $top (i32.const 4096))";
/// Handles that are waited for at once.
const HANDLES: u32 = 1_000;

/// A case over imports, each an interface, a function, the name in the text and its type.
fn wasi(name: &str, imports: &[(&str, &str, &str, &str)], before: &str, unit: &str) -> Case {
    let fields: String = imports
        .iter()
        .map(|(interface, function, label, ty)| {
            format!("(import \"wasi:{interface}@0.2.0\" \"{function}\" (func ${label} {ty}))\n")
        })
        .collect();
    case("wasi", name, before, unit).with_fields(fields).times(8).covering(&[])
}

const NOW: (&str, &str, &str, &str) = ("clocks/monotonic-clock", "now", "now", "(result i64)");
const STDIN: (&str, &str, &str, &str) = ("cli/stdin", "get-stdin", "stdin", "(result i32)");
const STDOUT: (&str, &str, &str, &str) = ("cli/stdout", "get-stdout", "stdout", "(result i32)");
const NETWORK: (&str, &str, &str, &str) = ("sockets/instance-network", "instance-network", "network", "(result i32)");
const DROP_WAIT: (&str, &str, &str, &str) = ("io/poll", "[resource-drop]pollable", "gone", "(param i32)");

/// Functions that give a number or write a small result to 512.
fn plain(cases: &mut Vec<Case>) {
    let number = "(result i64)";
    let result = "(param i32)";
    for (interface, function, ty, call) in [
        ("clocks/monotonic-clock", "resolution", number, "(drop (call $call))"),
        ("clocks/wall-clock", "now", result, "(call $call (i32.const 512))"),
        ("clocks/wall-clock", "resolution", result, "(call $call (i32.const 512))"),
        ("random/random", "get-random-u64", number, "(drop (call $call))"),
        ("random/insecure", "get-insecure-random-u64", number, "(drop (call $call))"),
        ("random/insecure-seed", "insecure-seed", result, "(call $call (i32.const 512))"),
        ("cli/environment", "get-environment", result, "(call $call (i32.const 512))"),
        ("cli/environment", "get-arguments", result, "(call $call (i32.const 512))"),
        ("cli/environment", "initial-cwd", result, "(call $call (i32.const 512))"),
        ("cli/terminal-stdin", "get-terminal-stdin", result, "(call $call (i32.const 512))"),
        ("cli/terminal-stdout", "get-terminal-stdout", result, "(call $call (i32.const 512))"),
        ("cli/terminal-stderr", "get-terminal-stderr", result, "(call $call (i32.const 512))"),
        ("filesystem/preopens", "get-directories", result, "(call $call (i32.const 512))"),
        (
            "sockets/tcp-create-socket",
            "create-tcp-socket",
            "(param i32 i32)",
            "(call $call (i32.const 0) (i32.const 512))",
        ),
        (
            "sockets/udp-create-socket",
            "create-udp-socket",
            "(param i32 i32)",
            "(call $call (i32.const 0) (i32.const 512))",
        ),
    ] {
        cases.push(wasi(&format!("{interface}.{function}"), &[(interface, function, "call", ty)], "", call));
    }
    cases.push(wasi("monotonic-clock.now", &[NOW], "", "(drop (call $now))"));
}

fn random(cases: &mut Vec<Case>) {
    for (interface, function) in
        [("random/random", "get-random-bytes"), ("random/insecure", "get-insecure-random-bytes")]
    {
        for len in [0, 1, 32, 1 << 20] {
            let unit = format!("{RESET} (call $random (i64.const {len}) (i32.const 512))");
            let import = (interface, function, "random", "(param i64 i32)");
            cases.push(wasi(&format!("{function} of {len}"), &[import], "", &unit));
        }
    }
}

fn streams(cases: &mut Vec<Case>) {
    let drop_in = ("io/streams", "[resource-drop]input-stream", "gone", "(param i32)");
    let drop_out = ("io/streams", "[resource-drop]output-stream", "gone", "(param i32)");
    let stderr = ("cli/stderr", "get-stderr", "stderr", "(result i32)");
    cases.push(wasi("get-stdin and drop", &[STDIN, drop_in], "", "(call $gone (call $stdin))"));
    cases.push(wasi("get-stdout and drop", &[STDOUT, drop_out], "", "(call $gone (call $stdout))"));
    cases.push(wasi("get-stderr and drop", &[stderr, drop_out], "", "(call $gone (call $stderr))"));

    let held = "(local $out i32) (local.set $out (call $stdout))";
    let read = "(local $in i32) (local.set $in (call $stdin))";
    for function in ["read", "blocking-read", "skip", "blocking-skip"] {
        let import = ("io/streams", &*format!("[method]input-stream.{function}"), "call", "(param i32 i64 i32)");
        let unit = "(call $call (local.get $in) (i64.const 100) (i32.const 512))";
        cases.push(wasi(&format!("input-stream.{function}"), &[STDIN, import], read, unit));
    }
    for function in ["check-write", "flush", "blocking-flush"] {
        let import = ("io/streams", &*format!("[method]output-stream.{function}"), "call", "(param i32 i32)");
        let unit = "(call $call (local.get $out) (i32.const 512))";
        cases.push(wasi(&format!("output-stream.{function}"), &[STDOUT, import], held, unit));
    }
    for function in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        let import = ("io/streams", &*format!("[method]output-stream.{function}"), "call", "(param i32 i64 i32)");
        let unit = "(call $call (local.get $out) (i64.const 1000) (i32.const 512))";
        cases.push(wasi(&format!("output-stream.{function}"), &[STDOUT, import], held, unit));
    }
    for function in ["splice", "blocking-splice"] {
        let import = ("io/streams", &*format!("[method]output-stream.{function}"), "call", "(param i32 i32 i64 i32)");
        let unit = "(call $call (local.get $out) (local.get $in) (i64.const 100) (i32.const 512))";
        let before = "(local $out i32) (local $in i32) (local.set $out (call $stdout)) (local.set $in (call $stdin))";
        cases.push(wasi(&format!("output-stream.{function}"), &[STDIN, STDOUT, import], before, unit));
    }
    writes(cases);
}

fn writes(cases: &mut Vec<Case>) {
    for (what, byte) in [("newlines", 10), ("letters", 120), ("bytes that are no text", 255)] {
        let before = format!(
            "(local $out i32) (local.set $out (call $stdout)) (drop (memory.grow (i32.const 20))) (memory.fill (i32.const 65536) (i32.const {byte}) (i32.const 1048576))"
        );
        for function in ["write", "blocking-write-and-flush"] {
            let import =
                ("io/streams", &*format!("[method]output-stream.{function}"), "write", "(param i32 i32 i32 i32)");
            for len in [1, 4096] {
                let unit =
                    format!("(call $write (local.get $out) (i32.const 65536) (i32.const {len}) (i32.const 512))");
                cases.push(wasi(&format!("{function} of {len} {what}"), &[STDOUT, import], &before, &unit));
            }
        }
    }
}

/// Waits: for a time that has come, for one that has not, and for many.
fn waits(cases: &mut Vec<Case>) {
    let method = |name| ("io/poll", name, "call", "(param i32)");
    let instant = ("clocks/monotonic-clock", "subscribe-instant", "instant", "(param i64) (result i32)");
    let duration = ("clocks/monotonic-clock", "subscribe-duration", "duration", "(param i64) (result i32)");
    for (name, import, argument) in [
        ("subscribe-instant in the past and drop", instant, "(i64.const 1)"),
        ("subscribe-instant in the future and drop", instant, "(i64.const -1)"),
        ("subscribe-duration of nothing and drop", duration, "(i64.const 0)"),
        ("subscribe-duration and drop", duration, "(i64.const 1)"),
    ] {
        let unit = format!("(call $gone (call ${} {argument}))", import.2);
        cases.push(wasi(name, &[import, DROP_WAIT], "", &unit));
    }
    let wait = "(local $wait i32) (local.set $wait (call $instant (i64.const -1)))";
    let ready = ("io/poll", "[method]pollable.ready", "call", "(param i32) (result i32)");
    cases.push(wasi("pollable.ready", &[instant, ready], wait, "(drop (call $call (local.get $wait)))"));
    let block = method("[method]pollable.block");
    cases.push(wasi("pollable.block", &[instant, block], wait, "(call $call (local.get $wait))"));
    for (stream, subscribe) in [(STDIN, "[method]input-stream.subscribe"), (STDOUT, "[method]output-stream.subscribe")]
    {
        let import = ("io/streams", subscribe, "call", "(param i32) (result i32)");
        let before = format!("(local $stream i32) (local.set $stream (call ${}))", stream.2);
        let unit = "(call $gone (call $call (local.get $stream)))";
        cases.push(wasi(subscribe, &[stream, import, DROP_WAIT], &before, unit));
    }
    let poll = ("io/poll", "poll", "call", "(param i32 i32 i32)");
    // The same handle again and again, or as many handles.
    for (what, held) in [("one handle, many times", false), ("many handles", true)] {
        let make = "(call $instant (i64.const -1))";
        let (first, each) = if held { ("", make) } else { (make, "(local.get $wait)") };
        let first = if first.is_empty() { String::new() } else { format!("(local.set $wait {first})") };
        let before = format!(
            "(local $wait i32) (local $at i32) {first}
             (loop $fill
               (i32.store (i32.add (i32.const 8192) (i32.mul (local.get $at) (i32.const 4))) {each})
               (local.set $at (i32.add (local.get $at) (i32.const 1)))
               (br_if $fill (i32.lt_u (local.get $at) (i32.const {HANDLES}))))"
        );
        let unit = format!(
            "(global.set $top (i32.const 32768)) (call $call (i32.const 8192) (i32.const {HANDLES}) (i32.const 512))"
        );
        cases.push(wasi(&format!("poll of {what}"), &[instant, poll], &before, &unit).times(1));
    }
}

fn network(cases: &mut Vec<Case>) {
    let gone = ("sockets/network", "[resource-drop]network", "gone", "(param i32)");
    cases.push(wasi("instance-network and drop", &[NETWORK, gone], "", "(call $gone (call $network))"));
    let resolve = ("sockets/ip-name-lookup", "resolve-addresses", "call", "(param i32 i32 i32 i32)");
    for len in [1, 1_000] {
        let before = "(local $net i32) (local.set $net (call $network))";
        let unit = format!("(call $call (local.get $net) (i32.const 2048) (i32.const {len}) (i32.const 512))");
        cases.push(wasi(&format!("resolve-addresses of {len} bytes"), &[NETWORK, resolve], before, &unit));
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    plain(&mut cases);
    random(&mut cases);
    streams(&mut cases);
    waits(&mut cases);
    network(&mut cases);
    cases
}
