//! The reach of a rule: the imports of the contract in a component, a fixture in a native test.

#[cfg(target_family = "wasm")]
mod imports {
    pub use crate::bindings::refiner::rule::{
        evm::{Execution, execute},
        log::write as log,
        output::Artifact,
        params::get as param,
        specimen::BlockSpecimen,
    };
}

#[cfg(not(target_family = "wasm"))]
use crate::fixture::host as imports;

pub use imports::{Artifact, BlockSpecimen, Execution, execute, log, param};
