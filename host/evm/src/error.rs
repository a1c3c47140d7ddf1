//! Errors of executing a specimen.

use std::fmt;

use alloy_primitives::{Address, B256};
use refiner_specimen::{DroppedPart, Layout, NotBase64, check::Check};

use crate::{code_use::CodeUse, format::ResultFormat, what_if::Departure};

/// Errors of executing a specimen. Every variant is a property of the specimen: the same on every machine, never retried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// The block cannot be executed faithfully by this program from this specimen.
    #[error("unsupported: {0}")]
    Unsupported(#[from] Unsupported),
    /// The specimen contradicts itself or the rules of its chain.
    #[error("rejected: {0}")]
    Rejected(#[from] Rejected),
}

/// Obstacles to a faithful execution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// A type-4 transaction without its EIP-7702 authorizations.
    #[error(
        "transaction {transaction} is of type 4 and its AuthList is null, for the producer does not export it; none of \
         the authorizations that were tried gives the header's receiptsRoot"
    )]
    AuthorizationListMissing {
        /// Position in the block.
        transaction: usize,
    },
    /// A contract read a blob hash that this layout does not carry, and that was not found in the calldata.
    #[error(
        "layout {layout} drops the blobHashes of transaction {transaction}, the block's outcome depends on them, and \
         its calldata holds no KZG commitments that give the header's receiptsRoot"
    )]
    BlobHashesMissing {
        /// Position in the block.
        transaction: usize,
        /// The layout that drops them.
        layout: Layout,
    },
    /// More than one value of a dropped field gives the block's receipts.
    #[error(
        "ambiguous: the producer drops {} of transaction {transaction}, and more than one candidate gives the \
         header's receiptsRoot",
        field.field()
    )]
    Ambiguous {
        /// Position in the block.
        transaction: usize,
        /// The dropped field.
        field: DroppedPart,
    },
    /// Execution disagrees with the header, and may do so because the layout rounds what it started from.
    #[error(
        "layout {layout} rounds values and balances of 2^53 and more, and with them as they stand execution disagrees with \
         the header"
    )]
    RoundedNumbers {
        /// The layout that rounds.
        layout: Layout,
    },
    /// Not one account of a block that reads some.
    #[error("the producer exported no state: 0 accounts read for {transactions} transactions")]
    NoState {
        /// Number of transactions.
        transactions: usize,
    },
    /// A result was asked for that rests on recorded receipts, and there are none.
    #[error("the specimen carries no receipts: 0 receipts for {transactions} transactions")]
    NoReceipts {
        /// Number of transactions.
        transactions: usize,
    },
    /// The block cannot be executed, and its specimen carries no receipts that could stand in.
    #[error("{execution}; and the specimen carries no receipts that could prove a result instead")]
    NoBasis {
        /// The reason that it cannot be executed.
        execution: Box<Unsupported>,
    },
    /// An era's document was asked for on a basis that no evm-server has.
    #[error("{format} is the document of an execution, and the basis asked for is receipts")]
    EraWithoutExecution {
        /// The format asked for.
        format: ResultFormat,
    },
    /// No rules are known for this chain.
    #[error("no rules are known for chain {network_id}; give them with --chain-config")]
    UnknownChain {
        /// The chain id.
        network_id: u64,
    },
    /// The block follows a fork whose rules are not executed yet.
    #[error("block {height} follows {fork}, which is not executed yet")]
    Fork {
        /// Height of the block.
        height: u64,
        /// The fork's name.
        fork: &'static str,
    },
    /// The work for the block exceeds a bound that holds on every machine.
    #[error("execution too large: {used} {resource}, and at most {bound} are executed")]
    ExecutionTooLarge {
        /// The resource that was used up.
        resource: Resource,
        /// Amount in use when execution ended.
        used: u64,
        /// The bound.
        bound: u64,
    },
    /// A transaction type that no supported fork defines.
    #[error("transaction {transaction} is of type {tx_type}, which {format} does not know")]
    TransactionType {
        /// Position in the block.
        transaction: usize,
        /// EIP-2718 type.
        tx_type: u8,
        /// The format asked for.
        format: &'static str,
    },
    /// A contract creation at which the evm-server panicked.
    #[error("{format} panicked at transaction {transaction}: it creates a contract and is of type {tx_type}")]
    ContractCreation {
        /// Position in the block.
        transaction: usize,
        /// EIP-2718 type, which is 3.
        tx_type: u8,
        /// The format asked for.
        format: ResultFormat,
    },
    /// A type-3 transaction without a blob fee cap, at which the evm-server panicked.
    #[error("{format} panicked at transaction {transaction}: it is of type 3 and this layout drops its blob fee cap")]
    BlobFeeCapMissing {
        /// Position in the block.
        transaction: usize,
        /// The format asked for.
        format: ResultFormat,
    },
    /// A type-4 transaction with its authorizations, which no specimen that the evm-server saw had.
    #[error("transaction {transaction} carries authorizations, and what {format} wrote of them is not known")]
    AuthorizationListPresent {
        /// Position in the block.
        transaction: usize,
        /// The format asked for.
        format: ResultFormat,
    },
    /// Blob gas that the era's executor did not find in the transactions that it executed.
    #[error("{format} has no result: blob gas used by execution: {used}, in header: {stated}")]
    BlobGasUsed {
        /// Blob gas of the executed transactions.
        used: u64,
        /// The header's blob gas.
        stated: u64,
        /// The format asked for.
        format: ResultFormat,
    },
    /// A difficulty with a total difficulty that the merge ended at.
    #[error("{format} has no result: post-merge difficulty must be zero (or omitted) in env")]
    DifficultyAfterMerge {
        /// The format asked for.
        format: ResultFormat,
    },
    /// A healthy evm-server refuses it, each time.
    #[error("the evm-server refuses the block: {message}")]
    Refused {
        /// The server's words.
        message: String,
    },
    /// A chain that the evm-server did not execute.
    #[error("{format} executed mainnet only, not chain {network_id}")]
    EvmServerChain {
        /// The chain id.
        network_id: u64,
        /// The format asked for.
        format: ResultFormat,
    },
}

