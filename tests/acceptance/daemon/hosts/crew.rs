//! A coordinator with its content server, and worker hosts as processes with stores of their own.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use refiner_queue::TaskId;
use serde_json::{Value, json};

use super::program;
use crate::{bench::Bench, specimens::Given};

/// Time after which a silent host's task goes to another, in these tests.
pub const ACK_WAIT_S: u64 = 2;

/// Worker hosts and the content server that they fetch from.
pub struct Crew {
    pub queue: String,
    pub from: String,
    directory: PathBuf,
    /// The content server, where the coordinator is none.
    server: Option<Child>,
    hosts: Vec<Host>,
}

/// One worker host.
pub struct Host {
    pub name: String,
    arguments: Vec<String>,
    data: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Crew {
    /// Makes the bench's daemon a coordinator without workers, over these servers.
    pub fn of(bench: &mut Bench, queue: &str) -> Self {
        let seconds = |seconds: u64| format!("{seconds}s");
        bench.flags.extend(
            ["--queue", queue, "--host-origin", "127.0.0.0/8", "--workers", "0"].into_iter().map(str::to_owned),
        );
        bench.flags.extend([
            "--queue-ack-wait".to_owned(),
            seconds(ACK_WAIT_S),
            "--queue-sweep".to_owned(),
            seconds(4),
        ]);
        let mut server = Command::new(program())
            .args(["content", "serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&bench.data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut from = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut from).unwrap();
        let directory = bench.directory.path().to_owned();
        Self {
            queue: queue.to_owned(),
            from: from.trim().to_owned(),
            directory,
            server: Some(server),
            hosts: Vec::new(),
        }
    }

    /// Hosts of a replay, which serves at this address itself.
    pub fn of_replay(directory: &Path, queue: &str, from: &str) -> Self {
        let (queue, from) = (queue.to_owned(), from.to_owned());
        Self { queue, from, directory: directory.to_owned(), server: None, hosts: Vec::new() }
    }

    /// Starts a host of this name, with more flags.
    pub fn hire(&mut self, name: &str, flags: &[&str]) {
        let data = self.directory.join(format!("host-{name}"));
        crate::bench::share_code_of(&data);
        let mut arguments: Vec<_> = ["work", "--queue", &self.queue, "--from", &self.from, "--host-name", name]
            .into_iter()
            .chain(["--workers", "1"])
            .map(str::to_owned)
            .collect();
        if !flags.contains(&"--listen") {
            arguments.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
        }
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let log = self.directory.join(format!("host-{name}.log"));
        let mut host = Host { name: name.to_owned(), arguments, data, log, child: None };
        host.start(&[]);
        self.hosts.push(host);
    }

    /// The content server.
    pub fn server_pid(&self) -> u32 {
        self.server.as_ref().unwrap().id()
    }

    pub fn host(&mut self, name: &str) -> &mut Host {
        self.hosts.iter_mut().find(|host| host.name == name).unwrap()
    }

    /// The logs of every host.
    pub fn logs(&self) -> String {
        self.hosts.iter().map(|host| format!("--- {}\n{}", host.name, host.log())).collect()
    }
}

impl Host {
    pub fn start(&mut self, environment: &[(&str, &Path)]) {
        let log = || File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(program());
        command.args(&self.arguments).arg("--data").arg(&self.data).envs(environment.iter().copied());
        command.env("REFINER_LOG", "info").stdin(Stdio::null()).stdout(log()).stderr(log());
        assert!(self.child.replace(command.spawn().unwrap()).is_none(), "it runs already");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.as_ref().unwrap().id()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Specimens that came to their end there.
    pub fn completed(&self) -> usize {
        self.log().matches("task completed").count()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// The queue in the daemon's status.
pub fn queue(bench: &Bench) -> Value {
    bench.status().map(|status| status["now"]["queue"].clone()).unwrap_or_default()
}

/// A result as a host would publish it, of a specimen for the rule of this identity.
pub fn forged(given: &Given, rule: alloy_primitives::B256, worker: &str, outcome: &Value, from: &str) -> Vec<u8> {
    let result = json!({
        "v": 3,
        "task": TaskId::of(given.chain, given.hash, rule),
        "attempt": "0.0",
        "chain": given.chain,
        "specimen": given.hash,
        "rule": rule,
        "worker": worker,
        "version": "0.1.0",
        "outcome": outcome,
        "from": [from],
        "delivered": 1,
        "elapsedMs": 1,
    });
    serde_json::to_vec(&result).unwrap()
}
