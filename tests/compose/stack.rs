//! `compose/standalone.yml` on an engine, with a proof chain on this machine.

use std::{
    fs::{self, Permissions},
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, U256, b256, hex};
use refiner_testchain::{OPERATOR, OPERATOR_KEY, Setup, Specimen, TestChain};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    engine::{Engine, inside, must, repository, write},
    many_hosts::{self, NATS_IMAGE},
    node::forward,
    observability,
    specimens::Given,
};

/// Time limit for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(100);
/// Names the program to test in place of the one that was built with the tests.
const PROGRAM: &str = "REFINER_IMAGE_PROGRAM";
/// The user of the image.
pub const USER: &str = "65532";
pub const IMAGE: &str = "refiner-test";
/// Debian's Prometheus in the place of its makers' image.
pub const PROMETHEUS_IMAGE: &str = "refiner-test-prometheus";
/// `BlockResultProductionProofSubmitted`, docs/protocol.md, section 1.1.
const PROOF_SUBMITTED: B256 = b256!("508f479d80dbbd88c8372648a5a1cf88212d9a3e8aa0f7f516c32c6ae970ebbc");
/// Where the file publishes the daemon's health and metrics.
const HEALTH: &str = "127.0.0.1:9568";
/// The file with Prometheus and Grafana.
const OBSERVABILITY: &str = "observability.yml";
/// The file that the others go with.
const STANDALONE: &str = "standalone.yml";
/// Where it publishes the pinner's API.
pub const PINNER: &str = "http://127.0.0.1:5080";

/// Services of the file, running.
pub struct Stack {
    // Fields end in this order: containers before their engine.
    running: Running,
    pub chain: TestChain,
}

struct Running {
    engine: Engine,
    directory: tempfile::TempDir,
    project: String,
    files: Vec<&'static str>,
    /// Further arguments of `docker-compose up`.
    scale: Vec<String>,
}

