//! A chain of our own that grows by blocks of any fork.

use std::collections::BTreeMap;

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, proofs::calculate_withdrawals_root};
use alloy_eips::{eip1559::BaseFeeParams, eip2718::Encodable2718 as _, eip4895::Withdrawal};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use refiner_testkit::{Offer, Plan};

use super::draft::Draft;
use crate::{
    block,
    chain::transactions,
    execute::{Executed, Job, execute},
    fork::Fork,
    network::Network,
    receipt,
    world::World,
};

/// Seconds between two blocks, such that no fork's difficulty rule moves it.
pub const BLOCK_SECONDS: u64 = 14;
/// The least difficulty there is.
const DIFFICULTY: U256 = U256::from_limbs([131_072, 0, 0, 0]);
/// EIP-1559: the base fee of London's first block.
const INITIAL_BASE_FEE: u64 = 1_000_000_000;

/// EIP-779: what the first ten blocks of the fork state.
const DAO_MARK: &[u8] = b"dao-hard-fork";

/// A chain with its state.
#[derive(Clone, Debug)]
pub struct TestChain {
    /// The chain's schedule of forks.
    pub network: Network,
    /// The state after the head.
    pub world: World,
    /// Header of the newest block.
    pub head: Header,
    block_hashes: BTreeMap<u64, B256>,
}

/// The contents of a block.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Transactions in block order.
    pub transactions: Vec<Plan>,
    /// Headers of the block's ommers.
    pub ommers: Vec<Header>,
    /// Withdrawals, from Shanghai on.
    pub withdrawals: Vec<Withdrawal>,
}

impl TestChain {
    /// A chain whose first block has this state and time.
    pub fn new(network: Network, mut world: World, timestamp: u64) -> Self {
        let first = Header { timestamp, ..Header::default() };
        let fork = network.fork_of(&Header { difficulty: DIFFICULTY, ..first.clone() });
        let head = Header {
            gas_limit: 30_000_000,
            state_root: world.state_root(),
            base_fee_per_gas: (fork >= Fork::London).then_some(INITIAL_BASE_FEE),
            ..with_fields_of(fork, first)
        };
        let block_hashes = BTreeMap::from([(0, head.hash_slow())]);
        Self { network, world, head, block_hashes }
    }

    /// The next header, with all that is known before execution.
    pub fn next_header(&self) -> Header {
        let parent = &self.head;
        let number = parent.number + 1;
        let next = Header {
            parent_hash: parent.hash_slow(),
            number,
            timestamp: parent.timestamp + BLOCK_SECONDS,
            beneficiary: Address::from_slice(&keccak256("refiner conformance fee recipient")[12..]),
            gas_limit: parent.gas_limit,
            extra_data: Bytes::from_static(b"refiner conformance"),
            ..Header::default()
        };
        let fork = self.network.fork_of(&Header { difficulty: DIFFICULTY, ..next.clone() });
        let mut next = with_fields_of(fork, next);
        if fork == Fork::Dao {
            next.extra_data = Bytes::from_static(DAO_MARK);
        }
        if fork >= Fork::Paris {
            next.mix_hash = keccak256(format!("refiner conformance randao {number}"));
        }
        if fork >= Fork::London {
            next.base_fee_per_gas = parent.next_block_base_fee(BaseFeeParams::ethereum()).or(Some(INITIAL_BASE_FEE));
            if parent.base_fee_per_gas.is_none() {
                next.gas_limit *= 2;
            }
        }
        if let Some(params) = self.network.blob_params(fork).filter(|_| fork >= Fork::Cancun) {
            next.excess_blob_gas = parent.next_block_excess_blob_gas(params).or(Some(0));
            next.parent_beacon_block_root = Some(keccak256(format!("refiner conformance beacon root {number}")));
        }
        next
    }

