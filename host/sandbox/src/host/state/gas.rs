//! Readers of the gas that each step used.

use std::sync::Arc;

use refiner_evm::{GasItem, Recordings, Step};
use refiner_rule_model::{Misuse, Thing};

use super::recordings::Position;
use crate::host::budget::BudgetExceeded;

/// The guest's handle of a recording of gas. Its number is its place in [`ProfileReaders`].
pub struct ProfileHandle;

/// The readers of gas.
#[derive(Default)]
pub(crate) struct ProfileReaders(pub(in crate::host) Vec<Option<Reader>>);

/// A reader, at a step of its recording.
pub(in crate::host) struct Reader {
    pub(in crate::host) recordings: Arc<Recordings>,
    pub(in crate::host) position: Position,
}

impl Reader {
    pub(in crate::host) fn step(&self) -> Result<&[GasItem], BudgetExceeded> {
        let steps = self.recordings.gas.as_ref().ok_or_else(nothing_there)?;
        Ok(match self.position.at.map(|at| steps.get(at)) {
            Some(Step::Kept(step)) => step,
            Some(Step::TooLarge | Step::End) | None => &[],
        })
    }
}

/// The misuse of a handle without a recording.
pub(in crate::host) const fn nothing_there() -> BudgetExceeded {
    BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::GasRecording })
}
