//! Kinds of recordings, and the place of a reader in one.

use std::collections::BTreeSet;

use refiner_evm::{RecordingTerms, Step, Steps};
use refiner_rule_model::{Capability, Limit};

use crate::host::budget::{Budget, BudgetExceeded};

/// Bytes of each recording that is made while the block is executed for the first time. A larger one is made when a rule opens
/// it, by an execution of its own, so that no rule makes the host hold what it does not read.
const HELD_BYTES: u64 = 64 << 20;

/// Kinds of recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(in crate::host) frames: bool,
    pub(in crate::host) state: bool,
    pub(in crate::host) gas: bool,
}

impl Wanted {
    /// The recordings that a rule with these capabilities can open.
    pub(crate) fn by(needs: &BTreeSet<Capability>) -> Self {
        Self {
            frames: needs.contains(&Capability::Traces),
            state: needs.contains(&Capability::StateChanges),
            gas: needs.contains(&Capability::GasProfile),
        }
    }

    /// The terms of an execution that records these; `None` where it records nothing.
    pub(crate) fn terms(self) -> Option<RecordingTerms> {
        let payload_max = self.frames.then_some(u32::MAX);
        let terms = RecordingTerms { payload_max, state: self.state, gas: self.gas, bytes_max: HELD_BYTES };
        (self.frames || self.state || self.gas).then_some(terms)
    }
}

/// The place of a reader in its recording.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::host) struct Position {
    /// The step to be read; `None` before the first and after the last one.
    pub(in crate::host) at: Option<u32>,
    next: u32,
}

impl Position {
    /// Enters the next step of these and pays for its bytes.
    pub(in crate::host) fn enter<T>(
        &mut self,
        steps: &Steps<T>,
        budget: &mut Budget,
        bytes_of: impl Fn(&T) -> u64,
    ) -> Result<Option<u32>, BudgetExceeded> {
        let number = self.next;
        match steps.get(number) {
            Step::Kept(step) => budget.spend(Limit::RecordBytes, bytes_of(step))?,
            // It did not fit what the limit grants a whole run.
            Step::TooLarge => return Err(budget.used_up(Limit::RecordBytes)),
            Step::End => {
                self.at = None;
                return Ok(None);
            }
        }
        self.at = Some(number);
        self.next = number.saturating_add(1);
        Ok(self.at)
    }
}