/// A resource that a meter of execution counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Gas really used, precompiles weighted by their measured cost; and once more for each log that an evm-server's document repeats.
    Gas,
    /// Bytes held: EVM memory, return data, journal entries, logs and transient storage, and each log that an evm-server's document repeats.
    Memory,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gas => "gas",
            Self::Memory => "bytes of memory",
        })
    }
}

/// Code that a block uses and its specimen does not carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("code {hash} of account {account} is not in the specimen and {asked}; with a stub in its place, {consequence}")]
pub struct MissingCode {
    /// keccak256 of the code.
    pub hash: B256,
    /// The account whose code it is.
    pub account: Address,
    /// The use of the code.
    pub asked: CodeUse,
    /// Outcome of the block with a stub in the code's place.
    pub consequence: Rejected,
}

/// Faults of a specimen that refute it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is not one sender for every transaction.
    #[error("{transactions} transactions but {senders} senders")]
    SenderCount {
        /// Number of transactions.
        transactions: usize,
        /// Number of senders.
        senders: usize,
    },
    /// A transaction that the chain's rules do not allow in this block.
    #[error("transaction {transaction} is invalid: {reason}")]
    InvalidTransaction {
        /// Position in the block.
        transaction: usize,
        /// The EVM's own reason.
        reason: String,
    },
    /// The header lacks a field that the fork requires.
    #[error("the header has no {field}, which this fork requires")]
    HeaderField {
        /// The field's name.
        field: &'static str,
    },
    /// Excess blob gas that no chain of blocks leads to.
    #[error("excessBlobGas is {excess_blob_gas}, which gives a blob price of more than 128 bits")]
    ExcessBlobGas {
        /// The header's excess blob gas.
        excess_blob_gas: u64,
    },
    /// BLOCKHASH asked for a block whose hash is not in the specimen.
    #[error("BLOCKHASH of {number} is asked for and not in the specimen")]
    BlockHashMissing {
        /// The height asked for.
        number: u64,
    },
    /// The block needs code that the specimen does not carry.
    #[error("code {hash} is needed and not in the specimen")]
    CodeNotLoaded {
        /// keccak256 of the code.
        hash: B256,
    },
    /// Execution disagrees with the header, and used code that the specimen does not carry.
    #[error(transparent)]
    CodeMissing(Box<MissingCode>),
    /// A piece of code is text that cannot be read.
    #[error(transparent)]
    CodeText(#[from] NotBase64),
    /// A piece of code does not have its hash.
    #[error("code stated as {stated} hashes to {computed}")]
    CodeHash {
        /// keccak256 as the specimen states it.
        stated: B256,
        /// keccak256 of the code.
        computed: B256,
    },
    /// The deposit contract emitted an event that EIP-6110 does not allow.
    #[error("the deposit contract {contract} emitted a malformed deposit event")]
    DepositEvent {
        /// Address of the contract.
        contract: Address,
    },
    /// A system call that the fork requires failed.
    #[error("the system call to {contract} failed")]
    SystemCall {
        /// Address of the contract.
        contract: Address,
    },
    /// The block contradicts itself, as shows without execution.
    #[error("the block contradicts itself: {0}")]
    CheckFailed(Check),
    /// A hypothetical execution needs what is not known.
    #[error("left the specimen: {0}")]
    LeftSpecimen(Departure),
    /// Canonical execution does not agree with the block's own header.
    #[error("execution disagrees with the header: {0}")]
    HeaderMismatch(Check),
}
