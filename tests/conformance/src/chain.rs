//! A test as cases: each of its blocks a specimen, with what must become of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use refiner_specimen::Transaction;

use crate::{
    block::{self, Block},
    execute::{Executed, Job, execute},
    fork::Fork,
    format::{StatedBlock, Test, world},
    network::Network,
    parent::{Hidden, disagreement, hidden_fault},
    specimen, transaction,
    world::World,
};

/// The ancestors whose hashes BLOCKHASH gives.
const BLOCKHASH_REACH: u64 = 256;

/// A block of a test.
#[derive(Clone, Debug)]
pub struct Case {
    /// File and name of the test.
    pub test: Arc<str>,
    /// The network that the test names.
    pub network: Arc<str>,
    /// Position among the test's blocks.
    pub block: usize,
    /// The class of the block's fault; `None` for a valid block.
    pub class: Option<String>,
    /// Its specimen, or the reason why there is none.
    pub specimen: Result<Prepared, Unwritten>,
}

/// A specimen to replay.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The specimen, encoded in a layout.
    pub bytes: Vec<u8>,
    /// Height of the block.
    pub height: u64,
    /// The chain config to replay it with, as JSON.
    pub config: Arc<str>,
    /// The fault of an invalid block that a specimen does not show.
    pub hidden: Option<Hidden>,
    /// The difference between a valid block's header and this crate's execution.
    pub disagreement: Option<String>,
}

/// The reason why a block has no specimen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritten {
    /// The encoding cannot be read, or states something that no specimen can.
    #[error("encoding: {0}")]
    Encoding(String),
    /// The layout has no room for it.
    #[error("not carried: {0}")]
    NotCarried(String),
    /// A valid block on a block that could not be executed.
    #[error("the parent was not executed")]
    NoParent,
}

/// A test that has no cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// Another kind of test.
    #[error("no blockchain test")]
    OtherKind,
    /// A network that is not known.
    #[error("unknown network {0}")]
    Network(String),
}

/// Walks through a test's blocks in order of import.
///
/// # Errors
/// [`Skipped`].
pub fn cases(name: &str, test: &Test, fork: Option<&str>, mut each: impl FnMut(Case)) -> Result<(), Skipped> {
    let (Some(network), Some(genesis), Some(pre), Some(blocks)) =
        (&test.network, &test.genesis_block_header, &test.pre, &test.blocks)
    else {
        return Err(Skipped::OtherKind);
    };
    if fork.is_some_and(|fork| fork != network) {
        return Ok(());
    }
    let chain_id = test.config.chainid.map_or(1, crate::format::Number::saturating_u64);
    let network =
        Network::new(network, chain_id, &test.config.blob_schedule).map_err(|unknown| Skipped::Network(unknown.0))?;
    let header = genesis.header();
    let mut walk = Walk {
        config: network.geth_config().to_string().into(),
        rewarded: test.seal_engine.as_deref() != Some("NoReward"),
        head: genesis.hash,
        nodes: HashMap::from([(genesis.hash, Node { header, world: Some(world(pre)) })]),
        children: children(blocks),
        network,
    };
    let (test, network): (Arc<str>, Arc<str>) = (name.into(), walk.network.name.as_str().into());
    for (position, stated) in blocks.iter().enumerate() {
        let class = stated.fault().map(str::to_owned);
        let specimen = walk.block(stated, class.as_deref());
        each(Case { test: Arc::clone(&test), network: Arc::clone(&network), block: position, class, specimen });
    }
    Ok(())
}

/// The number of blocks that build on each hash: a state is kept for as long as there will be another.
fn children(blocks: &[StatedBlock]) -> HashMap<B256, usize> {
    let mut children = HashMap::new();
    for header in blocks.iter().filter_map(|stated| block::header(&stated.rlp)) {
        *children.entry(header.parent_hash).or_default() += 1;
    }
    children
}

struct Node {
    header: Header,
    /// `None` once no later block builds on it.
    world: Option<World>,
}

struct Walk {
    network: Network,
    config: Arc<str>,
    rewarded: bool,
    /// The newest valid block.
    head: B256,
    nodes: HashMap<B256, Node>,
    children: HashMap<B256, usize>,
}

