//! The header against the rules of its fork, as far as they show without its parent.

use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_eips::{eip4844::DATA_GAS_PER_BLOB, eip7840::BlobParams};
use alloy_primitives::{Address, B64};
use alloy_rlp::Encodable;
use refiner_specimen::{
    Block, Envelopes, Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};
use revm::primitives::hardfork::SpecId;

use crate::{
    chain::ChainSpec,
    transaction::{BLOB, lacks_blob_hashes},
};

/// Yellow paper: no block allows less gas.
const LEAST_GAS_LIMIT: u64 = 5_000;
/// Execution clients count gas in 63 bits.
const MOST_GAS_LIMIT: u64 = i64::MAX as u64;
/// Yellow paper: bytes of `extraData`.
const MOST_EXTRA_DATA_BYTES: u64 = 32;
/// EIP-225: 32 bytes of any kind and a seal; between them, on the first block of an epoch, the signers.
const CLIQUE_EXTRA_DATA_BYTES: u64 = 32 + 65;
/// EIP-779: the `extraData` of the first blocks on the side of the fork that refunds.
const DAO_MARK: &str = "dao-hard-fork";
const DAO_MARKED_BLOCKS: u64 = 10;
/// A blob price above 2^128 wei is more than there will ever be to pay it with, so no block that paid came before: e^88.7 is
/// 2^128, and the price is e to the power of excess over update fraction.
const MOST_EXCESS_IN_FRACTIONS: u128 = 88;

/// EIP-7934: 10 MiB, less 2 MiB for what the consensus layer adds.
const MAX_RLP_BLOCK_SIZE: usize = 8_388_608;

/// A rule that the header breaks: the field, what it states and what the rule allows.
type Broken = (&'static str, Quantity, Quantity);

/// The header obeys the rules of its fork as far as it shows without its parent.
pub(super) fn header_rules(specimen: &Specimen, chain: Option<&ChainSpec>, envelopes: &Envelopes) -> Check {
    let block = &specimen.block;
    let name = CheckName::HeaderRules;
    let broken = |(field, stated, allowed)| Check::failure(name, Subject::Field(field), stated, allowed);
    if let Some(rule) = gas(block) {
        return broken(rule);
    }
    let header = &block.header;
    let known = chain.and_then(|chain| Some((chain, chain.spec_of(header).ok()?)));
    let Some((chain, spec)) = known else {
        return Check { name, outcome: Outcome::NotCheckable("the fork that the block follows is not known") };
    };
    let blobs = chain.blob_params(header.timestamp).filter(|_| spec.is_enabled_in(SpecId::CANCUN));
    let rules = [
        extra_data(block, chain),
        consensus(block, spec),
        presence(block, spec),
        blobs.and_then(|params| blob_gas(block, params)),
        size(block, spec, envelopes),
    ];
    match rules.into_iter().flatten().next() {
        Some(rule) => broken(rule),
        None => Check::passed(name),
    }
}

fn gas(block: &Block) -> Option<Broken> {
    let header = &block.header;
    let limit = Quantity::Number(header.gas_limit);
    if header.gas_limit < LEAST_GAS_LIMIT {
        return Some(("gasLimit", limit, Quantity::AtLeast(LEAST_GAS_LIMIT)));
    }
    if header.gas_limit > MOST_GAS_LIMIT {
        return Some(("gasLimit", limit, Quantity::AtMost(MOST_GAS_LIMIT)));
    }
    let within = header.gas_used <= header.gas_limit;
    (!within).then_some(("gasUsed", Quantity::Number(header.gas_used), Quantity::AtMost(header.gas_limit)))
}

/// At most 32 bytes, and in clique, EIP-225, the signers and a seal beside them. EIP-779: ten blocks carry a text.
fn extra_data(block: &Block, chain: &ChainSpec) -> Option<Broken> {
    let header = &block.header;
    let bytes = header.extra_data.len() as u64;
    let merged = chain.is_proof_of_stake(header);
    if chain.is_clique() && !merged {
        let signers = bytes.checked_sub(CLIQUE_EXTRA_DATA_BYTES);
        let whole = signers.is_some_and(|bytes| bytes.is_multiple_of(Address::len_bytes() as u64));
        let expected = Quantity::Words("32 bytes, whole addresses and a seal of 65 bytes");
        return (!whole).then_some(("extraData", Quantity::Number(bytes), expected));
    }
    if bytes > MOST_EXTRA_DATA_BYTES {
        return Some(("extraData", Quantity::Number(bytes), Quantity::AtMost(MOST_EXTRA_DATA_BYTES)));
    }
    let since_dao = chain.dao_refund().and_then(|height| header.number.checked_sub(height));
    let marked = since_dao.is_some_and(|blocks| blocks < DAO_MARKED_BLOCKS);
    let without_mark = marked && header.extra_data[..] != *DAO_MARK.as_bytes();
    without_mark.then_some(("extraData", Quantity::Number(bytes), Quantity::Words(DAO_MARK)))
}

/// EIP-3675: after the merge there is no work, no nonce and, as [`check::ommers_hash`](refiner_specimen::check::ommers_hash)
/// compares the list with the hash, no ommer. Before it there is work, and at most two ommers.
fn consensus(block: &Block, spec: SpecId) -> Option<Broken> {
    let header = &block.header;
    let ommers = block.uncles.as_deref().unwrap_or_default().len() as u64;
    if !spec.is_enabled_in(SpecId::MERGE) {
        let without_work = header.difficulty.is_zero();
        return without_work
            .then_some(("difficulty", Quantity::Number(0), Quantity::AtLeast(1)))
            .or_else(|| (ommers > 2).then_some(("uncles", Quantity::Number(ommers), Quantity::AtMost(2))));
    }
    let zero = Quantity::Number(0);
    if !header.difficulty.is_zero() {
        return Some(("difficulty", Quantity::Big(header.difficulty), zero));
    }
    if header.nonce != B64::ZERO {
        return Some(("nonce", Quantity::Number(header.nonce.into()), zero));
    }
    let stated = header.ommers_hash;
    (stated != EMPTY_OMMER_ROOT_HASH).then_some((
        "sha3Uncles",
        Quantity::Hash(stated),
        Quantity::Hash(EMPTY_OMMER_ROOT_HASH),
    ))
}

/// Each field is there from its fork on, and not before.
fn presence(block: &Block, spec: SpecId) -> Option<Broken> {
    let header = &block.header;
    let fields = [
        ("baseFeePerGas", header.base_fee_per_gas.is_some(), SpecId::LONDON),
        ("withdrawalsRoot", header.withdrawals_root.is_some(), SpecId::SHANGHAI),
        ("blobGasUsed", header.blob_gas_used.is_some(), SpecId::CANCUN),
        ("excessBlobGas", header.excess_blob_gas.is_some(), SpecId::CANCUN),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root.is_some(), SpecId::CANCUN),
        ("requestsHash", header.requests_hash.is_some(), SpecId::PRAGUE),
    ];
    fields.into_iter().find_map(|(field, is_there, since)| match (is_there, spec.is_enabled_in(since)) {
        (true, false) => Some((field, Quantity::Words("present"), Quantity::Words("absent before its fork"))),
        (false, true) => Some((field, Quantity::Absent, Quantity::Words("present since its fork"))),
        _ => None,
    })
}

