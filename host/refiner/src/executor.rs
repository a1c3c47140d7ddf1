//! Who executes blocks: this program, an evm-server, or both.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use alloy_primitives::Bytes;
use clap::{Args, ValueEnum};
use refiner_evm::{
    Answer, Both, DEFAULT_GAS_BOUND, Difference, EmbeddedExecutor, ExecutedBy, ExecutionPolicy, Executor, OnDifference,
    Remote, RemoteServer, SenderPolicy,
};
use refiner_evm_server::remote::{EvmServerClient, RemoteLimits, SetupError};
use refiner_worker::Executes;

use crate::output::{OutputDirectory, OutputError};

/// The variable in which earlier refiners named their evm-server.
const EARLIER_URL: &str = "EVM_SERVER_URL";
/// Where an evm-server listens unless somebody says otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:3002";
/// What all tries of one block may take by default, in seconds: a run that executes blocks has 120.
pub const DEFAULT_TIMEOUT_S: u64 = 100;

/// Who executes blocks, as on the command line.
#[derive(Clone, Debug, Args)]
pub struct EvmArguments {
    /// Who executes blocks; `both` compares the bytes of the two. Remote results need `--format evm-server@...`.
    #[arg(long = "evm", value_enum, env = "REFINER_EVM", default_value_t = By::Embedded, value_name = "WHO")]
    by: By,
    /// The evm-server for `--evm remote` and `both`, also read from EVM_SERVER_URL; alone it selects nothing
    /// [default: http://127.0.0.1:3002].
    #[arg(long = "evm-server", env = "REFINER_EVM_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// What becomes of a block whose two results differ.
    #[arg(long = "evm-on-difference", env = "REFINER_EVM_ON_DIFFERENCE", default_value = "hold", value_name = "POLICY",
        value_parser = ["prefer-embedded", "prefer-remote", "hold"])]
    on_difference: String,
    /// How long the evm-server has for a block, with all tries.
    #[arg(long = "evm-timeout-s", env = "REFINER_EVM_TIMEOUT_S", default_value_t = DEFAULT_TIMEOUT_S, value_name = "S",
        value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout_s: u64,
}

/// The terms on which blocks are checked and executed, as on the command line. They are part of the identity of a run.
#[derive(Clone, Copy, Debug, Args)]
pub struct PolicyArguments {
    /// Origin of the senders in results: `recovered` from the signatures and compared with those in the specimen, or `stated` by the
    /// specimen and not checked.
    #[arg(long, env = "REFINER_SENDERS", default_value_t = SenderPolicy::Recovered, value_name = "ORIGIN")]
    senders: SenderPolicy,
    #[command(flatten)]
    bound: GasBound,
}

/// The bound on execution, as on the command line.
#[derive(Clone, Copy, Debug, Args)]
pub struct GasBound {
    /// Upper bound on the gas used by everything done for one block, precompiles weighted by their measured cost; a block beyond it is
    /// unsupported.
    #[arg(long, env = "REFINER_GAS_BOUND", default_value_t = DEFAULT_GAS_BOUND, value_name = "GAS",
        value_parser = clap::value_parser!(u64).range(1..))]
    gas_bound: u64,
}

impl PolicyArguments {
    /// The policy that was asked for.
    pub fn policy(&self) -> ExecutionPolicy {
        ExecutionPolicy { senders: self.senders, gas_bound: self.bound.gas_bound, ..ExecutionPolicy::default() }
    }
}

impl GasBound {
    /// The policy of an executor that answers without checks.
    pub fn policy(&self) -> ExecutionPolicy {
        ExecutionPolicy { gas_bound: self.gas_bound, ..ExecutionPolicy::default() }
    }
}

/// Every term of a policy that is not the default, by its name in reports.
pub fn unusual_terms(policy: ExecutionPolicy) -> serde_json::Map<String, serde_json::Value> {
    let default = ExecutionPolicy::default();
    let mut terms = serde_json::Map::new();
    if policy.senders != default.senders {
        terms.insert("senders".to_owned(), policy.senders.as_str().into());
    }
    if policy.gas_bound != default.gas_bound {
        terms.insert("gasBound".to_owned(), policy.gas_bound.into());
    }
    terms
}

/// Who executes blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// This program.
    Embedded,
    /// An evm-server.
    Remote,
    /// The two, compared.
    Both,
}

