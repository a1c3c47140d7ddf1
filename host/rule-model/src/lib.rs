//! The model of a rule: what is known of it without running it, and what a run of it ends with.
//!
//! * **Inputs**: a component's bytes and the text of its manifest, the grants of an operator.
//! * **Outputs**: the [`admission::Terms`] on which a component is let into a sandbox, or an [`AdmissionError`]; [`Limits`], the
//!   [`RuleIdentity`] that results depend on; and the types of a run that has ended: [`Run`], [`Verdict`], [`Evidence`], [`HostFailure`].
//! * **Invariants**: nothing of a component is compiled or run, and no engine is linked: a process that holds a key may use all of this.
//!
//! ```
//! use refiner_rule_model::{AdmissionError, Found, Grants, Limit, Limits, admission};
//!
//! let text = "name = \"case\"\nversion = \"1.0.0\"\nworld = \"transform\"\nlayouts = []\ncapabilities = []\noutputs = []\n\
//!             licence = \"Apache-2.0\"\nsource = \"example\"\n[limits]\ncalls = 5\n";
//! let manifest = refiner_manifest::Manifest::parse(text)?;
//! assert_eq!(Limits::asked_by(&manifest)?.get(Limit::Calls), 5);
//!
//! let refused = admission::check(b"", Some(text), &Grants::default());
//! assert_eq!(refused.err(), Some(AdmissionError::NotAComponent { found: Found::Nothing }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod admission;
pub mod contract;
mod description;
pub mod engine;
mod evidence;
mod failure;
mod identity;
mod limits;
mod params;
mod sample;
mod specimen_hash;
mod verdict;

pub use admission::{
    AdmissionError, COMPONENT_BYTES_WITH_WASI, Found, Grants, ManifestPlace, RefusalKind, ScanLimit, Toolchain,
    examine, intact, manifest_of,
};
pub use contract::Capability;
pub use description::{Description, OutputDescription};
pub use evidence::{BasisReport, CheckOutcome, CheckReport, Evidence, ReasonClass};
pub use failure::HostFailure;
pub use identity::RuleIdentity;
pub use limits::{
    AboveCap, AboveCaps, AboveCeiling, AboveCeilings, FUEL_PER_INPUT_BYTE, LIMITS, Limit, LimitError, LimitSpec,
    Limits, PerLimit, TooLittleTime, UNIT_PICOSECONDS, WALL_MS_WITH_EVM,
};
pub use params::{Params, TwoValues};
pub use refiner_text::UntrustedText;
pub use sample::{FUNCTION_NAME_BYTES_MAX, FuelParts, FuelSample, Function, SAMPLE_FRAMES_MAX};
pub use specimen_hash::SpecimenHash;
pub use verdict::{Artifact, LimitUse, LogLevel, LogLine, Misuse, Run, Thing, TrapKind, Usage, Verdict, WAITS_MAX};
