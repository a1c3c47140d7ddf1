//! Bytes that execution holds, by what holds them. Each figure covers the entry itself, the empty places of its
//! collection (a hash table is half to seven eighths full, a vector doubles) and the copy while it grows.

use refiner_specimen::Block;

use super::budget::BudgetExceeded;
use crate::error::Resource;

/// The most bytes that the state, the EVM and the block result of one execution may hold together.
///
/// Measured with `cargo bench -p refiner-evm --bench hostile`: with it no block takes 512 MiB.
pub(super) const MOST_BYTES: u64 = 256 << 20;

/// A storage slot in the state.
pub(super) const SLOT: u64 = 240;
/// An account in the state, without its storage.
pub(super) const ACCOUNT: u64 = 500;
/// An entry of the journal, which reverts one change.
pub(super) const JOURNAL_ENTRY: u64 = 160;
/// A slot of transient storage.
pub(super) const TRANSIENT_SLOT: u64 = 160;
/// A key of an access list, stated and warm.
const ACCESS_LIST_KEY: u64 = 128;
/// An open frame: its stack and what surrounds it.
pub(super) const FRAME: u64 = 34 << 10;
/// A transaction in the block result, without its input, and the two accounts that it may add to the state.
const TRANSACTION: u64 = 2_000 + 2 * ACCOUNT;
/// A log in the receipt and in the block result, without its data and topics.
const LOG: u64 = 700;
const TOPIC: u64 = 100;
/// Bytes that hold one byte of data in the EVM, in the encoded receipt and, as two digits, in the block result.
const DATA: u64 = 4;
/// Bytes that hold two of input: as digits in the block result.
const INPUT: u64 = 2;

/// Checks that the bound on memory holds with this many bytes.
pub(super) const fn within(used: u64) -> Result<(), BudgetExceeded> {
    if used > MOST_BYTES {
        return Err(BudgetExceeded::TooLarge { resource: Resource::Memory, used, bound: MOST_BYTES });
    }
    Ok(())
}

/// Bytes that a block holds before anything is executed: its state, its analysed code and the text of its transactions.
pub(crate) fn of_block(block: &Block) -> u64 {
    let state = &block.state;
    let codes = state.codes.pieces().map(|piece| of_code(piece.len())).fold(0, u64::saturating_add);
    let inputs = block.transactions.iter().map(|transaction| transaction.input.len() as u64).sum::<u64>();
    let parts = [
        state.accounts.len() as u64 * ACCOUNT,
        state.storage.len() as u64 * SLOT,
        codes,
        block.transactions.len() as u64 * TRANSACTION,
        inputs.saturating_mul(INPUT),
    ];
    parts.into_iter().fold(0, u64::saturating_add)
}

/// Code that is analysed: its bytes, padded, and one bit a byte of jump table.
pub(super) const fn of_code(len: usize) -> u64 {
    let len = len as u64;
    len + len / 8
}

/// Init code that waits in a frame: as it was in memory, and analysed.
pub(super) const fn of_init_code(len: usize) -> u64 {
    len as u64 + of_code(len)
}

/// A list of warm addresses and slots.
pub(super) const fn of_access_list(keys: usize) -> u64 {
    keys as u64 * ACCESS_LIST_KEY
}

pub(super) const fn log(topics: usize, data: usize) -> u64 {
    LOG + topics as u64 * TOPIC + (data as u64).saturating_mul(DATA)
}
