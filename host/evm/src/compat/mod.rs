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
mod go_json;
mod state_root;
mod synthetic_header;

use std::borrow::Cow;

use alloy_primitives::B256;
use refiner_specimen::{Block, Specimen, Transaction};

use self::{
    document::Document,
    era::EvmServer,
    state_root::state_root,
    synthetic_header::{SyntheticHeader, manufacture},
};
use crate::{
    chain::ChainSpec,
    code::CodeCache,
    error::{ExecuteError, Rejected, Unsupported},
    execution::{self, ExecutedReceipt, Execution, SenderGate},
    fork_profile::ForkProfile,
    format::{Era, ResultFormat},
    header_checks::{header_checks, producer_check},
    meter::Budget,
    outcome::TransactionOutcome,
    receipts::commit,
    runner::{self, Job},
    transaction::Supplement,
};

pub use self::answer::UnverifiedAnswer;
pub(crate) use self::answer::verify;

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
    let block = &specimen.block;
    let (frame, rules) = Frame::of(block, chain, era)?;

    let supplement = Supplement::dummy_blobs(block, &rules);
    let hashes = &frame.manufactured.transaction_hashes;
    let outcome =
        runner::run(&Job { block, rules: &rules, hashes, supplement: &supplement, codes, budget, expected: None })?;
    let state_root = state_root(&outcome.post_state);
    let receipts: Vec<ExecutedReceipt> = outcome.transactions.into_iter().filter_map(executed).collect();
    let mut checks = header_checks(block, outcome.gas_used, &commit(&receipts), outcome.requests.as_deref());
    checks.push(producer_check(&block.receipts, &receipts));

    let document = execution::Document::Written(frame.document(&receipts, state_root).into());
    Ok(Execution::new(outcome.gas_used, receipts, checks, document, senders))
}

/// The parts of an era's document that are known before anything is executed.
pub(crate) struct Frame<'a> {
    format: ResultFormat,
    server: &'static EvmServer,
    block: &'a Block,
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
        if block.uncles.as_ref().is_some_and(|uncles| !uncles.is_empty()) {
            return Err(Unsupported::Uncles { format }.into());
        }
        let (transactions, senders) = (block.transactions.len(), block.senders.len());
        if transactions != senders {
            return Err(Rejected::SenderCount { transactions, senders }.into());
        }
        let server = EvmServer::of(era);
        let rules = (server.rules)(chain, block)?;
        let transactions = server.transactions(block)?;
        let manufactured = manufacture((server.manufactured_header)(block), &transactions, format)?;
        Ok((Self { format, server, block, transactions, manufactured }, rules))
    }

    /// The bytes of the document around these receipts and this state.
    fn document(&self, receipts: &[ExecutedReceipt], state_root: B256) -> Vec<u8> {
        let Self { server, block, transactions, manufactured, .. } = self;
        Document { server, block, transactions, manufactured, receipts, state_root }.write()
    }
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
