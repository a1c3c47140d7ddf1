//! The outcome of a transaction, and the commitments of a header to it.

use alloy_consensus::{Eip658Value, ReceiptEnvelope, ReceiptWithBloom, TxType, proofs::calculate_receipt_root};
use alloy_primitives::{B256, Bloom, Bytes, Log, logs_bloom};
use sha2::{Digest as _, Sha256};

/// The outcome of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Transaction type by EIP-2718.
    pub tx_type: u8,
    /// Whether it succeeded, or the state root after it before Byzantium.
    pub status: Eip658Value,
    /// Gas used in the block up to and with it.
    pub cumulative_gas_used: u64,
    /// Logs in emission order.
    pub logs: Vec<Log>,
}

/// The root of the receipts as a header states it.
pub fn root(receipts: &[Receipt]) -> B256 {
    let envelopes = receipts.iter().map(|receipt| {
        let body = ReceiptWithBloom::from(alloy_consensus::Receipt {
            status: receipt.status,
            cumulative_gas_used: receipt.cumulative_gas_used,
            logs: receipt.logs.clone(),
        });
        match TxType::try_from(receipt.tx_type) {
            Ok(TxType::Eip2930) => ReceiptEnvelope::Eip2930(body),
            Ok(TxType::Eip1559) => ReceiptEnvelope::Eip1559(body),
            Ok(TxType::Eip4844) => ReceiptEnvelope::Eip4844(body),
            Ok(TxType::Eip7702) => ReceiptEnvelope::Eip7702(body),
            Ok(TxType::Legacy) | Err(_) => ReceiptEnvelope::Legacy(body),
        }
    });
    calculate_receipt_root(&envelopes.collect::<Vec<_>>())
}

/// The bloom of all logs.
pub fn bloom(receipts: &[Receipt]) -> Bloom {
    receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | logs_bloom(&receipt.logs))
}

/// sha256 over the sha256 of each request, EIP-7685.
pub fn requests_hash(requests: &[Bytes]) -> B256 {
    let mut hasher = Sha256::new();
    for request in requests {
        hasher.update(Sha256::digest(request));
    }
    B256::from_slice(&hasher.finalize())
}
