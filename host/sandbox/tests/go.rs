//! Programs of Go's own toolchain: how each ends that does what rules do not, with the stub of WASI and over sealed WASI.
//!
//! `cargo xtask twins` builds the components. Where there is no Go, the reason is printed.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

mod support;

use std::{fs, io};

use refiner_sandbox::{AdmittedRule, Grants, Limit, LogLevel, Params, Run, Sandbox, Verdict};
use support::{RunInput, input, sandbox, workspace};

/// Components of the probes: with the stub, and with the standard adapter.
const PROBES: [&str; 2] = ["go-probes", "go-probes-sealed"];

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

/// How a probe ends.
struct Expected {
    probe: &'static str,
    /// Under the stub, and under sealed WASI.
    verdicts: [&'static str; 2],
    /// Lines of the log, the first of them in their order.
    log: &'static [&'static str],
}

/// Exit under the stub: the status stands in the log.
const EXIT_2: [&str; 2] = ["trapped: unreachable", "trapped: exited with status 2 before it returned a result"];

const TABLE: &[Expected] = &[];

#[test]
fn probes_end_in_the_verdict_and_with_the_text_of_the_guide() {
    let sandbox = sandbox();
    for (manner, name) in PROBES.into_iter().enumerate() {
        let Some(rule) = admitted(&sandbox, name) else { continue };
        for expected in TABLE {
            let run = probe(&rule, expected.probe);
            let lines = log(&run);
            eprintln!("{name} {}: {}\n{lines:#?}", expected.probe, run.verdict);
        }
        for probe_name in [
            "panic",
            "nil",
            "index",
            "deadlock",
            "sleep",
            "exit",
            "memory",
            "loop",
            "recursion",
            "maps",
            "goroutines",
            "time",
            "environment",
            "files",
            "sockets",
            "prints",
        ] {
            let run = probe(&rule, probe_name);
            let lines = log(&run);
            eprintln!(
                "{manner} {name} {probe_name}: {}\n{:#?} {}",
                run.verdict,
                &lines[..lines.len().min(6)],
                lines.len()
            );
        }
    }
}
