//! The meter of one run.

use revm::{context::JournalEntry, primitives::U256};

use super::{
    LOOK_EVERY,
    budget::{Budget, BudgetExceeded, ExpectedGas},
    bytes,
    costs::MOST_RATIO,
};

/// Frames that can be open at once, and the one that is refused for its depth.
const FRAMES: usize = 1026;

/// Counts the gas and the bytes of one run against a [`Budget`]. The context's `chain` field.
pub(crate) struct Meter<'a> {
    budget: &'a Budget<'a>,
    expected: Option<ExpectedGas>,
    /// A transaction pays for at least what it spent, less the share of it that is refunded: one in this many.
    refund_quotient: u64,
    /// Gas that the transactions so far pay for.
    paid: u64,
    paying: Paying,
    /// By depth: what the frame spent of its transaction's gas if it held nothing.
    spendable: Box<[u64; FRAMES]>,
    /// By depth: bytes that the frames above hold.
    held: Box<[u64; FRAMES]>,
    /// Gas spent in this transaction at which to look next.
    next_look: u64,
    /// Measured cost of this transaction beyond its gas.
    weight: u64,
    /// Bytes that stay until the block's end.
    block_bytes: u64,
    /// Bytes that stay until the transaction's end and are not in the journal.
    transaction_bytes: u64,
    /// The end of this run, once there is one.
    stop: Option<BudgetExceeded>,
    /// The price of blob gas where it has more than 128 bits, if it has no more than 256.
    pub(crate) blob_price: Option<U256>,
}

/// The part of a block's `gasUsed` that a run pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paying {
    /// A transaction's.
    Sender,
    /// None: a system call.
    Nothing,
}

/// A meter's counts of a run up to a point between two transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    paid: u64,
    block_bytes: u64,
}

/// The open frames at the moment of a check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    /// Gas spent in the transaction.
    pub(super) spent: u64,
    /// Depth of the frame.
    pub(super) depth: usize,
    /// Bytes of EVM memory of every frame, and of this frame's return data.
    pub(super) memory: u64,
    /// Entries of the journal.
    pub(super) entries: usize,
}

impl<'a> Meter<'a> {
    /// A meter of a run over a block that holds `block_bytes` before its first transaction.
    pub(crate) fn new(budget: &'a Budget<'a>, expected: Option<ExpectedGas>, london: bool, block_bytes: u64) -> Self {
        Self {
            budget,
            expected,
            refund_quotient: if london { 5 } else { 2 },
            paid: 0,
            paying: Paying::Nothing,
            spendable: Box::new([0; FRAMES]),
            held: Box::new([0; FRAMES]),
            next_look: 0,
            weight: 0,
            block_bytes,
            transaction_bytes: 0,
            stop: None,
            blob_price: None,
        }
    }

    /// The counts of its run so far.
    pub(crate) const fn mark(&self) -> Mark {
        Mark { paid: self.paid, block_bytes: self.block_bytes }
    }

    /// Bytes that its run holds until the block's end, the block result's included.
    pub(crate) const fn block_bytes(&self) -> u64 {
        self.block_bytes
    }

    /// Takes it back to an earlier point of its run. What was used of the budget stays used.
    pub(crate) const fn reset(&mut self, mark: Mark) {
        self.paid = mark.paid;
        self.block_bytes = mark.block_bytes;
    }

    /// Begins a transaction, or a system call.
    ///
    /// `prepaid` is gas that it pays for work done before its first instruction, `bytes` what it holds meanwhile.
    pub(crate) fn begin(
        &mut self,
        gas_limit: u64,
        prepaid: u64,
        bytes: u64,
        paying: Paying,
    ) -> Result<(), BudgetExceeded> {
        self.paying = paying;
        self.spendable[0] = gas_limit;
        self.held[0] = 0;
        self.next_look = 0;
        self.weight = 0;
        self.transaction_bytes = bytes;
        let position = Position { spent: prepaid, depth: 0, memory: 0, entries: 0 };
        self.look(position)?;
        self.next_look = 0;
        Ok(())
    }

    /// Ends a transaction that spent and finally used this much gas.
    pub(crate) fn settle(&mut self, spent: u64, used: u64) -> Result<(), BudgetExceeded> {
        if self.paying == Paying::Sender {
            self.paid = self.paid.saturating_add(used);
        }
        let within = self.budget.charge(spent.saturating_add(std::mem::take(&mut self.weight)));
        self.settled(within, self.paid)
    }

    /// Gas spent in the transaction, as seen from a frame that holds `remaining`.
    #[inline]
    pub(super) fn spent(&self, depth: usize, remaining: u64) -> u64 {
        self.spendable.get(depth).map_or(u64::MAX, |spendable| spendable.saturating_sub(remaining))
    }

    /// Whether this much spent gas calls for a look.
    #[inline]
    pub(super) const fn is_due(&self, spent: u64) -> bool {
        spent >= self.next_look
    }

