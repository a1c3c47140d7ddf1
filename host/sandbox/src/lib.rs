//! Runs rules, which are untrusted WebAssembly components, and turns each run into a verdict.
//!
//! * **Inputs**: a component, grants, and specimens.
//! * **Outputs**: a [`AdmissionError`](refiner_rule_model::AdmissionError) before any of its code runs, or for each specimen a [`Run`](refiner_rule_model::Run): a [`Verdict`](refiner_rule_model::Verdict) that is
//!   the same on every machine, the use of each limit, and the log. A fault around the rule is a [`HostFailure`](refiner_rule_model::HostFailure).
//! * **Invariants**: no file, socket, key or environment, and no clock that a guest can read. The only crate that
//!   knows wasmtime.
//!
//! ```no_run
//! use refiner_rule_model::{Grants, Run};
//! use refiner_sandbox::{EngineProfile, RunInput, Sandbox};
//!
//! fn run(component: &[u8], input: RunInput) -> Result<Run, Box<dyn std::error::Error>> {
//!     let sandbox = Sandbox::new(EngineProfile::of_this_process())?;
//!     let rule = sandbox.admit(component, None, &Grants::all())?;
//!     Ok(rule.run(input)?)
//! }
//! ```

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
pub use rule::AdmittedRule;
pub use run::RunInput;
pub use sandbox::{AdmitFailure, LoadedRule, Sandbox};
pub use self_test::SelfTestError;
