//! The executor of blocks that the settings name: this program, an evm-server, or both.
//!
//! * **Inputs**: the settings of a command.
//! * **Outputs**: the terms of execution ([`policy`]), and executors for this process and for workers ([`Evm`]).
//! * **Invariants**: a difference between the two is logged, and kept where there is a directory for it.
//!
//! ```
//! use refiner_evm::ExecutionPolicy;
//! use refiner_executor::unusual_terms;
//!
//! // Terms that are the default are not worth a line of a report.
//! assert!(unusual_terms(ExecutionPolicy::default()).is_empty());
//! let other = ExecutionPolicy { gas_bound: 1, ..ExecutionPolicy::default() };
//! assert_eq!(unusual_terms(other).len(), 1);
//! ```

pub mod chains;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::Bytes;
use refiner_config::{Executor as By, Origin, Values, egress, table};
use refiner_evm::{
    Answer, CrossCheckExecutor, Difference, EmbeddedExecutor, ExecutedBy, ExecutionPolicy, Executor, OnDifference,
    Remote, RemoteServer,
};
use refiner_evm_server::remote::{EvmServerClient, RemoteLimits, SetupError};
use refiner_http_client::Egress;
use refiner_output::{OutputDirectory, OutputError};
use refiner_worker::Executes;

/// The variable in which the network's earlier refiner named its evm-server.
const SHARED_URL: &str = "EVM_SERVER_URL";

/// The terms on which blocks are checked and executed. They are part of the identity of a run.
pub fn policy(values: &Values) -> ExecutionPolicy {
    ExecutionPolicy {
        senders: values.get(&table::SENDERS),
        gas_bound: values.get(&table::GAS_BOUND),
        basis: values.get(&table::BASIS),
        stateless_eras: values.get(&table::STATELESS_ERAS),
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
    if policy.basis != default.basis {
        terms.insert("basisPolicy".to_owned(), policy.basis.as_str().into());
    }
    if policy.stateless_eras {
        terms.insert("statelessEras".to_owned(), true.into());
    }
    terms
}

/// The executor of blocks, with what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evm {
    /// The executor or executors that are asked.
    pub by: By,
    /// The evm-server's base URL. May hold a secret.
    pub server: String,
    /// What becomes of a difference.
    pub on_difference: OnDifference,
    /// For all tries of one block.
    pub timeout: Duration,
    /// The way to the evm-server.
    pub egress: Egress,
}

impl Evm {
    /// The executor that the settings of a command name.
    pub fn of(values: &Values) -> Self {
        let by = values.get(&table::EVM);
        // The variable of the network's earlier refiner stands in shared environments, and selects nothing.
        let named = values.shown(&table::EVM_SERVER.row).1;
        if by == By::Embedded && named != Origin::Default && named != Origin::Variable(SHARED_URL.to_owned()) {
            tracing::warn!("an evm-server is named and not asked: that takes `--evm remote` or `--evm both`");
        }
        Self {
            by,
            server: values.get(&table::EVM_SERVER),
            on_difference: values.get(&table::EVM_ON_DIFFERENCE),
            timeout: values.get(&table::EVM_TIMEOUT),
            egress: egress::of(values),
        }
    }

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
        let limits = RemoteLimits::default().within(self.timeout);
        let client = EvmServerClient::through(&self.egress, &self.server, limits)?;
        Ok(Some(Arc::new(client)))
    }

    /// An executor that holds every difference between the two and keeps none; `None` where no evm-server is asked.
    pub fn comparing(&self, embedded: EmbeddedExecutor) -> Result<Option<impl Executor>, SetupError> {
        let Some(server) = self.client()? else { return Ok(None) };
        let remote = Remote::new(server, Arc::new(embedded));
        Ok(Some(CrossCheckExecutor::new(remote, OnDifference::Hold, Arc::new(|_: &Difference| {}))))
    }

    /// The executor, for runs in this process. Differences go below `out`.
    pub fn executor(&self, embedded: EmbeddedExecutor, out: Option<PathBuf>) -> Result<Arc<dyn Executor>, SetupError> {
        let embedded = Arc::new(embedded);
        let Some(server) = self.client()? else { return Ok(embedded) };
        let remote = Remote::new(server, embedded);
        Ok(match self.by {
            By::Both => Arc::new(CrossCheckExecutor::new(remote, self.on_difference, keeper(out))),
            By::Embedded | By::Remote => Arc::new(remote),
        })
    }
}

/// Keeps each difference as two files below `directory`, and logs it.
fn keeper(directory: Option<PathBuf>) -> Arc<dyn Fn(&Difference) + Send + Sync> {
    Arc::new(move |difference| {
        let Difference { chain_id, height, format, .. } = difference;
        let kept = directory.as_ref().map(|directory| keep(difference, directory)).transpose();
        match kept {
            Ok(Some(Kept { embedded, remote })) => {
                let (embedded, remote) = (embedded.display(), remote.display());
                tracing::error!(chain_id, height, %format, %embedded, %remote, "executors differ, both results kept");
            }
            Ok(None) => {
                tracing::error!(chain_id, height, %format, "executors differ, nothing kept without a directory (--out)");
            }
            Err(error) => {
                tracing::error!(chain_id, height, %format, %error, "executors differ, results not kept");
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