impl Stack {
    /// Starts the services as an operator does, with the variables of the earlier refiner and further files of `compose`.
    pub async fn start(files: &[&'static str]) -> Option<Self> {
        Self::start_files(&[&[STANDALONE], files].concat(), &[]).await
    }

    /// The same of another file alone, some of whose services run several times.
    pub async fn start_scaled(file: &'static str, scale: &[&str]) -> Option<Self> {
        Self::start_files(&[file], scale).await
    }

    async fn start_files(files: &[&'static str], scale: &[&str]) -> Option<Self> {
        let engine = Engine::find_or_start()?;
        let chain = TestChain::start_or_skip(&Setup::default()).await.unwrap()?;
        let program = std::env::var_os(PROGRAM).map_or_else(|| env!("CARGO_BIN_EXE_refiner").into(), PathBuf::from);
        engine.build(&program, IMAGE);
        if files.contains(&OBSERVABILITY) {
            observability::image(&engine)?;
        }
        let is_of_hosts = !files.contains(&STANDALONE);
        if is_of_hosts {
            many_hosts::image(&engine)?;
        }
        let node = forward(&engine, chain.url()).await;
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("key");
        write(&key, OPERATOR_KEY);
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        must(Command::new("chown").arg(USER).arg(&key));
        let more = format!(
            "OPERATOR_KEY_FILE={}\nSECCOMP_PROFILE={}\n",
            key.display(),
            repository().join("compose/seccomp.json").display()
        );
        let variables = format!(
            "{more}BLOCK_RESULT_OPERATOR_PRIVATE_KEY={OPERATOR_KEY}\nNODE_ETHEREUM_MAINNET={node}\nMIX_ENV=docker\nBSP_PROOFCHAIN_ADDRESS={}\n\
             BRP_PROOFCHAIN_ADDRESS={}\nPROOFCHAIN_CHAIN_ID={}\nREFINER_IMAGE={IMAGE}\nREFINER_START=1\n\
             PROMETHEUS_IMAGE={PROMETHEUS_IMAGE}\nNATS_IMAGE={NATS_IMAGE}\n{}",
            chain.specimen_contract(),
            chain.result_contract(),
            chain.chain_id(),
            // Where there is no pinner beside the daemon, its own store is one.
            if is_of_hosts { "REFINER_PINNER=http://content:5080\n" } else { "" }
        );
        write(&directory.path().join(".env"), &variables);
        let inside = inside(directory.path());
        let inside = inside.display().to_string();
        let additions = if is_of_hosts { ADDITIONS_FOR_HOSTS.to_owned() } else { additions(&inside) };
        write(&directory.path().join("test.yml"), &additions);
        let project = format!("refiner-test-{}", std::process::id());
        let scale = scale.iter().map(|&argument| argument.to_owned()).collect();
        let running = Running { engine, directory, project, files: files.to_vec(), scale };
        let stack = Self { running, chain };
        stack.up();
        Some(stack)
    }

    /// `docker-compose ... up -d`.
    pub fn up(&self) {
        // A service that is named brings those it depends on, which neither of the others does.
        let services: &[_] = if self.running.files.contains(&OBSERVABILITY) { &["refiner", "prometheus"] } else { &[] };
        let scale: Vec<_> = self.running.scale.iter().map(String::as_str).collect();
        self.running.compose(&[&["up", "-d"], &scale[..], services].concat());
    }

    pub fn compose(&self, arguments: &[&str]) -> String {
        self.running.compose(arguments)
    }

    pub fn docker(&self, arguments: &[&str]) -> Command {
        self.running.engine.docker(arguments)
    }

    /// The container of a service.
    pub fn container(&self, service: &str) -> String {
        let labels = [("project", self.running.project.as_str()), ("service", service)];
        let labels = labels.map(|(label, value)| format!("label=com.docker.compose.{label}={value}"));
        must(&mut self.docker(&[
            "ps",
            "--all",
            "--no-trunc",
            "--quiet",
            "--filter",
            &labels[0],
            "--filter",
            &labels[1],
        ]))
    }

    /// Runs a command in the daemon's container, as the daemon's user.
    pub fn exec(&self, command: &[&str]) -> std::process::Output {
        let container = self.container("refiner");
        self.docker(&[&["exec", &container], command].concat()).output().unwrap()
    }

    /// The output of a command of the program in the daemon's container.
    pub fn must_exec(&self, arguments: &[&str]) -> String {
        must(&mut self.docker(&[&["exec", &self.container("refiner"), "/refiner"], arguments].concat()))
    }

    /// Starts a second daemon beside the first, without a key, as somebody does who compares results.
    pub fn start_trial(&self) -> String {
        let network = self.inspect("refiner", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}");
        let of_daemon = |name: &str| {
            let environment = self.inspect("refiner", "{{range .Config.Env}}{{println .}}{{end}}");
            environment.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
        };
        let mut run = self.docker(&["run", "--detach", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"]);
        run.args(["--volume", "/data", "--network", &network, "--add-host", "host.docker.internal:host-gateway"]);
        for name in [
            "MIX_ENV",
            "NODE_ETHEREUM_MAINNET",
            "BSP_",
            "BRP_",
            "PROOFCHAIN_CHAIN_ID",
            "REFINER_FORMAT",
            "REFINER_DEPTH",
        ] {
            run.args(["--env", &of_daemon(name)]);
        }
        // Specimens of a test are at the pinner alone.
        for variable in ["REFINER_PROVE=none", "REFINER_START=1", "IPFS_PINNER_URL=http://ewm-das:5080/"] {
            run.args(["--env", variable]);
        }
        must(run.arg(IMAGE))
    }

    /// A value of `docker inspect`.
    pub fn inspect(&self, service: &str, format: &str) -> String {
        must(&mut self.docker(&["inspect", "--format", format, &self.container(service)]))
    }

    pub fn log(&self) -> String {
        let output = self.docker(&["logs", &self.container("refiner")]).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Keeps the specimens at the pinner and announces them.
    pub async fn announce(&self, specimens: &[Given]) {
        let announced: Vec<_> = specimens.iter().map(|given| self.put(given)).collect();
        self.chain.announce_all(&announced).await.unwrap();
    }

    fn put(&self, given: &Given) -> Specimen {
        let path = self.running.directory.path().join("specimen");
        fs::write(&path, &given.bytes).unwrap();
        let mut put = Command::new(env!("CARGO_BIN_EXE_refiner"));
        put.args(["content", "put", "--pinner", PINNER]).arg("--data").arg(self.running.directory.path()).arg(&path);
        let printed = must(&mut put);
        let id = printed.split_whitespace().next().unwrap();
        Specimen {
            chain_id: given.chain,
            height: given.height,
            block_hash: given.block_hash,
            specimen_hash: given.hash,
            url: format!("ipfs://{}", id.trim_start_matches("ipfs://")),
        }
    }

    /// Waits until `seen`, and shows the daemon's log when that does not come.
    pub async fn until(&self, what: &str, mut seen: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !seen(self) {
            let status = self.get("/status");
            assert!(begun.elapsed() < PATIENCE, "{what}: not so\nstatus {status:?}\n{}", self.log());
            sleep(LOOK).await;
        }
    }

    pub async fn until_final(&self, count: u64) {
        self.until(&format!("{count} items are final"), |stack| stack.in_state("final") == count).await;
    }

    pub fn in_state(&self, state: &str) -> u64 {
        let status = self.get("/status").and_then(|body| serde_json::from_str::<Value>(&body).ok()).unwrap_or_default();
        status["journal"]["items"][state].as_u64().unwrap_or_default()
    }

    /// The body of an answer of the daemon, by the published port.
    pub fn get(&self, path: &str) -> Option<String> {
        self.get_of(HEALTH, path)
    }

    /// The body of an answer of a service that is published at an address.
    pub fn get_of(&self, address: &str, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        // In 1.0 no answer comes in chunks.
        write!(stream, "GET {path} HTTP/1.0\r\nhost: health\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }

    /// Exactly one accepted proof for each specimen, and no transaction more.
    pub async fn assert_proved_once(&self, specimens: &[Given]) {
        let logs = self.chain.logs(self.chain.result_contract(), PROOF_SUBMITTED).await.unwrap();
        // Chain, height and specimen hash are the first words of the data.
        let hash = |log: &Value| B256::from_slice(&hex::decode(log["data"].as_str().unwrap()).unwrap()[64..96]);
        let mut proved: Vec<_> = logs.iter().map(hash).collect();
        let mut expected: Vec<_> = specimens.iter().map(|given| given.hash).collect();
        proved.sort_unstable();
        expected.sort_unstable();
        assert_eq!(proved, expected, "{}", self.log());
        let count = self.chain.rpc("eth_getTransactionCount", json!([OPERATOR, "latest"])).await.unwrap();
        let count: u64 = count.as_str().unwrap().parse::<U256>().unwrap().to();
        assert_eq!(count, specimens.len() as u64, "{}", self.log());
    }
}

impl Running {
    fn compose(&self, arguments: &[&str]) -> String {
        let at = |name: &str| self.directory.path().join(name).display().to_string();
        let files = self.files.iter().map(|name| repository().join("compose").join(name).display().to_string());
        let files = files.chain([at("test.yml")]).flat_map(|file| ["-f".to_owned(), file]);
        let common: Vec<_> = ["--env-file".to_owned(), at(".env"), "-p".to_owned(), self.project.clone()]
            .into_iter()
            .chain(files)
            .collect();
        let common: Vec<_> = common.iter().map(String::as_str).collect();
        must(&mut self.engine.compose(&[&common, arguments].concat()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Everything else would hide what failed.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.compose(&["down", "-v", "-t", "1"]);
            }));
            return;
        }
        self.compose(&["down", "-v", "-t", "1"]);
    }
}

/// Settings of a test: a chain on this machine that needs no confirmations, checks each second, and a program to look around.
fn additions(inside: &str) -> String {
    format!(
        r#"version: "3.7"
services:
  refiner:
    extra_hosts: ["host.docker.internal:host-gateway"]
    environment:
      REFINER_DEPTH: "0"
      REFINER_PROOF_DEPTH: "0"
      REFINER_POLL_INTERVAL: 50ms
      REFINER_RETRY_DELAY: 50ms
      REFINER_RECHECK_INTERVAL: 1s
      REFINER_GATEWAY: none
    healthcheck: {{interval: 1s, timeout: 5s, start_period: 0s, retries: 3}}
    volumes: ["{inside}:/inside:ro"]
  ewm-das:
    healthcheck: {{interval: 1s, timeout: 5s, start_period: 0s, retries: 3}}
"#
    )
}

/// The same where there are many hosts, and a content server that the test puts specimens into.
const ADDITIONS_FOR_HOSTS: &str = r#"version: "3.7"
services:
  refiner:
    extra_hosts: ["host.docker.internal:host-gateway"]
    environment:
      REFINER_DEPTH: "0"
      REFINER_PROOF_DEPTH: "0"
      REFINER_POLL_INTERVAL: 50ms
      REFINER_RETRY_DELAY: 50ms
      REFINER_RECHECK_INTERVAL: 1s
      REFINER_GATEWAY: none
      REFINER_QUEUE_ACK_WAIT: 5s
    healthcheck: {interval: 1s, timeout: 5s, start_period: 0s, retries: 3}
  content:
    ports: ["127.0.0.1:5080:5080"]
    healthcheck: {interval: 1s, timeout: 5s, start_period: 0s, retries: 3}
  work:
    healthcheck: {interval: 1s, timeout: 5s, start_period: 0s, retries: 3}
"#;
