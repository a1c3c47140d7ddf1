//! A small chain of our own: plans in, sealed blocks with true headers out.

use std::collections::BTreeMap;

use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, Eip658Value, Header, ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxType,
    proofs::{calculate_ommers_root, calculate_receipt_root, calculate_transaction_root, calculate_withdrawals_root},
};
use alloy_eips::{eip1559::BaseFeeParams, eip4895::Withdrawal};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256, keccak256, logs_bloom};
use refiner_specimen::StateReads;
use revm::database::CacheDB;
use sha2::{Digest as _, Sha256};

use crate::{
    error::KitError,
    execute::{Outcome, Receipt, execute, reward},
    fork::Fork,
    recorder::Recorder,
    transaction::{Offer, Plan, Signed},
    world::World,
};

/// Seconds between two blocks.
const SLOT_SECONDS: u64 = 12;

/// A chain that grows by one block at a time.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The chain id, which is the specimen's `NetworkId` too.
    pub chain_id: u64,
    /// The fork that all its blocks run on.
    pub fork: Fork,
    /// The state after the newest block.
    pub world: World,
    head: Header,
    block_hashes: BTreeMap<u64, B256>,
}

/// The content of the next block.
#[derive(Clone, Debug, Default)]
pub struct BlockPlan {
    /// Transactions in block order.
    pub transactions: Vec<Plan>,
    /// Paid out after the transactions; Shanghai and later.
    pub withdrawals: Vec<Withdrawal>,
    /// Free text of the block's builder, at most 32 bytes.
    pub extra_data: Bytes,
    /// Headers of siblings of earlier blocks, before the merge.
    pub ommers: Vec<Header>,
}

/// A block with everything that is known of it.
#[derive(Clone, Debug)]
pub struct SealedBlock {
    /// Id of the chain.
    pub chain_id: u64,
    /// The fork it ran on.
    pub fork: Fork,
    /// The header, with every root in it.
    pub header: Header,
    /// keccak256 of the RLP of the header.
    pub hash: B256,
    /// Headers of siblings of earlier blocks.
    pub ommers: Vec<Header>,
    /// Transactions in block order.
    pub transactions: Vec<Signed>,
    /// Withdrawals; `None` before Shanghai.
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// Receipts and requests of the block.
    pub outcome: Outcome,
    /// Everything that was read.
    pub reads: StateReads,
}

impl Chain {
    /// Starts a chain whose first block will have this height and time, after one empty block before it.
    pub fn new(chain_id: u64, fork: Fork, height: u64, timestamp: u64, world: World) -> Self {
        let grandparent = keccak256(format!("refiner sample chain {chain_id}, before {height}"));
        let parent_height = height.saturating_sub(1);
        let head = Header {
            parent_hash: grandparent,
            number: parent_height,
            timestamp: timestamp - SLOT_SECONDS,
            gas_limit: 30_000_000,
            gas_used: 15_000_000,
            base_fee_per_gas: Some(9_000_000_000),
            state_root: world.state_root(),
            ..empty_header(fork)
        };
        let mut block_hashes = BTreeMap::from([(parent_height, head.hash_slow())]);
        if let Some(height) = parent_height.checked_sub(1) {
            block_hashes.insert(height, grandparent);
        }
        Self { chain_id, fork, world, head, block_hashes }
    }

    /// Sets the gas limit of the blocks to come.
    pub fn set_gas_limit(&mut self, gas_limit: u64) {
        // The parent keeps its hash, which was noted when it was sealed.
        self.head.gas_limit = gas_limit;
        self.head.gas_used = gas_limit / 2;
    }

    /// Signs and executes a block, and moves the chain onto it.
    ///
    /// # Errors
    ///
    /// When a transaction is not valid here, or a system call does not succeed.
    pub fn seal(&mut self, plan: BlockPlan) -> Result<SealedBlock, KitError> {
        let header = self.next_header(plan.extra_data.clone());
        let transactions = self.sign(&plan.transactions, &header);
        let recorder = Recorder::new(&self.world, &self.block_hashes);
        let mut db = CacheDB::new(recorder);
        let outcome = execute(&mut db, self.chain_id, self.fork, &header, &transactions, &plan.withdrawals)?;
        if self.fork < Fork::Paris {
            reward(&mut db, &header, &plan.ommers)?;
        }
        let reads = db.db.reads();
        let cache = std::mem::take(&mut db.cache);
        drop(db);
        let mut executed = CacheDB::new(revm::database::EmptyDB::new());
        executed.cache = cache;
        self.world.absorb(executed);
        Ok(self.close(header, plan, transactions, outcome, reads))
    }

    /// Signs a block that is not executed: its outcome is what `outcome` states, and the chain's state stays as it was.
    ///
    /// For blocks whose execution is too long to wait for, and for those that misstate what they do.
    pub fn seal_stated(
        &mut self,
        plan: BlockPlan,
        reads: StateReads,
        outcome: impl FnOnce(&[Signed], &Header) -> Outcome,
    ) -> SealedBlock {
        let header = self.next_header(plan.extra_data.clone());
        let transactions = self.sign(&plan.transactions, &header);
        let outcome = outcome(&transactions, &header);
        self.close(header, plan, transactions, outcome, reads)
    }

