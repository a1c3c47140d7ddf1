//! `refiner devnet`: the whole network by one command.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use refiner_testchain::TestChainError;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Time limit for anything that must happen, the compilation of the rules included.
const PATIENCE: Duration = Duration::from_secs(240);
const LOOK: Duration = Duration::from_millis(200);

struct Devnet {
    process: Child,
    directory: tempfile::TempDir,
}

impl Devnet {
    fn start(listen: &str, flags: &[&str]) -> Option<Self> {
        let anvil = match refiner_testchain::anvil() {
            Err(missing @ TestChainError::NoNpm { .. }) if std::env::var_os("CI").is_none() => {
                #[allow(clippy::print_stderr)]
                {
                    eprintln!("skipped: {missing}");
                }
                return None;
            }
            found => found.unwrap(),
        };
        let directory = tempfile::tempdir().unwrap();
        let output = || File::options().create(true).append(true).open(directory.path().join("output")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_refiner"))
            // An address of its own, on which its usual ports are free.
            .args(["devnet", "--rate", "60", "--listen", listen, "--anvil"])
            .arg(anvil)
            .arg("--dir")
            .arg(directory.path().join("data"))
            .args(flags)
            // A devnet has its own settings, whatever an operator's shell exports.
            .env("REFINER_FORMAT", "canonical")
            .env("REFINER_RPC", "http://127.0.0.1:1")
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()
            .unwrap();
        let mut devnet = Self { process, directory };
        devnet.until("the table is printed", |devnet| devnet.output().contains("ctrl-c ends everything"));
        Some(devnet)
    }

    fn output(&self) -> String {
        fs::read_to_string(self.directory.path().join("output")).unwrap_or_default()
    }

    /// The value of a row of the table.
    fn row(&self, name: &str) -> String {
        let output = self.output();
        let row = output.lines().find_map(|line| line.strip_prefix(name).filter(|rest| rest.starts_with(' ')));
        row.unwrap_or_else(|| panic!("{name} in\n{output}")).split_whitespace().next().unwrap().to_owned()
    }

    fn get(&self, path: &str) -> Option<String> {
        let page = self.row("status page");
        let address = page.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_owned())
    }

    fn status(&self) -> Option<Value> {
        serde_json::from_str(&self.get("/status")?).ok()
    }

    fn count(&self, state: &str) -> u64 {
        self.status().and_then(|status| status["journal"]["items"][state].as_u64()).unwrap_or(0)
    }

    #[track_caller]
    fn until(&mut self, what: &str, mut seen: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !seen(self) {
            let ended = self.process.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "{what}: not so; {ended:?}\n{}\n{}\nstatus {:?}",
                self.output(),
                self.logs(),
                self.status()
            );
            std::thread::sleep(LOOK);
        }
    }

    fn logs(&self) -> String {
        let data = self.directory.path().join("data");
        let tail = |name: &str| {
            let text = fs::read_to_string(data.join(name)).unwrap_or_default();
            format!("{name}:\n{}", text.lines().rev().take(15).collect::<Vec<_>>().join("\n"))
        };
        ["daemon.log", "content.log", "evm.log", "node.log"].map(tail).join("\n")
    }

    /// Processes that belong to it: each names its directory, or writes into it.
    fn processes(&self) -> Vec<(u32, String)> {
        let own = self.directory.path().display().to_string();
        let mine = |pid: u32| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
            let output = ["1", "2"].map(|fd| fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap_or_default());
            let writes = output.iter().any(|file| file.starts_with(&own));
            (writes || arguments.contains(&own)).then_some((pid, arguments))
        };
        let all = fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| mine(entry.file_name().to_str()?.parse().ok()?)).collect()
    }

    fn end(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end\n{}", self.output());
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
            let _ = self.process.wait();
        }
    }
}

#[test]
fn devnet_proves_what_it_announces_shows_it_and_leaves_no_process() {
    let Some(mut devnet) = Devnet::start("127.77.0.1", &[]) else { return };
    // Each of the three samples in its turn.
    devnet.until("six specimens are proved", |devnet| devnet.count("final") >= 6);
    let status = devnet.status().unwrap();
    for state in ["refused", "quarantined", "skipped", "waiting"] {
        assert_eq!(status["journal"]["items"][state].as_u64().unwrap_or(0), 0, "{state}: {status}");
    }
    let page = devnet.get("/").unwrap();
    assert!(page.contains("Proving: ") && page.contains("<dt>proofs final</dt><dd>"), "{page}");
    assert!(page.contains(&devnet.row("operator")), "{page}");
    assert!(devnet.processes().len() >= 5, "{:?}", devnet.processes());
    devnet.until("a session was finalized", |devnet| {
        devnet.status().is_some_and(|status| status["journal"]["sessions"]["finalized"].as_u64() > Some(0))
    });
    assert_eq!(devnet.end(Signal::INT), Some(0), "{}", devnet.output());
    assert_eq!(devnet.processes(), []);
}

#[test]
fn devnet_plays_each_trouble_and_the_status_names_it_with_its_remedy() {
    let Some(mut devnet) = Devnet::start("127.77.0.2", &["--faults", "--fault-seconds", "14"]) else { return };
    let waits = |devnet: &Devnet, parts: &[&str], remedy: &str| {
        let Some(status) = devnet.status() else { return false };
        let of = |part: &&str| status["now"]["waitsFor"][*part]["hint"].as_str().map(str::to_owned);
        parts.iter().filter_map(of).any(|hint| hint.contains(remedy))
    };
    devnet.until("proofs come first", |devnet| devnet.count("final") >= 1);
    devnet.until("the pinner is down", |devnet| waits(devnet, &["pinner"], "start it, or name another by --pinner"));
    devnet.until("the node fails", |devnet| waits(devnet, &["scan", "prove"], "add another node by --rpc"));
    devnet.until("the balance is low", |devnet| {
        let paused = |status: Value| {
            status["now"]["paused"]["hint"].as_str().is_some_and(|hint| hint.contains("send the proof chain's coin"))
        };
        devnet.status().is_some_and(paused) && devnet.get("/").is_some_and(|page| page.contains("Proving is paused"))
    });
    devnet.until("the head stands still", |devnet| waits(devnet, &["head"], "compare the node with another"));
    let before = devnet.count("final");
    devnet.until("proofs come again", |devnet| devnet.count("final") > before);
    assert_eq!(devnet.end(Signal::TERM), Some(0), "{}", devnet.output());
    assert_eq!(devnet.processes(), []);
}

#[test]
fn devnet_without_an_anvil_names_the_command_that_installs_it() {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .arg("devnet")
        .current_dir(empty.path())
        .env("PATH", PathBuf::new())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{error}");
    assert!(error.contains("npm install --prefix target/node @foundry-rs/anvil@"), "{error}");
}

#[test]
fn devnet_whose_node_ends_asks_for_a_directory_for_its_log_only_where_none_was_named() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("kept");
    for (flags, asks) in [(vec![], true), (vec!["--dir".into(), directory.into_os_string()], false)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
        let output = command.args(["devnet", "--anvil", "/bin/false"]).args(flags).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(5), "{error}");
        assert!(error.contains("its log is ") && error.contains("give --dir to keep the log") == asks, "{error}");
    }
}
