//! The daemon: from announcements on the proof chain to settled proofs, unattended.
//!
//! * **Inputs**: [`config::Settings`], of which the program makes values, and what the program knows of its machine.
//! * **Outputs**: results where the network finds them, and proofs of them on chain; until then, everything is in the journal.
//! * **Invariants**: WebAssembly runs in child processes that hold no key; a transaction is on the disk before it is sent.
//!
//! ```text
//! scan ─► journal ─► fetch, verify ─► refine (workers) ─► pin ─► prove
//! ```
//!
//! ```no_run
//! use refiner_config::Values;
//! use refiner_daemon::config;
//!
//! fn run(values: &Values) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut problems = Vec::new();
//!     let settings = config::resolve(values, &mut problems).ok_or("settings are missing")?;
//!     let shown = config::shown(values, &settings);
//!     // No check of this machine; the program makes them in a process of its own.
//!     refiner_daemon::run(settings, shown, |_| Vec::new()).map_err(|failure| failure.to_string())?;
//!     Ok(())
//! }
//! ```
//!
//! Every stage takes its work from the journal and writes what became of it there, so a crash loses nothing but the work of the
//! moment. Bytes are in the local content store, under their content ids.

#[expect(missing_docs, reason = "a field is the setting of its name, which the table of settings explains")]
pub mod config;
#[expect(missing_docs, reason = "fields are named as in JSON")]
pub mod control;
mod engine;
mod error;
mod execute;
mod fetch;
mod locate;
mod observe;
mod pin;
mod pipeline;
#[expect(missing_docs, reason = "what is left is named by itself")]
pub mod preflight;
mod prove;
mod rules;
mod run;
mod scan;
mod signer;
mod state;
#[cfg(test)]
mod testbed;

pub use self::{
    error::RunError,
    preflight::MachineChecks,
    rules::{RulesError, targets},
    run::run,
    scan::{Rebuilt, command as scan_again, rebuild},
};
