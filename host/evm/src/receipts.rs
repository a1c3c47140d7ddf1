//! What a header commits to of the receipts: their root, and the bloom of their logs.

use alloy_primitives::{
    B256, Bloom, keccak256,
    map::{AddressMap, B256Map},
};
use alloy_rlp::{BufMut, Encodable, Header};
use alloy_trie::root::ordered_trie_root_with_encoder;

use crate::{
    execution::{ExecutedLog, ExecutedReceipt},
    transaction::LEGACY,
};

/// The commitments of one block's receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitments {
    /// Of each receipt's logs.
    pub blooms: Vec<Bloom>,
    /// Of all logs.
    pub logs_bloom: Bloom,
    /// `receiptsRoot`.
    pub root: B256,
}

/// Computes the commitments of a block's receipts.
pub fn commit(receipts: &[ExecutedReceipt]) -> Commitments {
    let mut hashes = BloomHashes::default();
    let blooms: Vec<Bloom> = receipts.iter().map(|receipt| hashes.bloom(&receipt.logs)).collect();
    let logs_bloom = blooms.iter().fold(Bloom::ZERO, |all, bloom| all | *bloom);

    let committed: Vec<_> = receipts.iter().zip(&blooms).collect();
    let root = ordered_trie_root_with_encoder(&committed, |(receipt, bloom), out| encode(receipt, bloom, out));
    Commitments { blooms, logs_bloom, root }
}

/// Remembers the hash of each address and topic: a block emits the same few again and again, and a look-up is a tenth
/// of a hash.
#[derive(Default)]
struct BloomHashes {
    addresses: AddressMap<B256>,
    topics: B256Map<B256>,
}

impl BloomHashes {
    fn bloom(&mut self, logs: &[ExecutedLog]) -> Bloom {
        let mut bloom = Bloom::ZERO;
        for ExecutedLog { address, topics, .. } in logs {
            bloom.m3_2048_hashed(self.addresses.entry(*address).or_insert_with(|| keccak256(address)));
            for topic in topics {
                bloom.m3_2048_hashed(self.topics.entry(*topic).or_insert_with(|| keccak256(topic)));
            }
        }
        bloom
    }
}

/// EIP-2718: the type, then `[status, cumulativeGasUsed, logsBloom, logs]`; without the type for a legacy one. Before
/// Byzantium (EIP-658) the state's root stands in the place of the status.
fn encode(receipt: &ExecutedReceipt, bloom: &Bloom, out: &mut Vec<u8>) {
    let logs_length = receipt.logs.iter().map(|log| log_header(log).length_with_payload()).sum();
    let logs = Header { list: true, payload_length: logs_length };
    let status: &dyn Encodable = match &receipt.post_state {
        Some(root) => root,
        None => &receipt.success,
    };
    let payload_length =
        status.length() + receipt.cumulative_gas_used.length() + bloom.length() + logs.length_with_payload();
    if receipt.tx_type != LEGACY {
        out.put_u8(receipt.tx_type);
    }
    Header { list: true, payload_length }.encode(out);
    status.encode(out);
    receipt.cumulative_gas_used.encode(out);
    bloom.encode(out);
    logs.encode(out);
    for log in &receipt.logs {
        log_header(log).encode(out);
        log.address.encode(out);
        log.topics.encode(out);
        log.data.encode(out);
    }
}

fn log_header(log: &ExecutedLog) -> Header {
    Header { list: true, payload_length: log.address.length() + log.topics.length() + log.data.length() }
}

/// The receipt's part in `receiptsRoot`, hashed: two receipts are the same to the chain exactly when these are.
pub(crate) fn digest(receipt: &ExecutedReceipt) -> B256 {
    let mut out = Vec::new();
    encode(receipt, &BloomHashes::default().bloom(&receipt.logs), &mut out);
    keccak256(out)
}
