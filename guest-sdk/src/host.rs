//! The reach of a rule: the imports of the contract in a component, a fixture in a native test.

#[cfg(target_family = "wasm")]
mod imports {
    pub use crate::bindings::refiner::rule::{
        evm::{Execution, execute},
        gas_profile::{Profile, open as open_profile},
        log::write as log,
        output::Artifact,
        params::get as param,
        receipts::{BlockReceipts, open as open_receipts},
        specimen::BlockSpecimen,
        state_changes::{Changes, open as open_changes},
        traces::{Frames, open as open_frames},
        what_if::{Overrides, excluded, execute as execute_what_if},
    };
}

#[cfg(not(target_family = "wasm"))]
use crate::fixture::host as imports;

pub use imports::{
    Artifact, BlockReceipts, BlockSpecimen, Changes, Execution, Frames, Overrides, Profile, excluded, execute,
    execute_what_if, log, open_changes, open_frames, open_profile, open_receipts, param,
};
