//! Programs of Go's own toolchain: how each ends that does what rules do not, with the stub of WASI and over sealed WASI.
//!
//! `cargo xtask twins` builds the components. Where there is no Go, the reason is printed.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::{fs, io, time::Instant};

use refiner_rule_model::{Grants, Limit, LogLevel, Params, Run};
use refiner_sandbox::{AdmittedRule, Sandbox};
use refiner_testruns::{RunInput, input, sandbox, workspace};

/// The component of the probes with the stub of WASI.
const STUBBED: &str = "go-probes";
/// The same with the standard adapter.
const SEALED: &str = "go-probes-sealed";

fn admitted(sandbox: &Sandbox, name: &str) -> Option<AdmittedRule> {
    let built = workspace().join("target/twins").join(name);
    match fs::read(built.with_extension("wasm")) {
        Ok(component) => Some(sandbox.admit(&component, None, &Grants::all()).unwrap()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = fs::read_to_string(built.with_extension("skipped"));
            eprintln!("skipped: {name}: {}", why.unwrap_or_else(|_| "`cargo xtask twins` builds it".to_owned()));
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

fn probe(rule: &AdmittedRule, name: &str) -> Run {
    let params: Params = [("probe", name)].into_iter().collect();
    rule.run(RunInput { params, ..input(rule) }).unwrap()
}

fn log(run: &Run) -> Vec<String> {
    run.log.iter().map(|line| line.message.as_str().to_owned()).collect()
}

/// The end of a probe.
struct Expected {
    probe: &'static str,
    /// The verdict with the stub of WASI.
    stubbed: &'static str,
    /// The verdict over sealed WASI.
    sealed: &'static str,
    /// Parts of lines of the log that stand there in this order, other lines between them.
    log: &'static [&'static str],
}

const UNREACHABLE: &str = "trapped: the rule panicked or aborted (wasm unreachable)";
/// WASI 0.2 knows no status but success and failure.
const EXITED: &str = "trapped: exited with status 1 before it returned a result";

const fn same(probe: &'static str, verdict: &'static str, log: &'static [&'static str]) -> Expected {
    Expected { probe, stubbed: verdict, sealed: verdict, log }
}

/// The table of `guest-sdk/go/README.md`. Panics show the function and the line of the rule's own file.
const TABLE: [Expected; 16] = [
    same("panic", UNREACHABLE, &["panic: the rule's own words", "main.refine(", "probes/main.go:"]),
    same("nil", UNREACHABLE, &["invalid memory address or nil pointer dereference", "main.refine("]),
    same("index", UNREACHABLE, &["index out of range [0] with length 0", "main.refine("]),
    same("deadlock", UNREACHABLE, &["all goroutines are asleep - deadlock!", "main.refine("]),
    Expected { probe: "exit", stubbed: UNREACHABLE, sealed: EXITED, log: &[] },
    same("sleep", "produced 0 artifacts, 3600000000000 records", &[]),
    same("memory", "out of memory: 268435456 bytes granted", &[]),
    same("loop", "out of fuel: 2000020000 granted", &[]),
    same("recursion", "trapped: call stack exhausted after 1048576 bytes", &[]),
    same("maps", "produced 0 artifacts, 8 records", &[]),
    same("goroutines", "produced 0 artifacts, 4950 records", &[]),
    same("time", "produced 0 artifacts, 1700000000 records", &[]),
    same("environment", "produced 0 artifacts, 0 records", &[]),
    same("files", "produced 0 artifacts, 0 records", &["/etc/hostname: Bad file number", "out.txt: Bad file number"]),
    same("sockets", "produced 0 artifacts, 0 records", &["Connection refused"]),
    same("prints", "produced 0 artifacts, 0 records", &["one line", "unfinished"]),
];

#[test]
fn probes_end_in_the_verdict_and_with_the_text_of_the_guide() {
    let sandbox = sandbox();
    let mut wrong = Vec::new();
    for (sealed, name) in [(false, STUBBED), (true, SEALED)] {
        let Some(rule) = admitted(&sandbox, name) else { continue };
        for expected in &TABLE {
            let run = probe(&rule, expected.probe);
            let (lines, end) = (log(&run), if sealed { expected.sealed } else { expected.stubbed });
            let mut rest = lines.iter();
            let has_text = expected.log.iter().all(|part| rest.any(|line| line.contains(part)));
            if run.verdict.to_string() != end || !has_text {
                wrong.push(format!("{name}, {}: {}\n{lines:#?}", expected.probe, run.verdict));
            }
            assert_eq!(probe(&rule, expected.probe), run, "{name}, {}: log, fuel and memory included", expected.probe);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn text_that_is_printed_is_cut_into_lines_of_valid_text_with_the_stub() {
    let sandbox = sandbox();
    let Some(rule) = admitted(&sandbox, STUBBED) else { return };
    let run = probe(&rule, "prints");
    let found: Vec<_> = run.log.iter().map(|line| (line.level, line.message.as_str())).collect();
    let expected = [
        (LogLevel::Info, "one line"),
        (LogLevel::Info, ""),
        (LogLevel::Warn, "hé ? ???"),
        (LogLevel::Info, "unfinished"),
    ];
    assert_eq!(found, expected);
    assert_eq!(log(&probe(&rule, "exit")), ["exit status 3"]);
}

/// Fuel that a rule which does nothing may use: the start of Go's runtime.
const START_FUEL_MAX: u64 = 25_000_000;
/// Memory of it.
const START_BYTES_MAX: u64 = 4 << 20;
const RUNS: u32 = 50;

#[test]
fn rule_in_go_that_does_nothing_starts_within_bounds() {
    let sandbox = sandbox();
    let Some(rule) = admitted(&sandbox, "go-empty") else { return };
    let run = rule.run(input(&rule)).unwrap();
    assert_eq!(run.verdict.to_string(), "produced 0 artifacts, 0 records");
    let (fuel, bytes) = (run.usage.used.get(Limit::Fuel), run.usage.used.get(Limit::MemoryBytes));
    let began = Instant::now();
    for _ in 0..RUNS {
        rule.run(input(&rule)).unwrap();
    }
    eprintln!("an empty rule in Go: {fuel} fuel, {bytes} bytes, {:?} a run", began.elapsed() / RUNS);
    assert!(fuel <= START_FUEL_MAX && bytes <= START_BYTES_MAX, "{fuel} fuel, {bytes} bytes");
}
