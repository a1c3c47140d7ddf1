//! The settings of `refiner work`.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, thread, time::Duration};

use refiner_config::{Values, egress, table};
use refiner_rule_package::Allowance;
use url::Url;

use crate::{
    Connection, QueueError,
    lease::host_name,
    names::{HostName, QueueId},
    origins::Origins,
};

/// Settings of a worker host.
pub struct WorkSettings {
    pub(super) connection: Connection,
    /// `None` for the only queue there is.
    pub(super) queue: Option<QueueId>,
    pub(super) name: HostName,
    /// Where specimens and rules are fetched from.
    pub(super) origins: Origins,
    pub(super) data: PathBuf,
    pub(super) workers: usize,
    pub(super) listen: SocketAddr,
    pub(super) allow_remote: bool,
    pub(super) allow_hosts: Vec<String>,
    pub(super) origin: Option<Url>,
    pub(super) allowance: Allowance,
    /// The texts of chain configs.
    pub(super) chains: Vec<String>,
    pub(super) store_bytes: u64,
    pub(super) shutdown: Duration,
}

impl WorkSettings {
    /// As the command's values give them.
    ///
    /// # Errors
    ///
    /// [`QueueError`]
    pub fn of(values: &Values) -> Result<Self, QueueError> {
        let connection = Connection::of(values)?.ok_or(QueueError::NoServer)?;
        let from = values.get(&table::FROM);
        if from.is_empty() {
            return Err(QueueError::NoOrigin);
        }
        let (stall, whole) = (values.get(&table::FETCH_STALL_TIMEOUT), values.get(&table::FETCH_TIMEOUT));
        let origins = Origins::new(&from, egress::of(values), stall, whole);
        let origins = origins.map_err(|source| QueueError::Origin { setting: "--from", source })?;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let chain = |path: &PathBuf| {
            std::fs::read_to_string(path).map_err(|source| QueueError::Chain { path: path.clone(), source })
        };
        Ok(Self {
            connection,
            queue: queue_id(values)?,
            name: match values.get(&table::HOST_NAME) {
                None => HostName::near(&host_name()),
                Some(name) => name.parse().map_err(|source| QueueError::Name { setting: "--host-name", source })?,
            },
            origins,
            data: values.get(&table::DATA),
            workers: workers(values.get(&table::WORKERS), cores)?,
            listen: values.get(&table::WORK_LISTEN),
            allow_remote: values.get(&table::ALLOW_REMOTE_ARTIFACTS),
            allow_hosts: values.get(&table::ALLOW_HOST),
            origin: values.get(&table::WORK_ORIGIN),
            allowance: Allowance::of(values),
            chains: values.get(&table::CHAIN_CONFIG).iter().map(chain).collect::<Result<_, _>>()?,
            store_bytes: values.get(&table::STORE_SIZE).0,
            shutdown: values.get(&table::SHUTDOWN_TIMEOUT),
        })
    }
}

fn workers(given: Option<u64>, cores: usize) -> Result<usize, QueueError> {
    match given {
        Some(0) => Err(QueueError::NoWorkers),
        Some(workers) => Ok(usize::try_from(workers).unwrap_or(cores)),
        None => Ok(cores),
    }
}

/// The queue that is named, where one is.
pub(crate) fn queue_id(values: &Values) -> Result<Option<QueueId>, QueueError> {
    let id = values.get(&table::QUEUE_ID);
    id.map(|id| id.parse().map_err(|source| QueueError::Name { setting: "--queue-id", source })).transpose()
}
