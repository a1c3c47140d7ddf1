//! Readers of the state before and after each step.

use std::sync::Arc;

use alloy_primitives::B256;
use refiner_evm::{Recordings, StateStep, Step, Steps};
use refiner_rule_model::{Misuse, Thing};
use wasmtime::component::Resource;

use super::recordings::Position;
use crate::host::budget::BudgetExceeded;

/// The guest's handle of a recording of state. Its number is its place in [`ChangeReaders`].
pub struct ChangesHandle;

/// The readers of state.
#[derive(Default)]
pub(crate) struct ChangeReaders(pub(in crate::host) Vec<Option<Reader>>);

/// A reader, at a step of its recording.
pub(in crate::host) struct Reader {
    pub(in crate::host) recordings: Arc<Recordings>,
    pub(in crate::host) position: Position,
    /// Steps entered so far: code of later ones is not known yet.
    pub(in crate::host) entered: u32,
}

impl Reader {
    pub(in crate::host) fn steps(&self) -> Result<&Steps<StateStep>, BudgetExceeded> {
        self.recordings.state.as_ref().ok_or_else(nothing_there)
    }

    pub(in crate::host) fn step(&self) -> Result<Option<&StateStep>, BudgetExceeded> {
        Ok(match self.position.at.map(|at| self.steps().map(|steps| steps.get(at))).transpose()? {
            Some(Step::Kept(step)) => Some(step),
            Some(Step::TooLarge | Step::End) | None => None,
        })
    }

    /// Code that was deployed in a step that the reader entered.
    pub(in crate::host) fn deployed(&self, hash: B256) -> Result<Option<&[u8]>, BudgetExceeded> {
        let steps = self.steps()?;
        let entered = (0..self.entered).filter_map(|number| match steps.get(number) {
            Step::Kept(step) => Some(&step.codes),
            Step::TooLarge | Step::End => None,
        });
        // A step can deploy tens of thousands, and is paid for as one.
        let mut found = entered.filter_map(|codes| {
            let position = codes.binary_search_by(|(deployed, _)| deployed.cmp(&hash)).ok()?;
            codes.get(position)
        });
        Ok(found.next().map(|(_, code)| &code[..]))
    }
}

impl ChangeReaders {
    pub(in crate::host) fn get(&self, handle: &Resource<ChangesHandle>) -> Result<&Reader, BudgetExceeded> {
        self.0.get(handle.rep() as usize).and_then(Option::as_ref).ok_or_else(nothing_there)
    }
}

pub(in crate::host) const fn nothing_there() -> BudgetExceeded {
    BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::StateRecording })
}
