//! The content of a specimen, as typed values.
//!
//! Field names are Ethereum's own; where the wire form uses another name or drops something, the field's
//! comment states it. Nothing here is checked against the header: that is [`crate::check`].

use alloy_consensus::Header;
use alloy_eips::{eip2930::AccessList, eip4895::Withdrawal};
use alloy_primitives::{Address, B256, Bytes, U256};

use crate::{code::BytecodeTable, double, layout::Layout};

/// One decoded specimen file: the segment envelope and the one block in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Specimen {
    /// The Avro layout whose decoding consumed every byte.
    pub layout: Layout,
    /// The version the file states of itself. It can be wrong and decides nothing.
    pub stated_codec_version: f64,
    /// First block height of the segment.
    pub start_block: u64,
    /// Last block height of the segment.
    pub end_block: u64,
    /// Number of blocks that the segment states.
    pub elements: u64,
    /// The block hash that the replication event announces.
    pub event_hash: B256,
    /// The block and every piece of state it read.
    pub block: Block,
}

impl Specimen {
    /// The hash of each transaction that is known, given those `computed` from the envelopes. Of a transaction whose layout drops a part
    /// it is the one that the producer states, which no check covers, and zeros where there is none: what an envelope without the part
    /// gives is no transaction's.
    pub fn known_hashes(&self, mut computed: Vec<B256>) -> Vec<B256> {
        let Block { transactions, receipts, .. } = &self.block;
        for (position, (hash, transaction)) in computed.iter_mut().zip(transactions).enumerate() {
            if transaction.dropped(self.layout).is_some() {
                *hash = receipts.get(position).map_or(B256::ZERO, |recorded| recorded.tx_hash);
            }
        }
        computed
    }

    /// True when `value`, a field that layout 0.2 writes as a double, is an unknown number: it is 2^53 or more, so the
    /// producer rounded it.
    ///
    /// Of total difficulty, transaction values, balances, and the difficulty and base fee of headers. A header's difficulty is
    /// known nevertheless where the block hash checks, for decoding has resolved it ([`Block::header`]). Always false for
    /// specimens of other layouts.
    pub fn is_rounded(&self, value: U256) -> bool {
        self.layout.has_rounded_numbers() && value >= double::FIRST_ROUNDED
    }
}

/// The `data` record of a specimen.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// `block-replica` or `block-specimen`; the first carries receipts too.
    pub kind: String,
    /// The chain id of the source chain (`NetworkId`).
    pub network_id: u64,
    /// The block hash.
    pub hash: B256,
    /// Frozen at the merge, zero in layout 0.38, rounded in 0.2; informative only.
    pub total_difficulty: U256,
    /// The block header.
    ///
    /// No layout can leave out `baseFeePerGas`, so one of zero can mean none; and in layout 0.2 a difficulty of 2^53 or more
    /// is rounded. Decoding takes the reading by which the header has the stated block hash: `None` where the hash covers no
    /// base fee, and a difficulty of up to two more or less. Where no reading has that hash, the wire's own values stand
    /// (`Some(0)` among them), and the block hash does not check. The same holds for uncles and `sha3Uncles`.
    pub header: Header,
    /// In block order.
    pub transactions: Vec<Transaction>,
    /// `None` when the wire has null, which 0.3 to 0.34 cannot express.
    pub uncles: Option<Vec<Header>>,
    /// The producer's own receipts; empty in a `block-specimen`.
    pub receipts: Vec<Receipt>,
    /// The sender of each transaction, in block order.
    pub senders: Vec<Address>,
    /// Everything the block read.
    pub state: StateReads,
    /// Layouts 0.33 and later, after Shanghai.
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// Layouts 0.37 and later; often null or partial.
    pub blob_sidecars: Option<Vec<BlobSidecar>>,
}

impl Block {
    /// True when the specimen has not one account of a block that reads some: in its transactions, or since Prague in the system
    /// calls after them. The producer exported no state, and no one can execute the block.
    pub fn lacks_state(&self) -> bool {
        let reads = !self.transactions.is_empty() || self.header.requests_hash.is_some();
        reads && self.state.accounts.is_empty()
    }
}

