//! The program as the first process of a container, in a namespace of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// Time limit for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program with these arguments as process 1; nothing where namespaces cannot be had.
fn as_first_process(arguments: &[&str]) -> Option<Command> {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--mount-proc"]);
        command
    };
    let works = geteuid().is_root() && unshare().arg("true").status().is_ok_and(|status| status.success());
    if !works {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: a namespace of processes needs root");
        }
        return None;
    }
    let mut command = unshare();
    command.arg(env!("CARGO_BIN_EXE_refiner")).args(arguments);
    Some(command)
}

/// The one child of a process.
fn child_of(pid: u32) -> u32 {
    let begun = Instant::now();
    loop {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        if let Some(child) = children.split_whitespace().next() {
            return child.parse().unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "{pid} has no child");
    }
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// A service that runs, with the first process and the service's own.
fn serving() -> Option<(Child, u32, u32)> {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data").display().to_string();
    let mut serve = as_first_process(&["content", "serve", "--listen", "127.0.0.1:0", "--data", &data])?;
    let mut outer = serve.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(outer.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    let first = child_of(outer.id());
    Some((outer, first, child_of(first)))
}

#[test]
fn output_and_exit_code_are_those_of_the_command() {
    for (arguments, code, text) in [
        (&["health", "--address", "127.0.0.1:1"][..], 1, "unhealthy: "),
        (&["specimen", "inspect", "absent.avro"], 4, "error: absent.avro"),
        (&["no-such-command"], 2, "unrecognized subcommand"),
    ] {
        let Some(mut command) = as_first_process(arguments) else { return };
        let output = command.stdin(Stdio::null()).output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert!(printed.contains(text), "{printed}");
    }
}

#[test]
fn signal_reaches_the_command_although_the_kernel_gives_the_first_process_none() {
    for (sent, code) in [(Signal::TERM, 0), (Signal::INT, 0), (Signal::HUP, 0), (Signal::QUIT, 128 + 3)] {
        let Some((mut outer, first, _)) = serving() else { return };
        signal(first, sent);
        let status = outer.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(code), None), "{sent:?}");
    }
}

#[test]
fn command_that_is_killed_ends_the_container_with_its_signal() {
    let Some((mut outer, _, service)) = serving() else { return };
    signal(service, Signal::KILL);
    assert_eq!(outer.wait().unwrap().code(), Some(128 + 9));
}

#[test]
fn key_of_the_environment_is_in_no_environment_of_the_container() {
    const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data").display().to_string();
    let contract = "0x3402ce1e416e082ed3Ba3d9dcba10353F3b64499";
    let run = [
        "run",
        "--network",
        "custom",
        "--proof-chain-id",
        "1",
        "--rpc",
        "http://127.0.0.1:1",
        "--health",
        "127.0.0.1:0",
    ];
    let more = ["--specimen-contract", contract, "--result-contract", contract, "--data", &data];
    let Some(mut command) = as_first_process(&[&run[..], &more].concat()) else { return };
    command.env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", KEY).env("REFINER_LOG", "info");
    let mut outer = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(outer.stderr.take().unwrap()).lines().map_while(Result::ok);
    let warned = lines.any(|line| line.contains("the operator's key came through the environment"));
    assert!(warned, "the daemon has the key");
    let first = child_of(outer.id());
    for pid in [first, child_of(first)] {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
        let environment = String::from_utf8_lossy(&environment);
        assert!(environment.contains("REFINER_LOG=info") && !environment.contains(KEY), "{environment}");
    }
    // Whether the daemon listens to it already does not matter here.
    signal(first, Signal::TERM);
    outer.wait().unwrap();
}
