//! Readers of the gas of an execution.

use std::sync::Arc;

use refiner_evm::{GasItem, Recordings, Step};
use refiner_rule_model::Misuse;

use super::{BudgetExceeded, position::Position};

/// The guest's handle of a recording of gas. Its number is its place in [`ProfileReaders`].
pub struct ProfileHandle;

/// The readers of gas.
#[derive(Default)]
pub(crate) struct ProfileReaders(pub(super) Vec<Option<GasReader>>);

/// A reader, at a step of its recording.
pub(super) struct GasReader {
    pub(super) recordings: Arc<Recordings>,
    pub(super) position: Position,
}

impl GasReader {
    pub(super) fn step(&self) -> Result<&[GasItem], BudgetExceeded> {
        let steps = self.recordings.gas.as_ref().ok_or_else(nothing_there)?;
        Ok(match self.position.at.map(|at| steps.get(at)) {
            Some(Step::Kept(step)) => step,
            Some(Step::TooLarge | Step::End) | None => &[],
        })
    }
}

pub(super) const fn nothing_there() -> BudgetExceeded {
    BudgetExceeded::Misuse(Misuse::NothingThere { what: "recording of gas" })
}
