//! Worker hosts for a replay.
//!
//! * **Inputs**: the rules and specimens of a replay; the address of NATS servers, and of this machine for the hosts.
//! * **Outputs**: for each specimen and rule a run on some host, with its artifacts ([`ReplayHosts`]).
//! * **Invariants**: no specimen is copied to the disk: it is served by its content id from where it lies. Nothing is kept but the data set and
//!   the name of its queue: a killed replay is continued from these. A host's artifacts are bounded, hashed, and of the rule's manifest.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use refiner_replay_hosts::ReplayHosts;
//!
//! fn replay(replay: &refiner_replay::Replay, hosts: &refiner_config::Values) -> Result<(), Box<dyn std::error::Error>> {
//!     let ended = match ReplayHosts::of(hosts, &replay.settings, replay.out.as_deref())? {
//!         Some(hosts) => refiner_replay::run_on(replay, &hosts),
//!         // No NATS server is named.
//!         None => refiner_replay::run(replay),
//!     };
//!     ended.map_err(|failure| failure.to_string())?;
//!     Ok(())
//! }
//! ```

mod at_work;
mod error;
mod library;
mod queue_file;
mod rules;
mod settings;

pub use self::{error::ReplayHostsError, settings::ReplayHosts};