/// EIP-4844: blob gas is that of the transactions' blobs, and at most the schedule's.
fn blob_gas(block: &Block, params: BlobParams) -> Option<Broken> {
    let header = &block.header;
    let (used, excess) = (header.blob_gas_used.unwrap_or_default(), header.excess_blob_gas.unwrap_or_default());
    let most_excess = u64::try_from(params.update_fraction * MOST_EXCESS_IN_FRACTIONS).unwrap_or(u64::MAX);
    if excess > most_excess {
        return Some(("excessBlobGas", Quantity::Number(excess), Quantity::AtMost(most_excess)));
    }
    let most = params.max_blob_count * DATA_GAS_PER_BLOB;
    if used > most {
        return Some(("blobGasUsed", Quantity::Number(used), Quantity::AtMost(most)));
    }
    let with_blobs = || block.transactions.iter().filter(|transaction| transaction.tx_type == BLOB);
    let hashes = with_blobs().map(|transaction| transaction.blob_hashes.as_deref().unwrap_or_default().len() as u64);
    let counted = DATA_GAS_PER_BLOB * hashes.sum::<u64>();
    let lacking = DATA_GAS_PER_BLOB * with_blobs().filter(|transaction| lacks_blob_hashes(transaction)).count() as u64;
    let stated = Quantity::Number(used);
    // A transaction whose hashes the layout dropped has at least one.
    match lacking {
        0 if used != counted => Some(("blobGasUsed", stated, Quantity::Number(counted))),
        1.. if used < counted + lacking => Some(("blobGasUsed", stated, Quantity::AtLeast(counted + lacking))),
        _ if !used.is_multiple_of(DATA_GAS_PER_BLOB) => {
            Some(("blobGasUsed", stated, Quantity::Words("a multiple of 131072")))
        }
        _ => None,
    }
}

/// EIP-7934: the RLP of a block has a greatest size from Osaka on.
fn size(block: &Block, spec: SpecId, envelopes: &Envelopes) -> Option<Broken> {
    if !spec.is_enabled_in(SpecId::OSAKA) {
        return None;
    }
    let list = |payload_length: usize| alloy_rlp::Header { list: true, payload_length }.length_with_payload();
    let transactions = envelopes
        .iter()
        .zip(&block.transactions)
        .map(|(envelope, transaction)| if transaction.tx_type == 0 { envelope.len() } else { envelope.length() });
    let ommers = block.uncles.iter().flatten().map(Encodable::length);
    let withdrawals = block.withdrawals.iter().flatten().map(Encodable::length);
    let parts = [list(transactions.sum()), list(ommers.sum()), list(withdrawals.sum())];
    let bytes = list(block.header.length() + parts.iter().sum::<usize>());
    (bytes > MAX_RLP_BLOCK_SIZE).then_some((
        "the block",
        Quantity::Number(bytes as u64),
        Quantity::AtMost(MAX_RLP_BLOCK_SIZE as u64),
    ))
}
