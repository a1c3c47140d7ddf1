//! The reach of a rule: the imports of the contract in a component, a fixture in a native test.

#[cfg(target_family = "wasm")]
mod imports {
    pub use crate::bindings::refiner::rule::{
        evm::{Execution, execute},
        log::write as log,
        output::Artifact,
        params::get as param,
        receipts::{BlockReceipts, open as open_receipts},
        specimen::BlockSpecimen,
        state_changes::{Changes, open as open_changes},
        traces::{Frames, open as open_frames},
    };
}

#[cfg(not(target_family = "wasm"))]
use crate::fixture::host as imports;

pub use imports::{
    Artifact, BlockReceipts, BlockSpecimen, Changes, Execution, Frames, execute, log, open_changes, open_frames,
    open_receipts, param,
};
