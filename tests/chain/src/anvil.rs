//! One anvil process, and questions to it.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{TestChainError, install};

/// Blocks whose states are kept, all in memory: more than the deepest reorganisation of a test. Anvil moves further ones to disk,
/// gigabytes in a soak, and loses the contracts' code there: after a reorganisation to such a state it has no contract left.
const STATES: &str = "64";

/// A running anvil on a free port of loopback. Ends with its value.
#[derive(Debug)]
pub struct Anvil {
    process: Child,
    url: String,
    http: reqwest::Client,
    /// A killed anvil leaves what it wrote to disk, in the user's directory by default.
    _states: TempDir,
}

/// `None`, and a line, in place of the error that there is no anvil and no npm to install one. Under CI the error stays.
pub(crate) fn or_skip<T>(outcome: Result<T, TestChainError>) -> Result<Option<T>, TestChainError> {
    match outcome {
        Err(missing @ TestChainError::NoNpm { .. }) if env::var_os("CI").is_none() => {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: {missing}");
            }
            Ok(None)
        }
        outcome => outcome.map(Some),
    }
}

impl Anvil {
    /// As [`Anvil::start`]; on a machine without anvil and npm prints so and gives `None`. Under CI that is an error.
    ///
    /// # Errors
    ///
    /// As [`Anvil::start`].
    pub fn start_or_skip(arguments: &[&str]) -> Result<Option<Self>, TestChainError> {
        or_skip(Self::start(arguments))
    }

    /// Starts an anvil that mines a block a transaction.
    ///
    /// # Errors
    ///
    /// Where there is none, or it does not listen.
    pub fn start(arguments: &[&str]) -> Result<Self, TestChainError> {
        let path = install::anvil()?;
        let states = TempDir::new().map_err(|source| TestChainError::File { path: env::temp_dir(), source })?;
        let mut process = Command::new(&path)
            .args(["--port", "0", "--host", "127.0.0.1", "--prune-history", STATES, "--cache-path"])
            .arg(states.path())
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| TestChainError::File { path, source })?;
        let stdout = process.stdout.take();
        // One provider a process; that another crate installed it first is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        let mut anvil = Self { process, url: String::new(), http, _states: states };
        let mut lines = BufReader::new(stdout.ok_or(TestChainError::Ended)?).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        anvil.url = format!("http://{}", address.ok_or(TestChainError::Ended)?.trim());
        // A full pipe would stop it.
        thread::spawn(move || lines.for_each(drop));
        Ok(anvil)
    }

    /// Where it listens, `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Process id of the node.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Asks it anything.
    ///
    /// # Errors
    ///
    /// What it refuses.
    pub async fn rpc(&self, method: &str, params: Value) -> Result<Value, TestChainError> {
        let http = |source| TestChainError::Http { method: method.to_owned(), source };
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let response = self.http.post(&self.url).json(&body).send().await.map_err(http)?;
        let mut answer: Value = response.json().await.map_err(http)?;
        match answer.get_mut("error") {
            Some(error) => Err(TestChainError::Refused { method: method.to_owned(), error: error.take() }),
            None => Ok(answer["result"].take()),
        }
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
