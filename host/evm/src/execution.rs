//! What executing a specimen gives.

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::check::Check;

use crate::repair::Supplied;

/// The outcome of executing one block.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// One a transaction that was accepted, in block order.
    pub receipts: Vec<ExecutedReceipt>,
    /// The header checks that need execution, each on its own.
    pub checks: Vec<Check>,
    /// What stood in for fields that the producer dropped, in order of transactions.
    pub supplied: Vec<Supplied>,
    /// The block result in the format asked for.
    pub block_result: Bytes,
}

/// The receipt of one executed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutedReceipt {
    /// Position of the transaction in the block.
    pub transaction_index: u32,
    /// Hash of the transaction, from the fields the specimen carries.
    pub transaction_hash: B256,
    /// EIP-2718 type.
    pub tx_type: u8,
    /// True when the transaction succeeded.
    pub success: bool,
    /// Gas used by this transaction.
    pub gas_used: u64,
    /// Gas used in the block up to and with this transaction.
    pub cumulative_gas_used: u64,
    /// Price paid for each unit of gas, in wei.
    pub effective_gas_price: U256,
    /// The created contract, also of a failed creation.
    pub contract_address: Option<Address>,
    /// In emission order.
    pub logs: Vec<ExecutedLog>,
}

/// A log as the EVM emitted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutedLog {
    /// Emitting contract.
    pub address: Address,
    /// At most four.
    pub topics: Vec<B256>,
    /// Unindexed data.
    pub data: Bytes,
}