    /// Fills in what execution gave, and moves the chain onto the block.
    fn close(
        &mut self,
        mut header: Header,
        plan: BlockPlan,
        transactions: Vec<Signed>,
        outcome: Outcome,
        reads: StateReads,
    ) -> SealedBlock {
        let withdrawals = (self.fork >= Fork::Shanghai).then_some(plan.withdrawals);
        header.ommers_hash = calculate_ommers_root(&plan.ommers);
        header.state_root = self.world.state_root();
        header.transactions_root =
            calculate_transaction_root(&transactions.iter().map(|signed| &signed.envelope).collect::<Vec<_>>());
        header.receipts_root = receipts_root(&outcome.receipts);
        header.logs_bloom =
            outcome.receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | logs_bloom(&receipt.logs));
        header.gas_used = outcome.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
        header.withdrawals_root = withdrawals.as_deref().map(calculate_withdrawals_root);
        header.blob_gas_used = (self.fork >= Fork::Cancun)
            .then(|| transactions.iter().filter_map(|signed| signed.envelope.blob_gas_used()).sum());
        header.requests_hash = (self.fork >= Fork::Prague).then(|| requests_hash(&outcome.requests));

        let hash = header.hash_slow();
        self.block_hashes.insert(header.number, hash);
        self.head = header.clone();
        SealedBlock {
            chain_id: self.chain_id,
            fork: self.fork,
            header,
            hash,
            ommers: plan.ommers,
            transactions,
            withdrawals,
            outcome,
            reads,
        }
    }

    /// A header that could be an ommer of the next block: a sibling of the newest one.
    pub fn sibling(&self) -> Header {
        Header { extra_data: Bytes::from_static(b"refiner sample ommer"), ..self.head.clone() }
    }

    /// The next header, with all that is known before execution.
    fn next_header(&self, extra_data: Bytes) -> Header {
        let parent = &self.head;
        let number = parent.number + 1;
        let parent_hash = self.block_hashes.get(&parent.number).copied().unwrap_or_default();
        Header {
            parent_hash,
            number,
            timestamp: parent.timestamp + SLOT_SECONDS,
            beneficiary: Address::from_slice(&keccak256("refiner sample fee recipient")[12..]),
            gas_limit: parent.gas_limit,
            extra_data,
            mix_hash: keccak256(format!("refiner sample randao {number}")),
            base_fee_per_gas: parent.next_block_base_fee(BaseFeeParams::ethereum()),
            excess_blob_gas: self.fork.blob_params().and_then(|params| parent.next_block_excess_blob_gas(params)),
            parent_beacon_block_root: (self.fork >= Fork::Cancun)
                .then(|| keccak256(format!("refiner sample beacon root {number}"))),
            ..empty_header(self.fork)
        }
    }

    fn sign(&self, plans: &[Plan], header: &Header) -> Vec<Signed> {
        /// 1 gwei, what every sample transaction tips.
        const TIP_WEI: u128 = 1_000_000_000;
        let base_fee = u128::from(header.base_fee_per_gas.unwrap_or_default());
        // Twice the base fee and the tip: the fee cap differs from the price paid, as it mostly does.
        let offer = Offer { max_fee: 2 * base_fee + TIP_WEI, tip: TIP_WEI, blob_fee: 10 * TIP_WEI };
        let mut nonces = BTreeMap::new();
        let mut nonce_of = |address| {
            let stored = || self.world.accounts.get(&address).map_or(0, |account| account.nonce);
            let next = nonces.entry(address).or_insert_with(stored);
            let nonce = *next;
            *next += 1;
            nonce
        };
        plans.iter().map(|plan| plan.sign(self.chain_id, offer, &mut nonce_of)).collect()
    }
}

impl SealedBlock {
    /// The same block under a changed header, whose hash is that of the block again.
    #[must_use]
    pub fn with_header(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.header);
        self.hash = self.header.hash_slow();
        self
    }
}

/// Difficulty before the merge: like mainnet's in its last months, and exact as a double, which layout 0.2 writes.
const DIFFICULTY: u64 = 7_000_000_000_000_000;

/// A header with nothing in it but what the fork requires to be there.
fn empty_header(fork: Fork) -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        difficulty: if fork < Fork::Paris { U256::from(DIFFICULTY) } else { U256::ZERO },
        nonce: if fork < Fork::Paris { B64::new(*b"refiner!") } else { B64::ZERO },
        withdrawals_root: (fork >= Fork::Shanghai).then_some(alloy_trie::EMPTY_ROOT_HASH),
        blob_gas_used: (fork >= Fork::Cancun).then_some(0),
        // More than a block's target, so that blob gas has a price other than its minimum.
        excess_blob_gas: (fork >= Fork::Cancun).then_some(60_000_000),
        parent_beacon_block_root: (fork >= Fork::Cancun).then_some(B256::ZERO),
        requests_hash: (fork >= Fork::Prague).then(|| requests_hash(&[])),
        ..Header::default()
    }
}

/// The root of the receipts as the header states it.
pub fn receipts_root(receipts: &[Receipt]) -> B256 {
    let envelopes = receipts.iter().map(|receipt| {
        let body = ReceiptWithBloom::from(alloy_consensus::Receipt {
            status: Eip658Value::Eip658(receipt.success),
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

/// sha256 over the sha256 of each request, EIP-7685.
pub fn requests_hash(requests: &[Bytes]) -> B256 {
    let mut hasher = Sha256::new();
    for request in requests {
        hasher.update(Sha256::digest(request));
    }
    B256::from_slice(&hasher.finalize())
}
