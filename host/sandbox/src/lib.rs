//! Runs rules, which are untrusted WebAssembly components, and turns each run into a verdict.
//!
//! * **Inputs**: a component, grants, and specimens.
//! * **Outputs**: a [`AdmissionError`] before any of its code runs, or for each specimen a [`Run`]: a [`Verdict`] that is
//!   the same on every machine, the use of each limit, and the log. A fault around the rule is a [`HostFailure`].
//! * **Invariants**: no file, socket, key or environment, and no clock that a guest can read. The only crate that
//!   knows wasmtime.

mod admission;
mod bindings;
mod compiled;
mod evidence;
mod failure;
mod host;
mod identity;
mod limits;
mod outcome;
mod prices;
mod profile;
mod rows;
mod rule;
mod run;
mod sandbox;
mod self_test;
mod specimen_hash;
mod ticker;
mod transcoding;
mod verdict;

pub use admission::{
    AdmissionError, COMPONENT_BYTES_WITH_WASI, Capability, Found, Grants, ManifestPlace, RefusalKind, ScanLimit,
    Toolchain, examine, manifest_of,
};
pub use evidence::{BasisReport, CheckOutcome, CheckReport, Evidence, ReasonClass};
pub use failure::{EngineError, HostFailure};
pub use host::Params;
pub use identity::RuleIdentity;
pub use limits::{
    AboveCap, AboveCeiling, FUEL_PER_INPUT_BYTE, LIMITS, Limit, LimitError, LimitSpec, Limits, PerLimit,
    UNIT_PICOSECONDS, WALL_MS_WITH_EVM,
};
pub use profile::{Allocation, EngineProfile, WASM_STACK_BYTES, WASMTIME_VERSION};
pub use refiner_text::UntrustedText;
pub use rule::{AdmittedRule, Description, OutputDescription, execution_digest};
pub use run::RunInput;
pub use sandbox::{AdmitFailure, LoadedRule, Sandbox};
pub use self_test::SelfTestError;
pub use specimen_hash::SpecimenHash;
pub use verdict::{Artifact, LimitUse, LogLevel, LogLine, Misuse, Run, TrapKind, Usage, Verdict, WAITS_MAX};
