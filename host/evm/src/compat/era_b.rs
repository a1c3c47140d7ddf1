//! Era B, from 14 April 2023: mainnet's forks up to Shanghai, with withdrawals.

use std::borrow::Cow;

use alloy_consensus::Header;
use refiner_specimen::{Block, Transaction};
use revm::primitives::hardfork::SpecId;

use super::{
    era::{EvmServer, PrintedHeader, is_after_merge},
    era_a,
    synthetic_header::{SyntheticHeader, bare_header, withdrawals_root},
};
use crate::{
    chain::ChainSpec,
    error::{ExecuteError, Unsupported},
    fork_profile::ForkProfile,
    format::{Era, ResultFormat},
};

pub(super) const SERVER: EvmServer = EvmServer {
    rules,
    transaction,
    manufactured_header,
    knows_merge: true,
    blob_gas_is_checked: false,
    printed_header,
    prints_signatures: false,
    has_withdrawals: true,
    has_blobs: false,
    has_requests: false,
};

/// Newest transaction type that the server knew; it panicked at others.
const NEWEST_TYPE: u8 = 2;

/// The server's chain configuration ended at Shanghai, so it executed later blocks by Shanghai's rules.
fn rules(chain: &ChainSpec, block: &Block) -> Result<ForkProfile, ExecuteError> {
    Ok(ForkProfile::evm_server(chain, block, chain.spec_of(&block.header)?.min(SpecId::SHANGHAI)))
}

fn transaction(transaction: &Transaction, position: usize) -> Result<Cow<'_, Transaction>, Unsupported> {
    match transaction.tx_type {
        0..=NEWEST_TYPE => Ok(Cow::Borrowed(transaction)),
        tx_type => Err(Unsupported::TransactionType {
            transaction: position,
            tx_type,
            format: ResultFormat::EvmServer(Era::B).as_str(),
        }),
    }
}

/// The withdrawals root is there also for a block before Shanghai, which has none.
pub(super) fn manufactured_header(block: &Block) -> Header {
    Header { mix_hash: block.header.mix_hash, withdrawals_root: Some(withdrawals_root(block)), ..bare_header(block) }
}

fn printed_header<'a>(block: &'a Block, manufactured: &SyntheticHeader) -> PrintedHeader<'a> {
    PrintedHeader {
        mix_hash: block.header.mix_hash,
        // The server set none once the merge was behind it.
        difficulty: (!is_after_merge(block)).then_some(block.header.difficulty),
        withdrawals_root: Some(None),
        ..era_a::printed_header(block, manufactured)
    }
}
