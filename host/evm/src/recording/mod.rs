//! Recordings of an execution: its calls, its changes of state and its gas, step by step.
//!
//! **Inputs**: the terms of a recording, and a block on its way through the EVM. **Outputs**: a list of calls, the
//! differences of state and the gas by opcode and contract for each step. **Invariants**: an execution without a recorder pays nothing; a recording keeps no
//! more bytes than its terms grant, by a count that is the same on every machine.
//!
//! Step 0 is the work before the first transaction, step i the transaction i - 1, the last step the work after the last
//! transaction: the block access index of EIP-7928.

mod frames;
mod gas;
mod run;
mod state;

pub use self::{
    frames::Frame,
    gas::{GasItem, gas_kind},
    state::{Access, AccountChange, AccountValue, SlotChange, StateStep},
};
pub(crate) use self::{
    frames::FrameRecorder,
    gas::{GasRecorder, TransactionGas},
    run::run,
    state::Watch,
};

/// Goes up when the same execution can give another recording than before.
pub const RECORDING_REVISION: u32 = 1;

/// The recordings that an execution makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingTerms {
    /// The most bytes of each input and output of a call; `None` where calls are not recorded.
    pub payload_max: Option<u32>,
    /// Differences of state are recorded.
    pub state: bool,
    /// Gas by opcode and contract is recorded.
    pub gas: bool,
    /// Bytes of each of the three, by [`Frame::bytes_within`], [`StateStep::bytes`] and [`GasItem::bytes`]: no allocator decides
    /// what fits.
    pub bytes_max: u64,
}

impl RecordingTerms {
    /// True when a recording on these terms holds what one on the others does, step for step.
    pub const fn covers(self, others: Self) -> bool {
        let payload_max = match (self.payload_max, others.payload_max) {
            (_, None) => true,
            (Some(kept), Some(wanted)) => kept == wanted,
            (None, Some(_)) => false,
        };
        payload_max && (self.state || !others.state) && (self.gas || !others.gas) && self.bytes_max == others.bytes_max
    }

    /// The terms of one recording for the readers of both, which keeps as much of each step as either.
    #[must_use]
    pub fn joined(self, others: Self) -> Self {
        Self {
            payload_max: self.payload_max.max(others.payload_max),
            state: self.state || others.state,
            gas: self.gas || others.gas,
            bytes_max: self.bytes_max.max(others.bytes_max),
        }
    }
}

/// The recordings of one execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recordings {
    /// Calls, where the terms ask for them.
    pub frames: Option<Frames>,
    /// Differences of state, where the terms ask for them.
    pub state: Option<Steps<StateStep>>,
    /// Gas by opcode and contract, where the terms ask for it.
    pub gas: Option<Steps<Vec<GasItem>>>,
}

/// The calls of each step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    /// The most bytes that are kept of each input and output.
    pub payload_max: u32,
    /// Calls in the order in which they began, for each step.
    pub steps: Steps<Vec<Frame>>,
}

/// The steps of a recording, up to the first that did not fit its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps<T> {
    kept: Vec<T>,
    count: u32,
}

/// A step of a recording, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a, T> {
    /// It is recorded.
    Kept(&'a T),
    /// It, or one before it, did not fit the bytes of the terms.
    TooLarge,
    /// There is no such step.
    End,
}

impl<T> Steps<T> {
    /// Steps that were all kept.
    pub fn whole(kept: Vec<T>) -> Self {
        let count = u32::try_from(kept.len()).unwrap_or(u32::MAX);
        Self { kept, count }
    }

    /// The step of this number.
    pub fn get(&self, number: u32) -> Step<'_, T> {
        match self.kept.get(number as usize) {
            Some(step) => Step::Kept(step),
            None if number < self.count => Step::TooLarge,
            None => Step::End,
        }
    }

    /// True when every step is there.
    pub const fn is_whole(&self) -> bool {
        self.kept.len() as u64 == self.count as u64
    }
}
