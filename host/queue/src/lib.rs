//! Work for many hosts over NATS JetStream.
//!
//! * **Inputs**: tasks of a coordinator, which owns the journal; the address of NATS servers; content by its id from an allow-list of origins.
//! * **Outputs**: for each task one result whose artifacts were fetched and hashed by the coordinator ([`Coordinator`]); and a worker host that
//!   runs tasks in confined processes and serves what they produce ([`work`]).
//! * **Invariants**: nothing that the broker keeps is believed: a lost message is published again, a doubled one changes nothing, and no URL
//!   in a message is followed. Neither specimens nor artifacts travel through NATS. No type of the NATS client leaves this crate.
//!
//! ```
//! use refiner_queue::{HostName, QueueId};
//!
//! // The names of a queue follow from what its coordinator's journal is bound to.
//! let id = QueueId::of(1284, [0x11; 20], None);
//! assert_eq!(id.to_string().len(), 12);
//! assert_eq!(id.to_string().parse::<QueueId>().ok(), Some(id));
//! // A host's name is a part of subjects.
//! assert!("host-1".parse::<HostName>().is_ok() && "host.1".parse::<HostName>().is_err());
//! ```

mod command;
mod connection;
mod coordinator;
mod declare;
mod error;
mod host;
mod lease;
mod limits;
mod message;
mod names;
mod origins;
mod report;
mod retried;

pub use self::{
    command::{Command, command},
    connection::Connection,
    coordinator::{
        Coordinator, CoordinatorSettings, Finished, HostView, Known, ReceivedArtifact, Records, Snapshot, TaskFailure,
        Verdict, Waiting,
    },
    error::QueueError,
    host::{WorkSettings, work},
    limits::{ACK_WAIT, DEPTH, POISON_DELIVERIES},
    message::{ArtifactRef, Blame, RuleRecord, SpanTime, Task, TaskId, Terms},
    names::{HostName, NameError, QueueId},
    origins::{OriginError, Origins},
};
