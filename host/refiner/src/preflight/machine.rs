//! The machine: processor, built-in rules, the limits' self-test, and the confinement of workers.

use std::{
    env, fs,
    process::{Command, Stdio},
    thread,
};

use refiner_diagnostics::ErrorChain;
use refiner_sandbox::{EngineProfile, Sandbox, WASMTIME_VERSION};
use refiner_worker::{ChildCommand, Confinement, Outcome, Requirement, Unconfined, WORKER_ARGUMENT, probe};
use serde::Deserialize;

use super::Check;
use crate::{builtin, run::config::Settings};

/// The remedy for what this program does at fault.
const REPORT: &str = "please report it, with the output of `refiner doctor --json`";

/// Everything about this machine. The self-test runs guests in this process, so it must not hold a key.
pub fn checks(required: Requirement) -> Vec<Check> {
    [program(), processor(), rules(), limits()].into_iter().chain(confinement(required)).collect()
}

/// The confinement that the rules of a daemon need: none where all are built in.
pub fn requirement(settings: &Settings) -> Requirement {
    settings.allowance.requirement(settings.rules.iter().all(|rule| builtin::rule(rule).is_some()))
}

/// The same, found out by another process of this program, which gets no environment.
pub fn checks_apart(required: Requirement) -> Vec<Check> {
    #[derive(Deserialize)]
    struct Report {
        checks: Vec<Check>,
    }
    // The path of a program that was replaced since the start leads nowhere.
    let path = env::current_exe().ok().filter(|path| fs::exists(path).unwrap_or(false));
    let mut command = Command::new(path.unwrap_or_else(|| "/proc/self/exe".into()));
    command.args(["doctor", "--json", "--require-confinement", required.as_str()]);
    command.env_clear().current_dir("/").stdin(Stdio::null()).stderr(Stdio::null());
    let failed = |detail: String| vec![Check::error("machine", detail, REPORT)];
    match command.output() {
        Ok(output) => match serde_json::from_slice::<Report>(&output.stdout) {
            Ok(report) => report.checks,
            Err(error) => failed(format!("the checks of this machine ended with {}: {error}", output.status)),
        },
        Err(error) => failed(format!("the checks of this machine do not start: {error}")),
    }
}

fn program() -> Check {
    Check::ok("program", format!("refiner {}, wasmtime {WASMTIME_VERSION}", env!("CARGO_PKG_VERSION")))
}

fn processor() -> Check {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if has_sha() {
        return Check::ok("processor", format!("{cores} cores, SHA instructions"));
    }
    let detail = format!("{cores} cores, no SHA instructions: hashing a specimen takes as long as executing it");
    Check::warning("processor", detail, "use a processor of 2017 or later where throughput matters")
}

#[cfg(target_arch = "x86_64")]
fn has_sha() -> bool {
    std::arch::is_x86_feature_detected!("sha")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_sha() -> bool {
    false
}

fn rules() -> Check {
    if builtin::RULES.is_empty() {
        return Check::warning("built-in rules", "none", "run `cargo xtask rules`, then build the program again");
    }
    Check::ok("built-in rules", builtin::names())
}

/// A spinning and a growing guest must both be stopped.
fn limits() -> Check {
    let tested = match Sandbox::new(EngineProfile::of_this_process()) {
        Ok(sandbox) => sandbox.self_test().map_err(|error| ErrorChain(&error).to_string()),
        Err(error) => Err(ErrorChain(&error).to_string()),
    };
    match tested {
        Ok(()) => Check::ok("limits", "stop a guest that spins and one that eats memory"),
        Err(error) => Check::error("limits", error, "run no rules on this machine; compare it with a supported one"),
    }
}

fn confinement(required: Requirement) -> Vec<Check> {
    let confinement = match probe(&ChildCommand::this_program(WORKER_ARGUMENT)) {
        Ok(confinement) => confinement,
        Err(error) => return vec![Check::error("worker", ErrorChain(&error).to_string(), REPORT)],
    };
    let check = |(measure, outcome): (_, &Outcome)| {
        let name = format!("worker {measure}");
        match outcome {
            Outcome::Applied { detail } => Check::ok(name, detail.as_str()),
            Outcome::Unavailable { reason } => Check::warning(
                name,
                reason.as_str(),
                "a layer of protection less, the others hold; give the container or the kernel what is missing",
            ),
        }
    };
    let layers = confinement.iter().map(|(measure, outcome)| check((measure.to_string(), outcome)));
    [level(required, &confinement)].into_iter().chain(layers).collect()
}

/// The confinement as a whole, against what is required.
fn level(required: Requirement, confinement: &Confinement) -> Check {
    let name = "confinement";
    if let Err(unconfined) = required.check(confinement) {
        return Check::error(name, unconfined.to_string(), Unconfined::HINT);
    }
    match (required, Requirement::Filter.check(confinement)) {
        (Requirement::None, Err(unconfined)) => {
            let detail = format!("none is required; {unconfined}");
            Check::warning(name, detail, "run no rule of a stranger here")
        }
        (Requirement::None, Ok(())) => {
            Check::ok(name, "workers filter their system calls; the rules here need no confinement")
        }
        (Requirement::Filter | Requirement::Full, _) => {
            Check::ok(name, format!("workers have it as required: {}", required.as_str()))
        }
    }
}