impl Walk {
    fn block(&mut self, stated: &StatedBlock, class: Option<&str>) -> Result<Prepared, Unwritten> {
        let malformed = |reason: String| Err(Unwritten::Encoding(reason));
        let Some(bytes) = block::bytes(&stated.rlp) else { return malformed("not hex".to_owned()) };
        let block = match block::decode(&bytes) {
            Ok(block) => block,
            Err(fault) => return malformed(fault.to_string()),
        };
        let parent = block.header.parent_hash;
        // An invalid block on an unknown one is tried on the head.
        let base = if self.state(&parent).is_some() { parent } else { self.head };
        let known = base == parent;
        let prepared = match (self.state(&base), class) {
            (None, _) => Err(Unwritten::NoParent),
            (Some(_), None) if !known => Err(Unwritten::NoParent),
            (Some(before), class) => {
                let block_hashes = self.block_hashes(&base);
                let (prepared, executed) = self.prepare(&block, before, &block_hashes, known, class)?;
                if class.is_none() {
                    self.head = block.hash;
                    let node = Node { header: block.header, world: Some(executed.world) };
                    self.nodes.insert(block.hash, node);
                }
                prepared
            }
        };
        self.forget(parent);
        prepared
    }

    fn prepare(
        &self,
        block: &Block,
        before: &World,
        block_hashes: &BTreeMap<u64, B256>,
        known: bool,
        class: Option<&str>,
    ) -> Result<(Result<Prepared, Unwritten>, Executed), Unwritten> {
        let transactions = transactions(block, before);
        let fork = self.network.fork_of(&block.header);
        let job = Job {
            fork,
            blobs: self.network.blob_params(fork),
            chain_id: self.network.chain_id,
            moves_dao: self.network.moves_dao(&block.header),
            rewarded: self.rewarded,
            header: &block.header,
            transactions: &transactions,
            ommers: &block.ommers,
            withdrawals: block.withdrawals.as_deref().unwrap_or_default(),
            block_hashes,
            lenient: class.is_some(),
        };
        let mut executed = execute(&job, before);
        let parent = self.nodes.get(&block.header.parent_hash).filter(|_| known).map(|node| &node.header);
        let hidden = class.and_then(|class| hidden_fault(block, &mut executed, parent, &self.network, class));
        // A transaction that the chain does not allow gives another state too, and it is the block's own bytes that show it.
        let hidden = hidden.filter(|hidden| {
            *hidden != Hidden::StateRoot || execute(&Job { lenient: false, ..job }, before).faults.is_empty()
        });
        let disagreement = if class.is_none() { disagreement(&block.header, &mut executed) } else { None };
        // An invalid block states no receipts, so that execution has to find what is wrong. Before Byzantium there is
        // no receipts root without the states in them.
        let with_receipts = class.is_none() || fork < Fork::Byzantium;
        let receipts = if with_receipts { &executed.receipts[..] } else { &[] };
        let reads = std::mem::take(&mut executed.reads);
        let bytes = specimen::bytes(block, self.network.chain_id, transactions, reads, receipts);
        let prepared = match bytes {
            Ok(bytes) => Ok(Prepared {
                bytes,
                height: block.header.number,
                config: Arc::clone(&self.config),
                hidden,
                disagreement,
            }),
            Err(error) => Err(Unwritten::NotCarried(error.to_string())),
        };
        Ok((prepared, executed))
    }

    fn state(&self, hash: &B256) -> Option<&World> {
        self.nodes.get(hash)?.world.as_ref()
    }

    /// Drops the state after a block when nothing else builds on it. The head keeps its own.
    fn forget(&mut self, hash: B256) {
        let left = self.children.entry(hash).or_default();
        *left = left.saturating_sub(1);
        if *left == 0
            && hash != self.head
            && let Some(node) = self.nodes.get_mut(&hash)
        {
            node.world = None;
        }
    }

    /// The hashes that BLOCKHASH gives a block on top of `parent`.
    fn block_hashes(&self, parent: &B256) -> BTreeMap<u64, B256> {
        let mut hashes = BTreeMap::new();
        let mut hash = *parent;
        for _ in 0..BLOCKHASH_REACH {
            let Some(node) = self.nodes.get(&hash) else { break };
            hashes.insert(node.header.number, hash);
            hash = node.header.parent_hash;
        }
        hashes
    }
}

/// A block's transactions with their signers. One without a valid signature is given to the account that can afford most.
pub fn transactions(block: &Block, before: &World) -> Vec<(Transaction, Address)> {
    let richest = || {
        let plain = before.iter().filter(|(_, account)| account.code.is_empty());
        plain.max_by_key(|(_, account)| account.balance).map_or(Address::ZERO, |(address, _)| *address)
    };
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let with_sender = |decoded: &transaction::Decoded| {
        let mut transaction = decoded.transaction.clone();
        transaction::price(&mut transaction, base_fee);
        let sender = decoded.sender().unwrap_or_else(richest);
        transaction.from = Some(sender);
        (transaction, sender)
    };
    block.transactions.iter().map(with_sender).collect()
}
