//! The exact bytes of the network's evm-server, era by era.
//!
//! The server executed blocks by rules that were not quite the chain's, around a block that it made up; operators agree
//! by the hash of what it wrote, so its faults are kept here, and only here. Each era's peculiarities are data in a file
//! of its own; the EVM, the state root and the document are shared.

mod answer;
mod document;
mod era;
mod era_a;
mod era_b;
mod era_c;
mod era_d;
mod era_e;
mod eras;
mod go_json;
mod state_root;
mod synthetic_header;
mod unverified;

use std::borrow::Cow;

use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::{Address, B256};
use refiner_specimen::{Block, Specimen, Transaction};
use revm::primitives::hardfork::SpecId;

use self::{
    document::Document,
    era::{EvmServer, is_after_merge},
    state_root::state_root,
    synthetic_header::{SyntheticHeader, bare_uncle, manufacture},
};
use crate::{
    chain::ChainSpec,
    code::CodeCache,
    error::{ExecuteError, Rejected, Unsupported},
    execution::{self, ExecutedReceipt, Execution, SenderGate},
    fork_profile::ForkProfile,
    format::{Era, ResultFormat},
    header_checks::{header_checks, producer_check},
    meter::{Budget, BudgetExceeded, RepeatedLogs},
    outcome::TransactionOutcome,
    receipts::commit,
    runner::{self, Job},
    transaction::{BLOB, Supplement},
};

pub(crate) use self::answer::verify;
pub use self::unverified::UnverifiedAnswer;

/// The only chain that the server knew: Ethereum's mainnet.
const MAINNET: u64 = 1;

/// Executes the block by the rules of an era and writes the bytes that era's evm-server wrote.
///
/// The checks are made for information: the right bytes can tell of a wrong execution.
pub(crate) fn execute(
    specimen: &Specimen,
    chain: &ChainSpec,
    era: Era,
    codes: &CodeCache,
    budget: &Budget<'_>,
    senders: SenderGate,
) -> Result<Execution, ExecuteError> {
    let (frame, rules) = Frame::of(&specimen.block, chain, era)?;
    let block = &*frame.block;

    let supplement = Supplement::dummy_blobs(block, &rules);
    let hashes = &frame.manufactured.transaction_hashes;
    let outcome = runner::run(&Job {
        block,
        rules: &rules,
        hashes,
        supplement: &supplement,
        codes,
        budget,
        expected: None,
        recording: None,
        hypothesis: None,
    })?;
    let state_root = state_root(&outcome.post_state);
    let receipts: Vec<ExecutedReceipt> = outcome.transactions.into_iter().filter_map(executed).collect();
    frame.check_blob_gas(&receipts)?;
    let block = &specimen.block;
    let mut checks = header_checks(block, outcome.gas_used, &commit(&receipts), outcome.requests.as_deref());
    checks.push(producer_check(&block.receipts, &receipts));

    let repeated = RepeatedLogs::after(budget, outcome.held_bytes);
    let document = frame.document(&receipts, state_root, outcome.opening_logs, repeated)?;
    let document = execution::Document::Written(document.into());
    Ok(Execution::new(outcome.gas_used, receipts, checks, document, senders))
}

/// The parts of an era's document that are known before anything is executed.
pub(crate) struct Frame<'a> {
    format: ResultFormat,
    server: &'static EvmServer,
    /// The block as the server took it.
    block: Cow<'a, Block>,
    transactions: Vec<Cow<'a, Transaction>>,
    manufactured: SyntheticHeader,
}

impl<'a> Frame<'a> {
    /// With the rules by which the era executed the block. Errors where it had no document.
    pub(crate) fn of(block: &'a Block, chain: &ChainSpec, era: Era) -> Result<(Self, ForkProfile), ExecuteError> {
        let format = ResultFormat::EvmServer(era);
        if block.network_id != MAINNET {
            return Err(Unsupported::EvmServerChain { network_id: block.network_id, format }.into());
        }
        let (transactions, senders) = (block.transactions.len(), block.senders.len());
        if transactions != senders {
            return Err(Rejected::SenderCount { transactions, senders }.into());
        }
        let server = EvmServer::of(era);
        if server.knows_merge && is_after_merge(block) && !block.header.difficulty.is_zero() {
            return Err(Unsupported::DifficultyAfterMerge { format }.into());
        }
        let transactions = server.transactions(block)?;
        let rules = (server.rules)(chain, block)?;
        let block = as_taken(block, &rules);
        let rules = match &block {
            Cow::Borrowed(_) => rules,
            Cow::Owned(block) => (server.rules)(chain, block)?,
        };
        let manufactured = manufacture((server.manufactured_header)(&block), &transactions, format)?;
        Ok((Self { format, server, block, transactions, manufactured }, rules))
    }

    /// The server had no result where the header's blob gas is not that of the transactions which it executed.
    fn check_blob_gas(&self, receipts: &[ExecutedReceipt]) -> Result<(), Unsupported> {
        let Some(stated) = self.block.header.blob_gas_used.filter(|_| self.server.blob_gas_is_checked) else {
            return Ok(());
        };
        let executed = receipts.iter().map(|receipt| &self.transactions[receipt.transaction_index as usize]);
        let blobs = executed.filter(|tx| tx.tx_type == BLOB).flat_map(|tx| tx.blob_hashes.iter().flatten()).count();
        let used = blobs as u64 * DATA_GAS_PER_BLOB;
        if used == stated { Ok(()) } else { Err(Unsupported::BlobGasUsed { used, stated, format: self.format }) }
    }

    /// The bytes of the document around these receipts and this state.
    fn document(
        &self,
        receipts: &[ExecutedReceipt],
        state_root: B256,
        opening_logs: u64,
        repeated: RepeatedLogs<'_>,
    ) -> Result<Vec<u8>, BudgetExceeded> {
        let Self { server, block, transactions, manufactured, .. } = self;
        Document { server, block, transactions, manufactured, receipts, state_root, opening_logs }.write(repeated)
    }
}

/// The block as every server took it: without a mix hash before London, and each uncle twice, first with neither miner nor age.
/// It then counted the uncles to the block's height.
fn as_taken<'a>(block: &'a Block, rules: &ForkProfile) -> Cow<'a, Block> {
    let mut taken = Cow::Borrowed(block);
    if !rules.spec.is_enabled_in(SpecId::LONDON) {
        taken.to_mut().header.mix_hash = B256::ZERO;
    }
    let uncles = block.uncles.as_deref().unwrap_or_default();
    if !uncles.is_empty() {
        let height = block.header.number;
        let number = height.saturating_add(2 * uncles.len() as u64);
        let unmined = uncles.iter().map(|_| bare_uncle(Address::ZERO, number));
        let mined = uncles.iter().map(|uncle| {
            let age = height.wrapping_sub(uncle.number);
            bare_uncle(uncle.beneficiary, number.wrapping_sub(age))
        });
        let block = taken.to_mut();
        block.uncles = Some(unmined.chain(mined).collect());
        block.header.number = number;
    }
    taken
}

/// The server left a rejected transaction without a receipt.
fn executed(transaction: TransactionOutcome) -> Option<ExecutedReceipt> {
    match transaction {
        TransactionOutcome::Executed(receipt) => Some(receipt),
        TransactionOutcome::Invalid(_) => None,
    }
}

#[cfg(test)]
mod tests;