    /// Signs and executes a block; the chain stays where it is.
    ///
    /// # Panics
    /// When the block is invalid.
    pub fn draft(&self, contents: &Contents) -> (Draft, Executed) {
        let mut header = self.next_header();
        let fork = self.network.fork_of(&header);
        let withdrawals = (fork >= Fork::Shanghai).then(|| contents.withdrawals.clone());
        header.withdrawals_root = withdrawals.as_deref().map(calculate_withdrawals_root);
        let transactions = self.sign(&contents.transactions, &header);
        let mut draft = Draft { header, transactions, ommers: contents.ommers.clone(), withdrawals };
        draft.header.ommers_hash = draft.ommers_hash();
        draft.header.transactions_root = draft.transactions_root();
        let executed = self.execute(&draft);
        assert_eq!(executed.faults, Vec::<String>::new(), "{}", self.network.name);
        state_outcome(&mut draft.header, fork, &executed);
        (draft, executed)
    }

    /// Executes a draft as it is, and gives it the results in its header.
    pub fn settle(&self, draft: &mut Draft) {
        let fork = self.network.fork_of(&draft.header);
        let executed = self.execute(draft);
        state_outcome(&mut draft.header, fork, &executed);
    }

    /// Moves the chain onto a block.
    pub fn append(&mut self, draft: &Draft, executed: Executed) {
        self.world = executed.world;
        self.head = draft.header.clone();
        self.block_hashes.insert(self.head.number, self.head.hash_slow());
    }

    fn execute(&self, draft: &Draft) -> Executed {
        let block = block::decode(&draft.encode()).expect("a block of our own is well-formed");
        let fork = self.network.fork_of(&block.header);
        let job = Job {
            fork,
            blobs: self.network.blob_params(fork),
            chain_id: self.network.chain_id,
            moves_dao: self.network.moves_dao(&block.header),
            rewarded: true,
            header: &block.header,
            transactions: &transactions(&block, &self.world),
            ommers: &block.ommers,
            withdrawals: block.withdrawals.as_deref().unwrap_or_default(),
            block_hashes: &self.block_hashes,
            lenient: false,
        };
        execute(&job, &self.world)
    }

    fn sign(&self, plans: &[Plan], header: &Header) -> Vec<Bytes> {
        /// One gwei, in wei.
        const TIP: u128 = 1_000_000_000;
        let base_fee = u128::from(header.base_fee_per_gas.unwrap_or_default());
        let offer = Offer { max_fee: 2 * base_fee + TIP, tip: TIP, blob_fee: 10 * TIP };
        let mut nonces = BTreeMap::new();
        let mut nonce_of = |address| {
            let next =
                nonces.entry(address).or_insert_with(|| self.world.get(&address).map_or(0, |account| account.nonce));
            let nonce = *next;
            *next += 1;
            nonce
        };
        let signed = plans.iter().map(|plan| plan.sign(self.network.chain_id, offer, &mut nonce_of));
        signed.map(|signed| signed.envelope.encoded_2718().into()).collect()
    }
}

fn state_outcome(header: &mut Header, fork: Fork, executed: &Executed) {
    header.state_root = executed.world.clone().state_root();
    header.receipts_root = receipt::root(&executed.receipts);
    header.logs_bloom = receipt::bloom(&executed.receipts);
    header.gas_used = executed.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
    header.blob_gas_used = (fork >= Fork::Cancun).then_some(executed.blob_gas);
    header.requests_hash = executed.requests.as_deref().map(receipt::requests_hash);
}

/// A header with nothing in it but what its fork requires to be there.
fn with_fields_of(fork: Fork, header: Header) -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        difficulty: if fork >= Fork::Paris { U256::ZERO } else { DIFFICULTY },
        withdrawals_root: (fork >= Fork::Shanghai).then_some(EMPTY_ROOT_HASH),
        blob_gas_used: (fork >= Fork::Cancun).then_some(0),
        excess_blob_gas: (fork >= Fork::Cancun).then_some(5_000_000),
        parent_beacon_block_root: (fork >= Fork::Cancun).then_some(B256::ZERO),
        requests_hash: (fork >= Fork::Prague).then(|| receipt::requests_hash(&[])),
        ..header
    }
}
