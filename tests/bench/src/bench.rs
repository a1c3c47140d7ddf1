//! A chain, a proxy before it, a pinner, and the daemon between them.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::{
        fs::{DirBuilderExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alloy_primitives::{B256, U256, b256, hex};
use refiner_journal::{Filter, Item, JournalReader, State};
use refiner_testchain::{FaultyRpc, OPERATOR, OPERATOR_KEY, Setup, Specimen, TestChain};
use refiner_testkit::{pinner::PinnerDouble, unused_address};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    program::{program, shared_directory},
    specimens::Given,
};

/// Time limit for anything that must happen: far more than it takes on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// `BlockResultProductionProofSubmitted`, docs/protocol.md, section 1.1.
const PROOF_SUBMITTED: B256 = b256!("508f479d80dbbd88c8372648a5a1cf88212d9a3e8aa0f7f516c32c6ae970ebbc");

pub struct Bench {
    pub chain: TestChain,
    pub rpc: FaultyRpc,
    pub pinner: PinnerDouble,
    pub directory: tempfile::TempDir,
    /// Flags added to those that every test needs; later ones win.
    pub flags: Vec<String>,
    /// Variables added to those that every test needs.
    pub environment: Vec<(String, String)>,
    pub data: PathBuf,
    /// The settings with which the daemon finds the node and the pinner.
    pub urls: [String; 2],
    /// The log's filter; `None` for the daemon's default.
    pub log_filter: Option<&'static str>,
    /// Key of the operator.
    pub key: &'static str,
    /// The user that the daemon runs as, where it is another one.
    pub user: Option<u32>,
    /// The daemon.
    pub program: PathBuf,
    health: SocketAddr,
    daemon: Option<Child>,
}

fn announcement(given: &Given, url: String) -> Specimen {
    Specimen {
        chain_id: given.chain,
        height: given.height,
        block_hash: given.block_hash,
        specimen_hash: given.hash,
        url,
    }
}

/// A proof that the contract accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    pub height: u64,
    pub specimen_hash: B256,
    pub result_hash: B256,
    pub url: String,
}

impl Bench {
    pub async fn new() -> Option<Self> {
        Self::with(&Setup::default()).await
    }

    pub async fn with(setup: &Setup) -> Option<Self> {
        Some(Self::on(TestChain::start_or_skip(setup).await.unwrap()?).await)
    }

