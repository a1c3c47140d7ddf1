//! Confinement that is required and missing: rules that are not built in do not run, and the program states why.
//!
//! What a kernel lacks is played by a filter of system calls of the thread that starts the program.

use std::{collections::BTreeMap, process::Stdio, thread};

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use crate::{
    component,
    program::{Ended, command, samples, text},
};

/// Something that a kernel or a container does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Seccomp,
    Landlock,
    Namespaces,
    /// Threads and processes beyond those that are there, as at a limit of the system.
    Threads,
}
use Missing::{Landlock, Namespaces, Seccomp, Threads};

const ALL: [Missing; 3] = [Seccomp, Landlock, Namespaces];
/// Every flag of clone and unshare that makes a namespace.
const NAMESPACES: u64 = 0x7e02_0080;

/// The flag of clone that makes a thread and no process.
const CLONE_THREAD: u64 = 0x1_0000;

/// Answers with this error, always or where the condition holds.
type Denials = Vec<(libc::c_int, i64, Option<SeccompCondition>)>;

fn denials(missing: Missing) -> Denials {
    let is = |place, operator, value| Some(SeccompCondition::new(place, Dword, operator, value).unwrap());
    match missing {
        Seccomp => {
            vec![(libc::ENOSYS, libc::SYS_seccomp, None), (libc::EINVAL, libc::SYS_prctl, is(0, SeccompCmpOp::Eq, 22))]
        }
        Landlock => vec![
            (libc::ENOSYS, libc::SYS_landlock_create_ruleset, None),
            (libc::ENOSYS, libc::SYS_landlock_add_rule, None),
            (libc::ENOSYS, libc::SYS_landlock_restrict_self, None),
        ],
        Namespaces => vec![
            (libc::EPERM, libc::SYS_unshare, None),
            (libc::EPERM, libc::SYS_setns, None),
            (libc::ENOSYS, libc::SYS_clone3, None),
        ],
        Threads => vec![
            (libc::EAGAIN, libc::SYS_clone, is(0, SeccompCmpOp::MaskedEq(CLONE_THREAD), CLONE_THREAD)),
            (libc::ENOSYS, libc::SYS_clone3, None),
        ],
    }
}

fn filters(missing: &[Missing]) -> Vec<BpfProgram> {
    let mut by_error: BTreeMap<libc::c_int, BTreeMap<i64, Vec<SeccompRule>>> = BTreeMap::new();
    for (error, call, condition) in missing.iter().flat_map(|missing| denials(*missing)) {
        let rules = condition.map(|condition| SeccompRule::new(vec![condition]).unwrap()).into_iter().collect();
        by_error.entry(error).or_default().insert(call, rules);
    }
    if missing.contains(&Namespaces) {
        let flags = (0..32).map(|bit| 1_u64 << bit).filter(|flag| NAMESPACES & flag != 0);
        let has = |flag| SeccompCondition::new(0, Dword, SeccompCmpOp::MaskedEq(flag), flag).unwrap();
        let rules = flags.map(|flag| SeccompRule::new(vec![has(flag)]).unwrap()).collect();
        by_error.entry(libc::EPERM).or_default().insert(libc::SYS_clone, rules);
    }
    let program = |(error, rules): (libc::c_int, _)| {
        let denied = SeccompAction::Errno(error.cast_unsigned());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, TargetArch::x86_64).unwrap();
        filter.try_into().unwrap()
    };
    // What denies the installation of filters is installed last.
    let mut denied: Vec<_> = by_error.into_iter().collect();
    denied.sort_by_key(|(_, calls)| calls.contains_key(&libc::SYS_seccomp));
    denied.into_iter().map(program).collect()
}

/// Runs the program where this is missing.
fn without(missing: &[Missing], arguments: &[&str]) -> Ended {
    let programs = filters(missing);
    thread::scope(|scope| {
        let run = || {
            // A thread's filters are those of the processes that it starts, and end with it.
            for program in &programs {
                apply_filter(program).unwrap();
            }
            let output = command(arguments).stdin(Stdio::null()).output().unwrap();
            Ended {
                code: output.status.code().unwrap_or(-1),
                stdout: output.stdout,
                stderr: String::from_utf8(output.stderr).unwrap(),
            }
        };
        scope.spawn(run).join().unwrap()
    })
}

const QUIET: &str = r#"
(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 0)))"#;

/// A stranger's rule in a file.
fn stranger() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stranger.wasm");
    std::fs::write(&path, component::component(QUIET)).unwrap();
    let path = text(&path).to_owned();
    (directory, path)
}

