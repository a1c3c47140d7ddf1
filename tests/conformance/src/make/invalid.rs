//! Invalid blocks, each with one fault, which everything else in the block takes into account.

use std::collections::BTreeMap;

use alloy_consensus::{Header, proofs::calculate_withdrawals_root};
use alloy_eips::{eip4844::DATA_GAS_PER_BLOB, eip7002};
use alloy_primitives::{B256, Bytes, U256};
use revm::bytecode::opcode::{PUSH0, REVERT};
use serde_json::{Map, Value};

use super::{
    chain::{Contents, TestChain},
    contents,
    draft::Draft,
    json::Written,
    valid::network,
};
use crate::{
    fork::Fork,
    rlp,
    world::{Account, World},
};

/// Name, network, class and what is done to a valid block.
type Fault = (&'static str, &'static str, &'static str, fn(&TestChain, &mut Draft));

/// Faults that the block's own bytes refute.
const REFUTED: [Fault; 12] = [
    ("blob_gas_used", "Cancun", "BlockException.INCORRECT_BLOB_GAS_USED", |_, draft| {
        draft.header.blob_gas_used = Some(2 * DATA_GAS_PER_BLOB);
    }),
    ("withdrawals_root", "Shanghai", "BlockException.INVALID_WITHDRAWALS_ROOT", |_, draft| {
        draft.header.withdrawals_root = Some(calculate_withdrawals_root(&contents::withdrawals(9)));
    }),
    ("ommers_after_the_merge", "Paris", "BlockException.IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", |chain, draft| {
        draft.ommers = vec![chain.next_header()];
        draft.header.ommers_hash = draft.ommers_hash();
    }),
    ("failing_system_contract", "Prague", "BlockException.SYSTEM_CONTRACT_CALL_FAILED", |_, _| {}),
    ("extra_data_of_33_bytes", "London", "BlockException.EXTRA_DATA_TOO_BIG", |_, draft| {
        draft.header.extra_data = Bytes::from_static(&[7; 33]);
    }),
    ("extra_data_of_33_bytes", "Osaka", "BlockException.EXTRA_DATA_TOO_BIG", |_, draft| {
        draft.header.extra_data = Bytes::from_static(&[7; 33]);
    }),
    ("gas_used", "Berlin", "BlockException.INVALID_GAS_USED", |_, draft| draft.header.gas_used += 1),
    ("receipts_root", "Byzantium", "BlockException.INVALID_RECEIPTS_ROOT", |_, draft| {
        draft.header.receipts_root = B256::repeat_byte(1);
    }),
    ("transactions_root", "Istanbul", "BlockException.INVALID_TRANSACTIONS_ROOT", |_, draft| {
        draft.header.transactions_root = B256::repeat_byte(1);
    }),
    ("logs_bloom", "Homestead", "BlockException.INVALID_LOG_BLOOM", |_, draft| draft.header.logs_bloom.0[0] ^= 1),
    ("signature_without_r", "London", "TransactionException.INVALID_SIGNATURE_VRS", |chain, draft| {
        draft.transactions[0] = without_r(&draft.transactions[0]);
        draft.header.transactions_root = draft.transactions_root();
        chain.settle(draft);
    }),
    ("requests_hash", "Prague", "BlockException.INVALID_REQUESTS", |_, draft| {
        draft.header.requests_hash = Some(B256::repeat_byte(1));
    }),
];

/// Faults that show only with the parent, the ancestors or the state after the block.
const HIDDEN: [Fault; 5] = [
    ("state_root", "Cancun", "BlockException.INVALID_STATE_ROOT", |_, draft| {
        draft.header.state_root = B256::repeat_byte(1);
    }),
    ("timestamp", "Berlin", "BlockException.INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT", |chain, draft| {
        draft.header.timestamp = chain.head.timestamp;
        chain.settle(draft);
    }),
    ("gas_limit_step", "Istanbul", "BlockException.INVALID_GASLIMIT", |chain, draft| {
        draft.header.gas_limit *= 2;
        chain.settle(draft);
    }),
    ("base_fee", "London", "BlockException.INVALID_BASEFEE_PER_GAS", |chain, draft| {
        draft.header.base_fee_per_gas = chain.head.base_fee_per_gas.map(|fee| fee / 2);
        chain.settle(draft);
    }),
    ("excess_blob_gas", "Cancun", "BlockException.INCORRECT_EXCESS_BLOB_GAS", |chain, draft| {
        draft.header.excess_blob_gas = Some(0);
        chain.settle(draft);
    }),
];

/// Name, class and what is done to the encoding of a valid block.
type EncodingFault = (&'static str, &'static str, fn(&[u8]) -> Vec<u8>);

/// Faults of the encoding.
const ENCODED: [EncodingFault; 2] = [
    ("byte_after_the_block", "BlockException.RLP_STRUCTURES_ENCODING", |block| [block, &[0]].concat()),
    ("block_cut_short", "BlockException.RLP_STRUCTURES_ENCODING", |block| block[..block.len() - 1].to_vec()),
];

pub fn tests() -> Value {
    let spoiled = REFUTED.iter().chain(&HIDDEN).map(|(name, network, class, spoil)| {
        let test = test(name, network, class, |chain, draft| {
            spoil(chain, draft);
            draft.encode()
        });
        (format!("{name}_{network}"), test)
    });
    let encoded = ENCODED.iter().map(|(name, class, spoil)| {
        (format!("{name}_Shanghai"), test(name, "Shanghai", class, |_, draft| spoil(&draft.encode())))
    });
    spoiled.chain(encoded).collect::<Map<_, _>>().into()
}

fn test(name: &str, at: &str, class: &str, spoil: impl Fn(&TestChain, &mut Draft) -> Vec<u8>) -> Value {
    let network = network(at);
    let newest = network.newest();
    let mut chain = TestChain::new(network.clone(), contents::genesis(newest), 1_000);
    let (mut draft, _) = chain.draft(&contents_of(newest));
    if name == "failing_system_contract" {
        // The rest of the block is as if the contract had returned nothing.
        chain = TestChain::new(network, with_failing_contract(&chain.world), 1_000);
        draft.header = Header { parent_hash: chain.head.hash_slow(), ..draft.header };
        chain.settle(&mut draft);
    }
    let mut written = Written::begin(&chain);
    written.invalid(spoil(&chain, &mut draft), class);
    written.finish(&chain, "one block with one fault")
}

fn contents_of(fork: Fork) -> Contents {
    let withdrawals = if fork >= Fork::Shanghai { contents::withdrawals(0) } else { Vec::new() };
    Contents { transactions: contents::transactions(fork, true), ommers: Vec::new(), withdrawals }
}

fn with_failing_contract(world: &World) -> World {
    let failing = Account::new(1, U256::ZERO, Bytes::from_static(&[PUSH0, PUSH0, REVERT]), BTreeMap::new());
    let contract = eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
    let others = world.iter().filter(|(address, _)| **address != contract);
    let others = others.map(|(address, account)| (*address, account.clone()));
    others.chain([(contract, failing)]).collect()
}

/// A legacy transaction with zero for r.
fn without_r(transaction: &[u8]) -> Bytes {
    /// Position of r in a transaction.
    const R: usize = 7;
    let items = rlp::whole(transaction).and_then(|item| item.items("transaction")).expect("it is a legacy transaction");
    let mut items: Vec<&[u8]> = items.iter().map(|item| item.raw).collect();
    items[R] = &[alloy_rlp::EMPTY_STRING_CODE];
    rlp::list(items.into_iter()).into()
}