    /// Compares everything with its bound.
    pub(super) fn look(&mut self, position: Position) -> Result<(), BudgetExceeded> {
        self.next_look = position.spent.saturating_add(LOOK_EVERY);
        self.budget.check_interrupt()?;
        let pending = position.spent.saturating_add(self.weight);
        let within = self.budget.check(pending).and_then(|()| self.check_bytes(&position));
        self.settled(within, self.paid_at_least(position.spent)).inspect_err(|_| {
            // A later run with the same budget counts on from here.
            let _ = self.budget.charge(pending);
        })
    }

    /// Gas that the block pays for at the least, whatever is refunded, with `spent` in this transaction.
    const fn paid_at_least(&self, spent: u64) -> u64 {
        match self.paying {
            Paying::Sender => self.paid.saturating_add(spent - spent / self.refund_quotient),
            Paying::Nothing => self.paid,
        }
    }

    /// The header refutes a block before any bound does.
    fn settled(&self, within: Result<(), BudgetExceeded>, at_least: u64) -> Result<(), BudgetExceeded> {
        let Some(expected) = self.expected else { return within };
        expected.check(at_least, if within.is_ok() { expected.slack } else { 0 }).and(within)
    }

    fn check_bytes(&self, position: &Position) -> Result<(), BudgetExceeded> {
        self.bytes_within(position, 0)
    }

    /// Checks that the bound on memory holds with `more` bytes.
    pub(super) fn bytes_within(&self, position: &Position, more: u64) -> Result<(), BudgetExceeded> {
        let held = self.held.get(position.depth).copied().unwrap_or_default();
        let parts = [
            self.block_bytes,
            self.transaction_bytes,
            held,
            position.memory,
            position.depth as u64 * bytes::FRAME,
            position.entries as u64 * bytes::JOURNAL_ENTRY,
            more,
        ];
        bytes::within(parts.into_iter().fold(0, u64::saturating_add))
    }

    /// A frame at `depth` that keeps `remaining` gas and `bytes` opens another.
    #[inline]
    pub(super) fn open(&mut self, depth: usize, remaining: u64, bytes: u64) {
        if depth + 1 < FRAMES {
            self.spendable[depth + 1] = self.spendable[depth].saturating_sub(remaining);
            self.held[depth + 1] = self.held[depth].saturating_add(bytes);
        }
    }

    /// Counts what new journal entries added to the state and to transient storage.
    #[inline]
    pub(super) fn count(&mut self, entries: &[JournalEntry]) {
        for entry in entries {
            match entry {
                JournalEntry::StorageWarmed { .. } => self.block_bytes += bytes::SLOT,
                JournalEntry::AccountWarmed { .. } => self.block_bytes += bytes::ACCOUNT,
                JournalEntry::TransientStorageChange { had_value, .. } if had_value.is_zero() => {
                    self.transaction_bytes += bytes::TRANSIENT_SLOT;
                }
                _ => {}
            }
        }
    }

    /// Counts a log.
    pub(super) fn count_log(&mut self, topics: usize, data: usize) {
        self.block_bytes = self.block_bytes.saturating_add(bytes::log(topics, data));
    }

    /// Counts an account that is created, as its frame journals it before the first instruction.
    pub(super) const fn count_creation(&mut self) {
        self.block_bytes = self.block_bytes.saturating_add(bytes::ACCOUNT);
    }

    /// Counts code that a creation returns.
    pub(super) const fn count_code(&mut self, len: usize) {
        self.block_bytes = self.block_bytes.saturating_add(bytes::of_code(len));
    }

    /// Whether a precompile may run that costs this much, if the gas given to it pays for it at all.
    pub(super) fn before_precompile(&self, spent: u64, cost: u64, given: u64) -> Result<(), BudgetExceeded> {
        self.budget.check_interrupt()?;
        if given >= cost / MOST_RATIO && cost > self.left(spent) {
            return Err(self.refuse(spent, cost));
        }
        Ok(())
    }

    /// Ends the run.
    pub(super) const fn stop(&mut self, stop: BudgetExceeded) {
        self.stop = Some(stop);
    }

    /// The end of the run, if there was one.
    pub(super) const fn take_stop(&mut self) -> Option<BudgetExceeded> {
        self.stop.take()
    }

    /// Counts measured cost beyond gas.
    pub(super) fn weigh(&mut self, gas: u64) {
        self.weight = self.weight.saturating_add(gas);
        // Looked at soon, wherever the gas stands.
        self.next_look = 0;
    }

    /// Measured cost that the budget has left at `spent` gas.
    pub(super) fn left(&self, spent: u64) -> u64 {
        self.budget.left_after(spent.saturating_add(self.weight))
    }

    /// The stop of a step that takes `more` than is left, before it is taken.
    pub(super) fn refuse(&self, spent: u64, more: u64) -> BudgetExceeded {
        let at_least = self.paid_at_least(spent);
        let too_large = self.budget.too_large(self.weight.saturating_add(spent).saturating_add(more));
        self.settled(Err(too_large), at_least).err().unwrap_or(too_large)
    }
}
