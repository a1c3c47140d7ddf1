//! Runs rules, which are untrusted WebAssembly components, and turns each run into a verdict.
//!
//! * **Inputs**: a component, grants, and specimens.
//! * **Outputs**: a [`AdmissionError`] before any of its code runs, or for each specimen a [`Run`]: a [`Verdict`] that is
//!   the same on every machine, the use of each limit, and the log. A fault around the rule is a [`HostFailure`].
//! * **Invariants**: no file, socket, key or environment, and no clock that a guest can read. The only crate that
//!   knows wasmtime.

mod bindings;
mod compiled;
mod failure;
mod host;
mod outcome;
mod prices;
mod profile;
mod rows;
mod rule;
mod run;
mod sandbox;
mod self_test;
mod ticker;
mod transcoding;

pub use failure::EngineError;
pub use profile::{Allocation, EngineProfile};
pub use refiner_rule_model::{
    AboveCap, AboveCeiling, AdmissionError, Artifact, BasisReport, COMPONENT_BYTES_WITH_WASI, Capability, CheckOutcome,
    CheckReport, Description, Evidence, FUEL_PER_INPUT_BYTE, Found, Grants, HostFailure, LIMITS, Limit, LimitError,
    LimitSpec, LimitUse, Limits, LogLevel, LogLine, ManifestPlace, Misuse, OutputDescription, Params, PerLimit,
    ReasonClass, RefusalKind, RuleIdentity, Run, ScanLimit, SpecimenHash, Toolchain, TrapKind, UNIT_PICOSECONDS,
    UntrustedText, Usage, Verdict, WAITS_MAX, WALL_MS_WITH_EVM,
    engine::{WASM_STACK_BYTES, WASMTIME_VERSION},
    examine, execution_digest, manifest_of,
};
pub use rule::AdmittedRule;
pub use run::RunInput;
pub use sandbox::{AdmitFailure, LoadedRule, Sandbox};
pub use self_test::SelfTestError;
