//! The transaction of a proof, before and after it is signed.

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes};

use crate::fees::Fees;

/// A call to send, and the most gas that it may take. The contract accepted it when it was prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The contract, or the operator's own address for one that only uses up a nonce.
    pub to: Address,
    /// The call of `submitBlockResultProof`, as a rule.
    pub calldata: Bytes,
    /// The estimate and its margin.
    pub gas_limit: u64,
}

impl Prepared {
    /// The most wei that it can cost at these fees.
    pub fn most_wei(&self, fees: &Fees) -> u128 {
        fees.most_wei().saturating_mul(u128::from(self.gas_limit))
    }
}

/// A signed transaction. Its raw bytes are all that has to be kept: [`Signed::read`] tells the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The bytes to send, now or after a crash.
    pub raw: Bytes,
    /// Hash of the transaction.
    pub hash: B256,
    /// The nonce it uses.
    pub nonce: u64,
    /// The fees that it offers.
    pub fees: Fees,
    /// The call that it makes, to sign it anew with higher fees.
    pub prepared: Prepared,
}

/// Bytes that are no signed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes that are no signed transaction")]
pub struct UnreadableTransaction {
    /// The number of bytes.
    pub bytes: usize,
}

impl Signed {
    /// Reads a signed transaction back from its bytes.
    ///
    /// # Errors
    ///
    /// [`UnreadableTransaction`].
    pub fn read(raw: &[u8]) -> Result<Self, UnreadableTransaction> {
        let transaction = TxEnvelope::decode_2718_exact(raw).map_err(|_| UnreadableTransaction { bytes: raw.len() })?;
        let max_fee_wei = transaction.max_fee_per_gas();
        let fees = match transaction.max_priority_fee_per_gas() {
            Some(tip_wei) => Fees::Dynamic { max_fee_wei, tip_wei },
            None => Fees::Legacy { gas_price_wei: max_fee_wei },
        };
        // A transaction without an address creates a contract; none of ours does.
        let to = transaction.to().ok_or(UnreadableTransaction { bytes: raw.len() })?;
        let prepared = Prepared { to, calldata: transaction.input().clone(), gas_limit: transaction.gas_limit() };
        let (hash, nonce) = (*transaction.tx_hash(), transaction.nonce());
        Ok(Self { raw: Bytes::copy_from_slice(raw), hash, nonce, fees, prepared })
    }

    /// The most wei that it can cost.
    pub fn most_wei(&self) -> u128 {
        self.prepared.most_wei(&self.fees)
    }
}

/// Everything that a signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsigned {
    pub chain_id: u64,
    pub nonce: u64,
    pub gas_limit: u64,
    pub to: Address,
    pub calldata: Bytes,
    pub fees: Fees,
}
