//! The settings of a replay on worker hosts.

use std::{net::SocketAddr, num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use refiner_config::{Executor, Share, Values, egress, table};
use refiner_diagnostics::Failure;
use refiner_evm::ExecutionPolicy;
use refiner_http_client::Egress;
use refiner_queue::{Connection, DEPTH, Origins, QueueError};
use refiner_replay::{Hosts, HostsAtWork};
use refiner_rule_session::LoadedRule;

use crate::{ReplayHostsError, at_work::AtWork, queue_file::QueueFile};

/// Time of a host's silence in the middle of an artifact. A host that is silent for the ack wait loses its tasks too.
const STALL: Duration = Duration::from_secs(30);
/// Time for one artifact.
const FETCH: Duration = Duration::from_secs(300);

/// Worker hosts that share the work of a replay over NATS.
pub struct ReplayHosts {
    pub(crate) connection: Connection,
    pub(crate) host_origins: Vec<String>,
    pub(crate) egress: Egress,
    pub(crate) recheck: Option<Share>,
    pub(crate) ack_wait: Duration,
    pub(crate) sweep: Option<Duration>,
    pub(crate) listen: SocketAddr,
    pub(crate) allow_remote: bool,
}

impl ReplayHosts {
    /// The hosts that the settings name, beside those of the replay; `None` where they name no NATS server.
    ///
    /// # Errors
    ///
    /// [`ReplayHostsError`]: what does not go together, and files that cannot be read.
    pub fn of(values: &Values, replay: &Values, data_set: Option<&Path>) -> Result<Option<Self>, ReplayHostsError> {
        let Some(connection) = Connection::of(values)? else { return Ok(None) };
        if data_set.is_none() {
            return Err(ReplayHostsError::NoDirectory);
        }
        if replay.get(&table::EVM) != Executor::Embedded {
            return Err(ReplayHostsError::OtherExecutor);
        }
        let host_origins = values.get(&table::HOST_ORIGIN);
        if host_origins.is_empty() {
            return Err(ReplayHostsError::NoHostOrigin);
        }
        let hosts = Self {
            connection,
            host_origins,
            egress: egress::of(replay),
            recheck: values.get(&table::RECHECK),
            ack_wait: values.get(&table::QUEUE_ACK_WAIT),
            sweep: values.get(&table::QUEUE_SWEEP),
            listen: values.get(&table::REPLAY_LISTEN),
            allow_remote: values.get(&table::ALLOW_REMOTE_CONTENT),
        };
        hosts.origins()?;
        Ok(Some(hosts))
    }

    /// The origins that artifacts are fetched from.
    pub(crate) fn origins(&self) -> Result<Origins, ReplayHostsError> {
        let origins = Origins::new(&self.host_origins, self.egress.clone(), STALL.min(self.ack_wait), FETCH);
        Ok(origins.map_err(|source| QueueError::Origin { setting: "--host-origin", source })?)
    }
}

impl Hosts for ReplayHosts {
    fn specimens_at_once(&self) -> NonZeroUsize {
        NonZeroUsize::new(DEPTH).unwrap_or(NonZeroUsize::MIN)
    }

    fn has_left(&self, queue_file: &Path) -> bool {
        QueueFile::at(queue_file).is_there()
    }

    fn open(
        &self,
        queue_file: &Path,
        rules: &[LoadedRule],
        policy: ExecutionPolicy,
    ) -> Result<Arc<dyn HostsAtWork>, Failure> {
        Ok(Arc::new(AtWork::begin(self, QueueFile::at(queue_file), rules, policy)?))
    }
}
