//! `refiner doctor`: what this machine gives, found out by trying.

mod nodes;

use std::thread;

use refiner_diagnostics::{ErrorChain, ExitCode, Failure};
use refiner_sandbox::{EngineProfile, Sandbox, WASMTIME_VERSION};
use refiner_worker::{ChildCommand, Outcome, WORKER_ARGUMENT, probe};
use serde::Serialize;

use crate::{
    builtin, cli,
    terminal::{self, EscapingStdout, PrintError},
};

/// What was looked at and how it is.
#[derive(Serialize)]
struct Finding {
    what: String,
    state: State,
    detail: String,
}

/// How it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Good,
    /// Works, and is less than it could be.
    Weak,
    /// Does not work.
    Bad,
}

/// Looks at everything and prints it.
pub fn run(arguments: &cli::Run, json: bool) -> Result<ExitCode, Failure> {
    let nodes = nodes::findings(arguments)?;
    let findings = [program(), processor(), rules(), engine()].into_iter().chain(confinement()).chain(nodes);
    let findings: Vec<Finding> = findings.collect();
    let worst = findings.iter().map(|finding| finding.state).max().unwrap_or(State::Good);
    let stdout = &mut terminal::out(json);
    if json {
        stdout.json_line(&serde_json::json!({ "findings": findings }))?;
    } else {
        print(&findings, worst, stdout)?;
    }
    Ok(if worst == State::Bad { ExitCode::Host } else { ExitCode::Done })
}

fn print(findings: &[Finding], worst: State, out: &mut EscapingStdout) -> Result<(), PrintError> {
    for Finding { what, state, detail } in findings {
        writeln!(out, "{:<4}  {what:<24}  {detail}", state.mark())?;
    }
    writeln!(out, "\n{}", worst.in_words())
}

impl State {
    const fn mark(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Weak => "weak",
            Self::Bad => "BAD",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Good => "This machine can run rules of strangers.",
            Self::Weak => "This machine can run rules; what is weak takes away a layer of protection or some speed.",
            Self::Bad => "This machine must not run rules before what is bad is mended.",
        }
    }
}

impl Finding {
    fn new(what: impl Into<String>, state: State, detail: impl Into<String>) -> Self {
        Self { what: what.into(), state, detail: detail.into() }
    }
}

fn program() -> Finding {
    Finding::new("program", State::Good, format!("refiner {}, wasmtime {WASMTIME_VERSION}", env!("CARGO_PKG_VERSION")))
}

fn processor() -> Finding {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if has_sha() {
        Finding::new("processor", State::Good, format!("{cores} cores, SHA instructions"))
    } else {
        let detail = format!("{cores} cores, no SHA instructions: hashing a specimen takes as long as executing it");
        Finding::new("processor", State::Weak, detail)
    }
}

#[cfg(target_arch = "x86_64")]
fn has_sha() -> bool {
    std::arch::is_x86_feature_detected!("sha")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_sha() -> bool {
    false
}

fn rules() -> Finding {
    if builtin::RULES.is_empty() {
        let detail = "none: run `cargo xtask rules`, then build the program again";
        return Finding::new("built-in rules", State::Weak, detail);
    }
    Finding::new("built-in rules", State::Good, builtin::names())
}

/// A spinning and a growing guest must both be stopped.
fn engine() -> Finding {
    let profile = EngineProfile::default();
    let sandbox = match Sandbox::new(profile) {
        Ok(sandbox) => sandbox,
        Err(error) => return Finding::new("engine", State::Bad, ErrorChain(&error).to_string()),
    };
    match sandbox.self_test() {
        Ok(()) => Finding::new("engine", State::Good, "stops a guest that spins and one that eats memory"),
        Err(error) => Finding::new("engine", State::Bad, ErrorChain(&error).to_string()),
    }
}

fn confinement() -> Vec<Finding> {
    match probe(&ChildCommand::this_program(WORKER_ARGUMENT)) {
        Ok(confinement) => confinement
            .iter()
            .map(|(measure, outcome)| match outcome {
                Outcome::Applied { detail } => Finding::new(format!("worker {measure}"), State::Good, detail.as_str()),
                Outcome::Unavailable { reason } => {
                    Finding::new(format!("worker {measure}"), State::Weak, reason.as_str())
                }
            })
            .collect(),
        Err(error) => vec![Finding::new("worker", State::Bad, ErrorChain(&error).to_string())],
    }
}
