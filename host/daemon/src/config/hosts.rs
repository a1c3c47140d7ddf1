//! The settings of a daemon whose work is shared by other hosts.

use std::time::Duration;

use refiner_config::{Executor, Problem, Share, Values, table};
use refiner_queue::Connection;

/// The terms on which worker hosts share the work.
#[derive(Debug)]
pub struct QueueTerms {
    pub connection: Connection,
    /// Origins that artifacts may be fetched from.
    pub host_origins: Vec<String>,
    pub recheck: Option<Share>,
    pub ack_wait: Duration,
    pub sweep: Option<Duration>,
}

impl QueueTerms {
    /// The terms of a daemon with a queue; `None` for one without, and where a problem was added.
    pub(super) fn of(values: &Values, problems: &mut Vec<Problem>) -> Option<Self> {
        let connection = match Connection::of(values) {
            Ok(Some(connection)) => connection,
            Ok(None) => {
                if values.get(&table::WORKERS) == Some(0) {
                    let reason = "a daemon without workers needs other hosts: the NATS server that they share, by --queue; or --workers 1";
                    problems.push(Problem::Missing { key: "queue", reason });
                }
                return None;
            }
            Err(error) => {
                problems.push(Problem::Setting { key: "queue", source: Box::new(error) });
                return None;
            }
        };
        if values.get(&table::EVM) != Executor::Embedded {
            problems.push(Problem::Conflict { one: "queue", other: "evm" });
        }
        let host_origins = values.get(&table::HOST_ORIGIN);
        if host_origins.is_empty() {
            let reason = "results are fetched from worker hosts that are permitted: http://host:5090, or a network such as 10.0.0.0/16";
            problems.push(Problem::Missing { key: "host-origin", reason });
        }
        Some(Self {
            connection,
            host_origins,
            recheck: values.get(&table::RECHECK),
            ack_wait: values.get(&table::QUEUE_ACK_WAIT),
            sweep: values.get(&table::QUEUE_SWEEP),
        })
    }
}
