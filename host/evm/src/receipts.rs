//! A header's commitments to the receipts: their root, and the bloom of their logs.

use std::slice;

use alloy_primitives::{
    Address, B256, Bloom, keccak256,
    map::{AddressMap, B256Map},
};
use alloy_rlp::{BufMut, Encodable, Header};
use refiner_keccak::{Messages, keccak256_each, ordered_trie_root};

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
    let blooms = blooms(receipts);
    let logs_bloom = blooms.iter().fold(Bloom::ZERO, |all, bloom| all | *bloom);

    let bytes = receipts.iter().map(|receipt| RECEIPT_TYPICAL_BYTES + logs_length(receipt)).sum();
    let mut encoded = Messages::with_capacity(receipts.len(), bytes);
    for (receipt, bloom) in receipts.iter().zip(&blooms) {
        encoded.add(|out| encode(receipt, bloom, out));
    }
    Commitments { blooms, logs_bloom, root: ordered_trie_root(&encoded) }
}

/// The bloom of each receipt's logs.
fn blooms(receipts: &[ExecutedReceipt]) -> Vec<Bloom> {
    let mut emitted = Emitted::default();
    for log in receipts.iter().flat_map(|receipt| &receipt.logs) {
        emitted.address(&log.address);
        log.topics.iter().for_each(|topic| emitted.topic(topic));
    }
    let hashes = keccak256_each(&emitted.distinct);
    let mut each = emitted.each.iter().map(|number| &hashes[*number]);
    let bloom = |receipt: &ExecutedReceipt| {
        let mut bloom = Bloom::ZERO;
        let count = receipt.logs.iter().map(|log| 1 + log.topics.len()).sum();
        each.by_ref().take(count).for_each(|hash| bloom.m3_2048_hashed(hash));
        bloom
    };
    receipts.iter().map(bloom).collect()
}

/// Addresses and topics of logs. A block emits the same few again and again, and a look-up is cheaper than a hash.
#[derive(Default)]
struct Emitted<'a> {
    addresses: AddressMap<usize>,
    topics: B256Map<usize>,
    /// Each address and each topic once.
    distinct: Vec<&'a [u8]>,
    /// For each log in turn, the numbers of its address and its topics among them.
    each: Vec<usize>,
}

impl<'a> Emitted<'a> {
    fn address(&mut self, address: &'a Address) {
        let next = self.distinct.len();
        let number = *self.addresses.entry(*address).or_insert(next);
        self.emit(number, address.as_slice());
    }

    fn topic(&mut self, topic: &'a B256) {
        let next = self.distinct.len();
        let number = *self.topics.entry(*topic).or_insert(next);
        self.emit(number, topic.as_slice());
    }

    fn emit(&mut self, number: usize, bytes: &'a [u8]) {
        if number == self.distinct.len() {
            self.distinct.push(bytes);
        }
        self.each.push(number);
    }
}

/// Everything but the logs of a receipt fits in this: the bloom, a status or a root, gas, heads.
const RECEIPT_TYPICAL_BYTES: usize = 320;

/// EIP-2718: the type, then `[status, cumulativeGasUsed, logsBloom, logs]`; without the type for a legacy one. Before
/// Byzantium (EIP-658) the state's root stands in the place of the status.
fn encode(receipt: &ExecutedReceipt, bloom: &Bloom, out: &mut Vec<u8>) {
    let logs = Header { list: true, payload_length: logs_length(receipt) };
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

fn logs_length(receipt: &ExecutedReceipt) -> usize {
    receipt.logs.iter().map(|log| log_header(log).length_with_payload()).sum()
}

fn log_header(log: &ExecutedLog) -> Header {
    Header { list: true, payload_length: log.address.length() + log.topics.length() + log.data.length() }
}

/// The receipt's part in `receiptsRoot`, hashed.
pub(crate) fn digest(receipt: &ExecutedReceipt) -> B256 {
    let mut out = Vec::new();
    encode(receipt, &blooms(slice::from_ref(receipt))[0], &mut out);
    keccak256(out)
}

/// True when two receipts are the same part of `receiptsRoot`: whether [`encode`] gives the same bytes.
pub(crate) fn same_to_the_chain(one: &ExecutedReceipt, other: &ExecutedReceipt) -> bool {
    let committed = |receipt: &ExecutedReceipt| {
        // A state root stands in the place of the status.
        let status = receipt.post_state.ok_or(receipt.success);
        (receipt.tx_type, status, receipt.cumulative_gas_used)
    };
    committed(one) == committed(other) && one.logs == other.logs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_the_same_to_the_chain_exactly_when_their_digests_are() {
        let log = ExecutedLog { address: [1; 20].into(), topics: vec![B256::ZERO], data: [2].into() };
        let receipt = ExecutedReceipt {
            transaction_index: 0,
            transaction_hash: B256::ZERO,
            tx_type: 2,
            success: true,
            post_state: None,
            gas_used: 1,
            cumulative_gas_used: 1,
            effective_gas_price: Default::default(),
            contract_address: None,
            logs: vec![log.clone()],
        };
        let root = Some(B256::repeat_byte(1));
        let with_log = |log| ExecutedReceipt { logs: vec![log], ..receipt.clone() };
        let all = [
            receipt.clone(),
            ExecutedReceipt { transaction_index: 1, gas_used: 2, ..receipt.clone() },
            ExecutedReceipt { tx_type: 1, ..receipt.clone() },
            ExecutedReceipt { success: false, ..receipt.clone() },
            ExecutedReceipt { post_state: root, ..receipt.clone() },
            ExecutedReceipt { post_state: root, success: false, ..receipt.clone() },
            ExecutedReceipt { post_state: Some(B256::ZERO), ..receipt.clone() },
            ExecutedReceipt { cumulative_gas_used: 2, ..receipt.clone() },
            ExecutedReceipt { logs: Vec::new(), ..receipt.clone() },
            with_log(ExecutedLog { address: [2; 20].into(), ..log.clone() }),
            with_log(ExecutedLog { topics: vec![B256::ZERO; 2], ..log.clone() }),
            with_log(ExecutedLog { data: [3].into(), ..log }),
        ];
        for one in &all {
            for other in &all {
                assert_eq!(same_to_the_chain(one, other), digest(one) == digest(other), "{one:?} and {other:?}");
            }
        }
    }
}