/// Who executes blocks, with what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evm {
    /// Who.
    pub by: By,
    /// The evm-server's base URL. May hold a secret.
    pub server: String,
    /// What becomes of a difference.
    pub on_difference: OnDifference,
    /// For all tries of one block.
    pub timeout: Duration,
}

impl EvmArguments {
    /// What was asked for.
    pub fn evm(&self) -> Evm {
        let earlier = || std::env::var(EARLIER_URL).ok().filter(|url| !url.is_empty());
        if self.by == By::Embedded && self.server.is_some() {
            tracing::warn!("An evm-server is named and not asked: that takes `--evm remote` or `--evm both`.");
        }
        Evm {
            by: self.by,
            server: self.server.clone().or_else(earlier).unwrap_or_else(|| DEFAULT_URL.to_owned()),
            // Only the three names get here.
            on_difference: self.on_difference.parse().unwrap_or(OnDifference::Hold),
            timeout: Duration::from_secs(self.timeout_s),
        }
    }
}

impl Evm {
    /// As it goes into a rule's identity.
    pub const fn executed_by(&self) -> ExecutedBy {
        match self.by {
            By::Embedded => ExecutedBy::Embedded,
            By::Remote => ExecutedBy::Remote,
            By::Both => ExecutedBy::Both(self.on_difference),
        }
    }

    /// Who executes, for runs in workers. Differences go below `out`.
    pub fn executes(&self, out: Option<PathBuf>) -> Result<Executes, SetupError> {
        let Some(server) = self.client()? else { return Ok(Executes::Workers) };
        Ok(match self.by {
            By::Both => Executes::Both { server, on_difference: self.on_difference, keep: keeper(out) },
            By::Embedded | By::Remote => Executes::Server(server),
        })
    }

    /// The evm-server's client, where one is asked.
    fn client(&self) -> Result<Option<Arc<dyn RemoteServer>>, SetupError> {
        if self.by == By::Embedded {
            return Ok(None);
        }
        let client = EvmServerClient::new(&self.server, RemoteLimits::default().within(self.timeout))?;
        Ok(Some(Arc::new(client)))
    }

    /// The executor, for runs in this process. Differences go below `out`.
    pub fn executor(&self, embedded: EmbeddedExecutor, out: Option<PathBuf>) -> Result<Arc<dyn Executor>, SetupError> {
        let embedded = Arc::new(embedded);
        let Some(server) = self.client()? else { return Ok(embedded) };
        let remote = Remote::new(server, embedded);
        Ok(match self.by {
            By::Both => Arc::new(Both::new(remote, self.on_difference, keeper(out))),
            By::Embedded | By::Remote => Arc::new(remote),
        })
    }
}

/// Keeps each difference as two files below `directory`, and says so.
fn keeper(directory: Option<PathBuf>) -> Arc<dyn Fn(&Difference) + Send + Sync> {
    Arc::new(move |difference| {
        let Difference { chain_id, height, format, .. } = difference;
        let kept = directory.as_ref().map(|directory| keep(difference, directory)).transpose();
        match kept {
            Ok(Some(Kept { embedded, remote })) => {
                let (embedded, remote) = (embedded.display(), remote.display());
                tracing::error!(chain_id, height, %format, %embedded, %remote, "Two executors differ; both results are kept.");
            }
            Ok(None) => {
                tracing::error!(chain_id, height, %format, "Two executors differ; without --out nothing is kept.");
            }
            Err(error) => {
                tracing::error!(chain_id, height, %format, %error, "Two executors differ, and that cannot be kept.");
            }
        }
    })
}

struct Kept {
    embedded: PathBuf,
    remote: PathBuf,
}

/// Writes `<chain>-<height>.<format>.embedded.json` and `.remote.json`; a side that refused is a `.txt`.
fn keep(difference: &Difference, directory: &Path) -> Result<Kept, OutputError> {
    let Difference { chain_id, height, format, embedded, remote } = difference;
    let directory = OutputDirectory::create(directory)?;
    let write = |side: &str, answer: &Answer| {
        let (bytes, ending) = match answer {
            Answer::Document(document) => (document.clone(), "json"),
            Answer::Refusal(said) => (Bytes::from(said.clone().into_bytes()), "txt"),
        };
        let name = format!("{chain_id}-{height}.{format}.{side}.{ending}");
        directory.write(&name, refiner_specimen::sha256(&bytes), &bytes)
    };
    Ok(Kept { embedded: write("embedded", embedded)?, remote: write("remote", remote)? })
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        <Self as ValueEnum>::from_str(text, false)
    }
}
