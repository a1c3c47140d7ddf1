//! The library that a rule author depends on.
//!
//! * **Inputs**: one block specimen, read through the host as lazily as the rule asks.
//! * **Outputs**: artifacts, and the number of records in them.
//! * **Invariants**: no file, network, clock or randomness, so a rule gives the same bytes everywhere.
//!
//! The smallest rule, whole (`src/lib.rs`):
//!
//! ```
//! use std::io::Write;
//! use refiner_sdk::{Output, Rule, RuleError, Specimen, Summary};
//!
//! struct Senders;
//!
//! impl Rule for Senders {
//!     fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
//!         let mut list = out.artifact("senders.txt", "text/plain");
//!         for transaction in specimen.transactions() {
//!             writeln!(list, "{}", transaction.sender)?;
//!         }
//!         list.finish();
//!         Ok(Summary::records(specimen.counts().transactions))
//!     }
//! }
//!
//! # #[cfg(any())] // It reads the rule's rule.toml, which a documentation test has not.
//! refiner_sdk::export_transform!(Senders);
//! # let fixture = refiner_sdk::fixture::Fixture::new().transaction(Default::default(), b"");
//! # assert_eq!(fixture.run(Senders::refine).artifacts[0].text().len(), "0x\n".len() + 40);
//! ```
//!
//! Beside it stand `Cargo.toml` with `crate-type = ["cdylib"]` and `rule.toml`, from which the macro makes the rule's
//! description and refuses to compile what does not agree:
//!
//! ```toml
//! name = "senders"
//! version = "0.1.0"                # as in Cargo.toml
//! world = "transform"              # transform-with-evm for a `RuleWithEvm`
//! layouts = []                     # codec layouts accepted, ["0.38"]; empty accepts all
//! capabilities = []                # ["evm"] for a `RuleWithEvm`
//! licence = "Apache-2.0"
//! source = "https://example.org/senders"
//!
//! [[outputs]]
//! name = "senders.txt"
//! media-type = "text/plain"
//! ```
//!
//! The same `refine` runs under `cargo test` on a [`fixture::Fixture`], without a host and without WebAssembly.

// The expansions of the macros below name the crate as its users do.
extern crate self as refiner_sdk;

mod basis;
#[doc(hidden)]
pub mod bindings;
mod evm;
mod export;
#[cfg(not(target_family = "wasm"))]
pub mod fixture;
mod host;
pub mod log;
pub mod ndjson;
mod output;
mod page;
pub mod params;
mod recording;
mod rule;
mod specimen;
mod value;
mod what_if;

pub use basis::Basis;
pub use bindings::exports::refiner::rule::rule::{Description, OutputDescription, Summary};
pub use bindings::refiner::rule::{
    evm::{ExecuteError, Log, Receipt},
    gas_profile::Item as GasItem,
    receipts::Source,
    recordings::RecordError,
    specimen::{
        AccessListItem, AccountRead, BlockHashRead, Counts, Header, Identity, StorageRead, Transaction, Withdrawal,
    },
    state_changes::{Access, AccountChange, SlotChange},
    traces::Frame,
    types::{Check, CheckOutcome, RuleError},
    what_if::{Departure, Exclusion, Place, SlotPlace, WhatIfError},
};
pub use evm::{Coverage, Evm, Execution, Receipts};
pub use output::{Artifact, Output};
pub use recording::{FrameStep, Frames, GasProfile, GasStep, Payload, StateChanges, StateStep};
pub use rule::{Rule, RuleWithEvm};
pub use specimen::Specimen;
pub use value::{Address, B256, NoAddress, U256};
pub use what_if::Overrides;

/// Names that the macros expand to. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::{bindings, export::*};
    pub use refiner_sdk_macros::describe;
    pub use wit_bindgen;
}
