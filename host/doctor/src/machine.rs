//! The machine: processor, built-in rules, the limits' self-test, and the confinement of workers.

use std::{
    env, fs, io,
    process::{Command, Output, Stdio},
    thread,
};

use refiner_diagnostics::ErrorChain;
use refiner_rule_model::engine::WASMTIME_VERSION;
use refiner_sandbox::{EngineProfile, Sandbox};
use refiner_worker::{ChildCommand, Confinement, Outcome, Requirement, Unconfined, WORKER_ARGUMENT, probe};
use serde::Deserialize;

use crate::{builtin, preflight::Check};

/// The remedy for what this program does at fault.
const REPORT: &str = "please report it, with the output of `refiner doctor --json`";

const CONFINEMENT: &str = "confinement";

/// Everything about this machine. The self-test runs guests in this process, so it must not hold a key.
pub fn checks(required: Requirement) -> Vec<Check> {
    let machine = [program(), processor(has_sha()), rules(&builtin::names()), limits(self_test())];
    let probed = probe(&ChildCommand::this_program(WORKER_ARGUMENT)).map_err(|error| ErrorChain(&error).to_string());
    machine.into_iter().chain(confinement(required, probed)).collect()
}

/// The same, found out by another process of this program, which gets no environment.
pub fn checks_apart(required: Requirement) -> Vec<Check> {
    // The path of a program that was replaced since the start leads nowhere.
    let path = env::current_exe().ok().filter(|path| fs::exists(path).unwrap_or(false));
    let mut command = Command::new(path.unwrap_or_else(|| "/proc/self/exe".into()));
    command.args(["doctor", "--json", "--require-confinement", required.as_str()]);
    command.env_clear().current_dir("/").stdin(Stdio::null()).stderr(Stdio::null());
    of_another_process(command.output())
}

#[derive(Deserialize)]
struct Report {
    checks: Vec<Check>,
}

fn of_another_process(ended: io::Result<Output>) -> Vec<Check> {
    let failed = |detail: String| vec![Check::error("machine", detail, REPORT)];
    match ended {
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

fn processor(has_sha: bool) -> Check {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if has_sha {
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

fn rules(names: &str) -> Check {
    if names.is_empty() {
        return Check::warning("built-in rules", "none", "run `cargo xtask rules`, then build the program again");
    }
    Check::ok("built-in rules", names)
}

/// A spinning and a growing guest must both be stopped.
fn self_test() -> Result<(), String> {
    match Sandbox::new(EngineProfile::of_this_process()) {
        Ok(sandbox) => sandbox.self_test().map_err(|error| ErrorChain(&error).to_string()),
        Err(error) => Err(ErrorChain(&error).to_string()),
    }
}

fn limits(tested: Result<(), String>) -> Check {
    match tested {
        Ok(()) => Check::ok("limits", "stop a guest that spins and one that eats memory"),
        Err(error) => Check::error("limits", error, "run no rules on this machine; compare it with a supported one"),
    }
}

fn confinement(required: Requirement, probed: Result<Confinement, String>) -> Vec<Check> {
    let confinement = match probed {
        Ok(confinement) => confinement,
        Err(error) => return vec![Check::error("worker", error, REPORT)],
    };
    let check = |(measure, outcome): (_, &Outcome)| {
        let of_measure = format!("worker {measure}");
        match outcome {
            Outcome::Applied { detail } => Check::ok(of_measure, detail.as_str()),
            Outcome::Unavailable { reason } => Check::warning(
                of_measure,
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
    if let Err(unconfined) = required.check(confinement) {
        return Check::error(CONFINEMENT, unconfined.to_string(), Unconfined::HINT);
    }
    match (required, Requirement::Filter.check(confinement)) {
        (Requirement::None, Err(unconfined)) => {
            let detail = format!("none is required; {unconfined}");
            Check::warning(CONFINEMENT, detail, "run no rule of a stranger here")
        }
        (Requirement::None, Ok(())) => {
            Check::ok(CONFINEMENT, "workers filter their system calls; the rules here need no confinement")
        }
        (Requirement::Filter | Requirement::Full, _) => {
            Check::ok(CONFINEMENT, format!("workers have it as required: {}", required.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

    use super::*;
    use crate::preflight::State;

    #[test]
    fn processor_without_sha_and_a_build_without_rules_are_warnings() {
        assert_eq!((processor(true).state, processor(false).state), (State::Ok, State::Warning));
        assert_eq!((rules("a, b").state, rules("").state), (State::Ok, State::Warning));
        assert_eq!(program().state, State::Ok);
    }

    #[test]
    fn limits_that_do_not_stop_a_guest_and_a_worker_that_does_not_start_are_errors() {
        let broken = limits(Err("a guest was not stopped".to_owned()));
        assert_eq!((broken.state, broken.detail.as_str()), (State::Error, "a guest was not stopped"));
        assert_eq!(limits(Ok(())).state, State::Ok);
        let none = confinement(Requirement::None, Err("no process".to_owned()));
        assert_eq!(none, [Check::error("worker", "no process", REPORT)]);
    }

    #[test]
    fn confinement_is_judged_by_what_is_required() {
        let of = |required| confinement(required, Ok(Confinement::default())).remove(0).state;
        assert_eq!(of(Requirement::None), State::Warning);
        assert_eq!((of(Requirement::Filter), of(Requirement::Full)), (State::Error, State::Error));
    }

    #[test]
    fn machine_whose_checks_end_otherwise_than_with_a_report_is_an_error() {
        let ended =
            |stdout: &[u8]| Output { status: ExitStatus::from_raw(9), stdout: stdout.into(), stderr: Vec::new() };
        for failed in [of_another_process(Ok(ended(b""))), of_another_process(Err(io::ErrorKind::NotFound.into()))] {
            assert!(failed.len() == 1 && failed[0].name == "machine" && failed[0].state == State::Error, "{failed:?}");
        }
        let report = br#"{"checks": [{"name": "limits", "state": "ok", "detail": "x", "remedy": null}]}"#;
        assert_eq!(of_another_process(Ok(ended(report))), [Check::ok("limits", "x")]);
    }
}