    /// A bench on this chain.
    pub async fn on(chain: TestChain) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let health = unused_address();
        let (rpc, pinner) = (FaultyRpc::start(chain.url()).await.unwrap(), PinnerDouble::start().unwrap());
        Self {
            urls: [rpc.url().to_owned(), pinner.url()],
            rpc,
            pinner,
            data: directory.path().join("data"),
            directory,
            flags: Vec::new(),
            log_filter: Some("info"),
            environment: Vec::new(),
            key: OPERATOR_KEY,
            user: None,
            chain,
            program: program(),
            health,
            daemon: None,
        }
    }

    pub fn command(&self) -> Command {
        self.command_of(&["run"])
    }

    /// A command that takes the settings of `run`.
    pub fn command_of(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let (specimens, results) = (self.chain.specimen_contract(), self.chain.result_contract());
        command
            .args(words)
            .args(["--network", "custom", "--proof-chain-id", &self.chain.chain_id().to_string()])
            .args(["--specimen-contract", &specimens.to_string(), "--result-contract", &results.to_string()])
            .args(["--gateway", "none", "--start", "1", "--format", "canonical"])
            .args(["--depth", "0", "--proof-depth", "0", "--poll-ms", "20", "--retry-ms", "20", "--recheck-s", "1"])
            .args(["--health", &self.health.to_string(), "--shutdown-s", "10"])
            .arg("--data")
            .arg(&self.data)
            .args(&self.flags)
            .env("NODE_ETHEREUM_MAINNET", &self.urls[0])
            .env("IPFS_PINNER_URL", &self.urls[1])
            .env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", self.key)
            .envs(self.log_filter.map(|filter| ("REFINER_LOG", filter)))
            .envs(self.environment.iter().cloned());
        command
    }

    /// `refiner session show` of a height, as JSON.
    pub fn session(&self, height: u64) -> Command {
        let mut command = Command::new(program());
        let (specimens, results) = (self.chain.specimen_contract(), self.chain.result_contract());
        command
            .args(["session", "show", &height.to_string(), "--json", "--rpc", &self.urls[0]])
            .args(["--network", "custom", "--proof-chain-id", &self.chain.chain_id().to_string()])
            .args(["--specimen-contract", &specimens.to_string(), "--result-contract", &results.to_string()]);
        command
    }

    /// Starts the daemon; its words go to a file.
    pub fn start(&mut self) {
        let log = || File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command();
        match self.user {
            // The code of the tests belongs to another user, and would be refused.
            Some(user) => {
                command.uid(user).gid(user);
                chown(self.directory.path(), Some(user), Some(user)).unwrap();
            }
            None => self.share_code(),
        }
        let child = command.stdin(Stdio::null()).stdout(log()).stderr(log()).spawn().unwrap();
        assert!(self.daemon.replace(child).is_none(), "it runs already");
    }

    pub async fn start_ready(&mut self) {
        self.start();
        self.until("the daemon is ready", |bench| bench.get("/readyz").is_some_and(|answer| answer.contains(" 200 ")))
            .await;
    }

    /// Kills the daemon with SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.daemon.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends a signal by number.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.daemon.as_ref().unwrap().id()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for the daemon to end by itself, and gives its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.daemon.as_mut().unwrap().try_wait().unwrap() {
                self.daemon = None;
                return status.code();
            }
            assert!(started.elapsed() < PATIENCE, "the daemon does not end:\n{}", self.log());
            sleep(LOOK).await;
        }
    }

    /// SIGTERM, and the exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.ended().await
    }

    /// Waits until `seen`, and shows the daemon's output when that does not come.
    #[track_caller]
    pub fn until<'a, S>(&'a mut self, what: &'a str, mut seen: S) -> impl Future<Output = ()> + 'a
    where
        S: FnMut(&mut Self) -> bool + 'a,
    {
        let caller = std::panic::Location::caller();
        async move {
            let started = Instant::now();
            while !seen(self) {
                let is_over = started.elapsed() >= PATIENCE || self.has_ended();
                assert!(
                    !is_over || seen(self),
                    "{caller}: {what}: not so\nstatus {:?}\nitems {:#?}\n{}",
                    self.status(),
                    self.items(),
                    self.log()
                );
                sleep(LOOK).await;
            }
        }
    }

    pub async fn until_all(&mut self, state: State, count: usize) {
        self.until(&format!("{count} items are {state}"), |bench| bench.in_state(state) == count).await;
    }

    pub fn journal(&self) -> Option<JournalReader> {
        JournalReader::open(&self.data.join("journal.sqlite")).ok()
    }

    pub fn items(&self) -> Vec<Item> {
        self.journal().and_then(|journal| journal.list(&Filter::default(), 100_000).ok()).unwrap_or_default()
    }

    pub fn in_state(&self, state: State) -> usize {
        let counts = self.journal().and_then(|journal| journal.counts().ok()).unwrap_or_default();
        let items = counts.iter().find(|count| count.state == state).map_or(0, |count| count.items);
        usize::try_from(items).unwrap()
    }

    /// Puts the specimens where they are fetched from, and announces them.
    pub async fn announce(&self, specimens: &[Given]) {
        self.chain.announce_all(&self.put(specimens)).await.unwrap();
    }

    /// The same for thousands. From then on a block is mined every second.
    pub async fn announce_in_bulk(&self, specimens: &[Given]) {
        self.chain.announce_in_bulk(&self.put(specimens)).await.unwrap();
        self.chain.set_automine(false).await.unwrap();
        self.chain.rpc("evm_setIntervalMining", serde_json::json!([1])).await.unwrap();
    }

    /// Announces each specimen at a place where it was put before.
    pub async fn announce_at(&self, specimens: &[(Given, String)]) {
        let announced: Vec<_> = specimens.iter().map(|(given, url)| announcement(given, url.clone())).collect();
        self.chain.announce_all(&announced).await.unwrap();
    }

    /// Puts the specimens where they are fetched from.
    pub fn put(&self, specimens: &[Given]) -> Vec<Specimen> {
        specimens.iter().map(|given| announcement(given, format!("ipfs://{}", self.pinner.put(&given.bytes)))).collect()
    }

    /// Every proof that the contract accepted, in the order of the chain.
    pub async fn proofs(&self) -> Vec<Proved> {
        let logs = self.chain.logs(self.chain.result_contract(), PROOF_SUBMITTED).await.unwrap();
        logs.iter().map(|log| Proved::read(&hex::decode(log["data"].as_str().unwrap()).unwrap())).collect()
    }

    /// The number of the operator's transactions on chain.
    pub async fn operator_nonce(&self) -> u64 {
        let count = self.chain.rpc("eth_getTransactionCount", serde_json::json!([OPERATOR, "latest"])).await.unwrap();
        count.as_str().unwrap().parse::<U256>().unwrap().to()
    }

    /// Exactly one accepted proof for each specimen, no transaction more, and no nonce left out.
    pub async fn assert_proved_once(&self, specimens: &[Given]) {
        let mut proved: Vec<_> = self.proofs().await.iter().map(|proof| proof.specimen_hash).collect();
        let mut expected: Vec<_> = specimens.iter().map(|given| given.hash).collect();
        proved.sort_unstable();
        expected.sort_unstable();
        assert_eq!(proved, expected, "{}", self.log());
        assert_eq!(self.operator_nonce().await, specimens.len() as u64, "{}", self.log());
    }

    /// Whether the daemon ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let ended = self.daemon.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
        if ended {
            self.daemon = None;
        }
        ended
    }

    /// The address of the daemon's health endpoint.
    pub const fn health(&self) -> SocketAddr {
        self.health
    }

    /// The daemon's process id.
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().unwrap().id()
    }

    /// Memory that the daemon itself holds, and its open files.
    pub fn resident_kib_and_files(&self) -> (u32, usize) {
        let process = format!("/proc/{}", self.daemon.as_ref().unwrap().id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib = line.trim().trim_end_matches(" kB").parse().unwrap();
        (kib, fs::read_dir(format!("{process}/fd")).unwrap().count())
    }

    /// The daemon's workers, as the kernel knows them.
    pub fn workers(&self) -> Vec<rustix::process::Pid> {
        let daemon = self.daemon.as_ref().unwrap().id().to_string();
        let is_worker = |pid: &i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // After the name, which may hold anything: state and parent.
            let parent = stat
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split_whitespace().nth(1))
                .unwrap_or_default()
                .to_owned();
            parent == daemon
        };
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(is_worker).filter_map(rustix::process::Pid::from_raw).collect()
    }

    /// The daemon's own status.
    pub fn status(&self) -> Option<Value> {
        let answer = self.get("/status")?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The reason for which no proofs are submitted, if there is one.
    pub fn paused(&self) -> Option<String> {
        Some(self.status()?["now"]["paused"]["reason"].as_str()?.to_owned())
    }

    /// The thing that a part of the daemon waits for.
    pub fn waits_for(&self, part: &str) -> Option<String> {
        Some(self.status()?["now"]["waitsFor"][part]["what"].as_str()?.to_owned())
    }

    pub fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.health).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: health\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    pub fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Compiling a rule takes seconds, so tests hand each other the code, in directories that are as private as the daemon wants.
    pub fn share_code(&self) {
        share_code_of(&self.data);
    }
}