/// A transaction as the producer exported it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// EIP-2718 type: 0 to 4.
    pub tx_type: u8,
    /// Empty for type 0.
    pub access_list: AccessList,
    /// As exported; 0 for a type-0 transaction signed without EIP-155.
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// Usable for types 0 and 1 only: for the others it is the fee cap or the effective price, by layout.
    pub gas_price: u128,
    /// `maxPriorityFeePerGas`.
    pub gas_tip_cap: u128,
    /// `maxFeePerGas`.
    pub gas_fee_cap: u128,
    /// The gas limit.
    pub gas: u64,
    /// Rarely filled; use [`Block::senders`]. Zeros in layout 0.2, which has no null here, are `None`.
    pub from: Option<Address>,
    /// `None` creates a contract.
    pub to: Option<Address>,
    /// `None` means 0, as the producer writes zero as null; in layout 0.2, which has no signatures, it means unknown.
    pub v: Option<U256>,
    /// Signature r.
    pub r: Option<U256>,
    /// Signature s.
    pub s: Option<U256>,
    /// Wei sent; in layout 0.2 an unknown number where it is [rounded](Specimen::is_rounded).
    pub value: U256,
    /// Call data or init code.
    pub input: Bytes,
    /// `maxFeePerBlobGas`; layouts 0.37 and later.
    pub blob_fee_cap: Option<u128>,
    /// `blobVersionedHashes`; layouts 0.37 and later.
    pub blob_hashes: Option<Vec<B256>>,
    /// Blob gas; layouts 0.37 and later.
    pub blob_gas: Option<u64>,
    /// A second call-data field of layout 0.38, null in every file seen.
    pub data: Option<String>,
    /// EIP-7702 authorizations; layout 0.38, never exported by the producer as of 2026.
    pub authorization_list: Option<Vec<Authorization>>,
}

/// One EIP-7702 authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// 0 means any chain.
    pub chain_id: U256,
    /// The delegate whose code is adopted.
    pub address: Address,
    /// The authority's nonce.
    pub nonce: u64,
    /// Signature y parity.
    pub y_parity: U256,
    /// Signature r.
    pub r: U256,
    /// Signature s.
    pub s: U256,
}

/// A receipt as the producer exported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// A status byte (1 success, empty or 0 failure) or, before Byzantium, a 32-byte state root.
    pub post_state_or_status: Bytes,
    /// Gas used in the block up to and with this transaction.
    pub cumulative_gas_used: u64,
    /// Transaction hash.
    pub tx_hash: B256,
    /// The created contract, else zero.
    pub contract_address: Address,
    /// In emission order.
    pub logs: Vec<Log>,
    /// Gas used by this transaction.
    pub gas_used: u64,
}

/// A log with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Emitting contract.
    pub address: Address,
    /// At most four.
    pub topics: Vec<B256>,
    /// Unindexed data.
    pub data: Bytes,
    /// Block height.
    pub block_number: u64,
    /// Transaction hash.
    pub transaction_hash: B256,
    /// Position of the transaction in the block.
    pub transaction_index: u64,
    /// Block hash.
    pub block_hash: B256,
    /// Position of the log in the block.
    pub log_index: u64,
    /// True when a reorganisation removed it.
    pub removed: bool,
}

/// Every piece of state that the block read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateReads {
    /// Accounts before the block; one that is not here does not exist.
    pub accounts: Vec<AccountRead>,
    /// Storage slots before the block; one that is not here is zero.
    pub storage: Vec<StorageRead>,
    /// Bytecode that was run or copied. Code of which only the size was used is missing.
    pub codes: BytecodeTable,
    /// Hashes that BLOCKHASH returned.
    pub block_hashes: Vec<BlockHashRead>,
}

/// An account before the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRead {
    /// Address of the account.
    pub address: Address,
    /// Its nonce.
    pub nonce: u64,
    /// Its balance in wei; in layout 0.2 an unknown number where it is [rounded](Specimen::is_rounded).
    pub balance: U256,
    /// keccak256 of its code.
    pub code_hash: B256,
}

/// A storage slot before the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageRead {
    /// Whose storage.
    pub account: Address,
    /// The slot, unhashed.
    pub slot: B256,
    /// Its value.
    pub value: B256,
}

/// A block hash that the block asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHashRead {
    /// Height asked for.
    pub number: u64,
    /// The hash returned.
    pub hash: B256,
}

/// The blobs of one type-3 transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobSidecar {
    /// 131,072 bytes each.
    pub blobs: Vec<Bytes>,
    /// 48 bytes each.
    pub commitments: Vec<Bytes>,
    /// 48 bytes each.
    pub proofs: Vec<Bytes>,
}