#[test]
fn stranger_runs_nowhere_without_the_filter_of_system_calls_and_the_reason_is_stated() {
    let (directory, rule) = stranger();
    let (specimen, data) = (samples().remove(0), directory.path().join("data"));
    let (specimen, data) = (text(&specimen), text(&data));
    let node = ["--network", "moonbeam", "--rpc", "http://127.0.0.1:9", "--prove", "none", "--data", data];
    let daemon = [&["run", "--rule", &rule], node.as_slice()].concat();
    let commands: [&[&str]; 4] = [
        &["rule", "check", &rule],
        &["rule", "run", &rule, specimen],
        &["replay", specimen, "--isolate", "--rule", &rule],
        &daemon,
    ];
    for command in commands {
        for missing in [&[Seccomp][..], &ALL] {
            let stderr = without(missing, command).expect(5).stderr;
            assert!(stderr.contains("need the confinement 'filter', and a worker here lacks seccomp ("), "{stderr}");
            assert!(stderr.contains("`none` runs such rules without a filter of system calls"), "{stderr}");
        }
    }
    // Their code is compiled now, and kept; they run, and are refused again, all the same.
    for command in &commands[..3] {
        without(&[Landlock, Namespaces], command).expect(0);
        without(&ALL, &[command, ["--require-confinement", "none"].as_slice()].concat()).expect(0);
        without(&[Seccomp], command).expect(5);
    }
}

#[test]
fn built_in_rules_run_without_any_confinement() {
    let specimen = samples().remove(0);
    let specimen = text(&specimen);
    let commands: [&[&str]; 3] = [
        &["rule", "check", "block-result"],
        &["rule", "run", "block-result", specimen],
        &["replay", specimen, "--isolate", "--require-confinement", "full"],
    ];
    for command in commands {
        without(&ALL, command).expect(0);
    }
}

#[test]
fn full_confinement_needs_landlock_and_namespaces_too() {
    let (_directory, rule) = stranger();
    let check = ["rule", "check", &rule, "--require-confinement", "full"];
    for (missing, layer) in [(Seccomp, "seccomp ("), (Landlock, "landlock ("), (Namespaces, "network namespace (")] {
        let stderr = without(&[missing], &check).expect(5).stderr;
        assert!(stderr.contains("need the confinement 'full'") && stderr.contains(layer), "{stderr}");
    }
    without(&[], &check).expect(if namespaces_are_there() { 0 } else { 5 });
}

/// False in containers and on kernels that have none for this user.
fn namespaces_are_there() -> bool {
    let doctor = without(&[], &["doctor", "--json"]).expect(0).json_lines().remove(0);
    let checks = doctor["checks"].as_array().unwrap();
    let network = checks.iter().find(|check| check["name"] == "worker network namespace").unwrap();
    network["state"] == "ok"
}

#[test]
fn doctor_ends_with_an_error_where_the_required_confinement_is_missing() {
    let check = |missing: &[Missing], options: &[&str], code: i32, state: &str| {
        let line = without(missing, &[&["doctor", "--json"], options].concat()).expect(code).json_lines().remove(0);
        let checks = line["checks"].as_array().unwrap();
        let confinement = checks.iter().find(|check| check["name"] == "confinement").unwrap();
        assert_eq!(confinement["state"], state, "{confinement}");
        assert_eq!(confinement["remedy"].is_null(), state == "ok", "{confinement}");
    };
    check(&[Landlock, Namespaces], &[], 0, "ok");
    check(&[Seccomp], &[], 5, "error");
    check(&[Landlock], &["--require-confinement", "full"], 5, "error");
    check(&[Seccomp], &["--require-confinement", "none"], 0, "warning");
    check(&[], &["--require-confinement", "none"], 0, "ok");
}

#[test]
fn missing_threads_are_a_failure_of_the_host() {
    let (_directory, rule) = stranger();
    let specimen = samples().remove(0);
    let specimen = text(&specimen);
    let commands: [&[&str]; 4] = [
        &["replay", specimen],
        &["replay", specimen, "--rule", &rule, "--isolate"],
        &["rule", "check", &rule],
        &["rule", "run", &rule, specimen],
    ];
    for command in commands {
        let stderr = without(&[Threads], command).expect(5).stderr;
        assert!(stderr.contains("thread"), "{command:?}: {stderr}");
    }
}

#[test]
fn replay_in_this_process_refuses_to_promise_a_confinement() {
    let (_directory, rule) = stranger();
    let specimen = samples().remove(0);
    let replay = ["replay", text(&specimen), "--rule", &rule];
    without(&[Seccomp], &replay).expect(0);
    without(&[], &[&replay[..], &["--require-confinement", "none"]].concat()).expect(0);
    let stderr = without(&[], &[&replay[..], &["--require-confinement", "filter"]].concat()).expect(2).stderr;
    assert!(stderr.contains("add --isolate"), "{stderr}");
}