/// The same for the directory of any process that compiles rules.
pub fn share_code_of(data: &Path) {
    let (shared, own) = (shared_directory().join("daemon-code"), data.join("code"));
    private_directory(&shared);
    private_directory(&own);
    for (from, to) in [(&own, &shared), (&shared, &own)] {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let target = to.join(entry.file_name());
            let is_code = entry.path().extension().is_some_and(|extension| extension == "code");
            if is_code && !target.exists() {
                let part = to.join(format!("{}.{}", entry.file_name().to_string_lossy(), std::process::id()));
                if fs::copy(entry.path(), &part).is_err() {
                    // A full disk: the daemon compiles.
                    let _ = fs::remove_file(part);
                    continue;
                }
                fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).unwrap();
                fs::rename(part, target).unwrap();
            }
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if self.data.join("code").is_dir() {
            self.share_code();
        }
    }
}

impl Proved {
    /// Reads an event's data: chain, height, specimen hash, result hash, offset, length, text.
    fn read(data: &[u8]) -> Self {
        let word = |index: usize| &data[32 * index..32 * (index + 1)];
        let length = U256::from_be_slice(word(5)).to::<usize>();
        Self {
            height: U256::from_be_slice(word(1)).to(),
            specimen_hash: B256::from_slice(word(2)),
            result_hash: B256::from_slice(word(3)),
            url: String::from_utf8(data[192..192 + length].to_vec()).unwrap(),
        }
    }
}

fn private_directory(path: &Path) {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).unwrap();
}
