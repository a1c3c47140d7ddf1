//! Recordings of an execution, step by step.
//!
//! Step 0 is the work before the first transaction, step 1 the first transaction, and the last step the work after the last one.

use crate::{Access, AccountChange, B256, Frame, SlotChange, host, page};

/// The bytes that are read of each input and output of a call. The host copies no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// None of them.
    Nothing,
    /// The first four: a method's selector.
    Selector,
    /// All of them.
    All,
}

impl Payload {
    pub(crate) const fn most(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Selector => 4,
            Self::All => u32::MAX,
        }
    }
}

/// The transaction of a step, where it is one of `transactions`.
fn transaction_of(step: u32, transactions: u32) -> Option<u32> {
    step.checked_sub(1).filter(|index| *index < transactions)
}

/// The calls of an execution. They stay with the host.
pub struct Frames {
    host: host::Frames,
    transactions: u32,
}

/// The calls of one step.
pub struct FrameStep<'a> {
    frames: &'a Frames,
    /// Its number: the block access index of EIP-7928.
    pub number: u32,
    /// The transaction's position in the block; `None` before the first and after the last one.
    pub transaction_index: Option<u32>,
}

impl Frames {
    pub(crate) const fn new(host: host::Frames, transactions: u32) -> Self {
        Self { host, transactions }
    }

    /// Enters the next step; `None` after the last one.
    pub fn next_step(&mut self) -> Option<FrameStep<'_>> {
        let number = self.host.next()?;
        Some(FrameStep { number, transaction_index: transaction_of(number, self.transactions), frames: self })
    }
}

impl FrameStep<'_> {
    /// Number of calls in the step.
    pub fn count(&self) -> u32 {
        self.frames.host.count()
    }

    /// Calls in the order in which they began: each stands after the one that made it.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + use<'_> {
        page::items(|start, count| self.frames.host.page(start, count))
    }
}

impl Frame {
    /// Name of the instruction, `"CALL"`.
    pub const fn call_type(&self) -> &'static str {
        match self.opcode {
            0xf0 => "CREATE",
            0xf1 => "CALL",
            0xf2 => "CALLCODE",
            0xf4 => "DELEGATECALL",
            0xf5 => "CREATE2",
            0xfa => "STATICCALL",
            0xff => "SELFDESTRUCT",
            _ => "UNKNOWN",
        }
    }

    /// True when it moved wei from one account to another and was not undone.
    pub fn moves_value(&self) -> bool {
        // The value of these belongs to the frame around them.
        let own = !matches!(self.opcode, 0xf2 | 0xf4);
        own && !self.undone && self.value.is_some_and(|value| !value.is_zero())
    }
}

/// The differences of state of an execution. They stay with the host.
pub struct StateChanges {
    host: host::Changes,
    transactions: u32,
}

/// The differences of one step.
pub struct StateStep<'a> {
    changes: &'a StateChanges,
    /// Its number: the block access index of EIP-7928.
    pub number: u32,
    /// The transaction's position in the block; `None` before the first and after the last one.
    pub transaction_index: Option<u32>,
}

impl StateChanges {
    pub(crate) const fn new(host: host::Changes, transactions: u32) -> Self {
        Self { host, transactions }
    }

    /// Enters the next step; `None` after the last one.
    pub fn next_step(&mut self) -> Option<StateStep<'_>> {
        let number = self.host.next()?;
        Some(StateStep { number, transaction_index: transaction_of(number, self.transactions), changes: self })
    }
}

impl StateStep<'_> {
    /// Accounts that differ, by address.
    pub fn accounts(&self) -> impl Iterator<Item = AccountChange> + use<'_> {
        page::items(|start, count| self.changes.host.accounts(start, count))
    }

    /// Slots that differ, by address and slot.
    pub fn slots(&self) -> impl Iterator<Item = SlotChange> + use<'_> {
        page::items(|start, count| self.changes.host.slots(start, count))
    }

    /// Accounts and slots that were looked up, by address and slot, the account first.
    pub fn accesses(&self) -> impl Iterator<Item = Access> + use<'_> {
        page::items(|start, count| self.changes.host.accesses(start, count))
    }

    /// Code by its keccak256: the specimen's, or deployed up to this step.
    pub fn code(&self, hash: B256) -> Option<Vec<u8>> {
        self.changes.host.code(hash)
    }
}
