//! Sections that several layouts read alike, read once.
//!
//! The layouts 0.32 to 0.35 part only behind a block's state, so a file of 0.32 fits three newer ones almost to its end.
//! Keeping what they read makes finding its layout free instead of four times the work. A file of 0.3 parts from 0.31 in
//! its block hashes, the last of the state, which are therefore a section of their own.

use alloy_primitives::Address;

use super::{error::Read, wire::Wire};
use crate::{Block, BlockHashRead, Layout, Receipt, StateReads, Transaction};

/// The sections of a block that are kept from one attempt to the next.
#[derive(Default)]
pub(super) struct Sections {
    pub(super) transactions: Kept<Vec<Transaction>>,
    pub(super) unchanged: Kept<Unchanged>,
    pub(super) block_hashes: Kept<Vec<BlockHashRead>>,
}

/// Sections that have been the same since 0.3: receipts, senders, and state but for its block hashes.
#[derive(Default)]
pub(super) struct Unchanged {
    pub(super) receipts: Vec<Receipt>,
    pub(super) senders: Vec<Address>,
    pub(super) state: StateReads,
}

impl Sections {
    /// Moves the sections into the block they were read for.
    pub(super) fn give_to(&mut self, block: &mut Block) {
        block.transactions = self.transactions.take();
        let Unchanged { receipts, senders, state } = self.unchanged.take();
        block.receipts = receipts;
        block.senders = senders;
        block.state = StateReads { block_hashes: self.block_hashes.take(), ..state };
    }
}

/// The last reading of a section.
pub(super) struct Kept<T>(Option<Section<T>>);

struct Section<T> {
    /// A layout that stands for all with the same grammar.
    grammar: Layout,
    start: usize,
    bytes: usize,
    value: T,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Default> Kept<T> {
    /// Reads the section, or passes over it when the same grammar has read it from the same place.
    pub(super) fn read(
        &mut self,
        wire: &mut Wire<'_>,
        grammar: Layout,
        read: impl FnOnce(&mut Wire<'_>) -> Read<T>,
    ) -> Read<()> {
        let start = wire.offset();
        match &self.0 {
            Some(kept) if kept.grammar == grammar && kept.start == start => wire.take(kept.bytes).map(drop),
            _ => {
                let value = read(wire)?;
                self.0 = Some(Section { grammar, start, bytes: wire.offset() - start, value });
                Ok(())
            }
        }
    }

    fn take(&mut self) -> T {
        self.0.take().map(|kept| kept.value).unwrap_or_default()
    }
}
