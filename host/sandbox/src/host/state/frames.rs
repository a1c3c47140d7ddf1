//! Readers of the calls of an execution.

use std::sync::Arc;

use refiner_evm::{Frame, Frames, Recordings, Step};
use refiner_rule_model::{Misuse, Thing};
use wasmtime::component::Resource;

use super::recordings::Position;
use crate::host::budget::BudgetExceeded;

/// The guest's handle of a recording of calls. Its number is its place in [`FrameReaders`].
pub struct FramesHandle;

/// The readers of calls.
#[derive(Default)]
pub(crate) struct FrameReaders(pub(in crate::host) Vec<Option<Reader>>);

/// A reader, at a step of its recording.
pub(in crate::host) struct Reader {
    pub(in crate::host) recordings: Arc<Recordings>,
    pub(in crate::host) payload_max: u32,
    pub(in crate::host) position: Position,
}

impl Reader {
    pub(in crate::host) fn frames(&self) -> Result<&Frames, BudgetExceeded> {
        self.recordings.frames.as_ref().ok_or_else(nothing_there)
    }

    /// The calls of the step.
    pub(in crate::host) fn step(&self) -> Result<&[Frame], BudgetExceeded> {
        Ok(match self.position.at.map(|at| self.frames().map(|frames| frames.steps.get(at))).transpose()? {
            Some(Step::Kept(step)) => step,
            Some(Step::TooLarge | Step::End) | None => &[],
        })
    }
}

impl FrameReaders {
    pub(in crate::host) fn get(&self, handle: &Resource<FramesHandle>) -> Result<&Reader, BudgetExceeded> {
        self.0.get(handle.rep() as usize).and_then(Option::as_ref).ok_or_else(nothing_there)
    }
}

pub(in crate::host) const fn nothing_there() -> BudgetExceeded {
    BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::CallRecording })
}
