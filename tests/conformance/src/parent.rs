//! Faults of a block that its own bytes cannot show: they need the parent's header, the ancestors or the state after it.

use alloy_consensus::Header;
use alloy_eips::eip1559::BaseFeeParams;
use alloy_primitives::B256;

use crate::{block::Block, execute::Executed, fork::Fork, network::Network};

/// A fault that a specimen does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hidden {
    /// The parent is not known, or invalid.
    Parent,
    /// The height is not the parent's and one.
    Height,
    /// The time is not after the parent's.
    Timestamp,
    /// The gas limit moved too far.
    GasLimit,
    /// The base fee does not follow from the parent.
    BaseFee,
    /// The excess blob gas does not follow from the parent.
    ExcessBlobGas,
    /// The state root is not that of the state after the block.
    StateRoot,
    /// The difficulty does not follow from the parent, or the proof of work is none.
    Difficulty,
    /// The total difficulty allows no such block.
    TotalDifficulty,
    /// An ommer is no ommer of this chain.
    Ommers,
}

impl Hidden {
    /// The name as it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parent => "parent hash",
            Self::Height => "number against the parent",
            Self::Timestamp => "timestamp against the parent",
            Self::GasLimit => "gas limit step",
            Self::BaseFee => "base fee",
            Self::ExcessBlobGas => "excess blob gas against the parent",
            Self::StateRoot => "post-state root",
            Self::Difficulty => "difficulty or proof of work",
            Self::TotalDifficulty => "total difficulty",
            Self::Ommers => "ommers against the ancestors",
        }
    }
}

/// Divisor of the greatest step of the gas limit, EIP-1559.
const GAS_LIMIT_STEP: u64 = 1024;
/// EIP-1559: gas limit and target of London's first block.
const ELASTICITY: u64 = 2;

/// The first fault that only the parent or the state after the block shows. `class` is the test's own word for what is
/// wrong; it decides only where this crate does not compute the rule: difficulty, proof of work, ommers.
pub fn hidden_fault(
    block: &Block,
    executed: &mut Executed,
    parent: Option<&Header>,
    network: &Network,
    class: &str,
) -> Option<Hidden> {
    let header = &block.header;
    let Some(parent) = parent else { return Some(Hidden::Parent) };
    if header.number != parent.number.saturating_add(1) {
        return Some(Hidden::Height);
    }
    if header.timestamp <= parent.timestamp {
        return Some(Hidden::Timestamp);
    }
    let fork = network.fork_of(header);
    let first_of_london = network.london_height() == Some(header.number);
    let limit = if first_of_london { parent.gas_limit.saturating_mul(ELASTICITY) } else { parent.gas_limit };
    if header.gas_limit.abs_diff(limit) >= limit / GAS_LIMIT_STEP {
        return Some(Hidden::GasLimit);
    }
    if fork >= Fork::London && !first_of_london {
        let expected = parent.next_block_base_fee(BaseFeeParams::ethereum());
        if header.base_fee_per_gas != expected {
            return Some(Hidden::BaseFee);
        }
    }
    if let Some(params) = network.blob_params(fork).filter(|_| fork >= Fork::Cancun) {
        let expected =
            if parent.excess_blob_gas.is_some() { parent.next_block_excess_blob_gas(params) } else { Some(0) };
        if header.excess_blob_gas != expected {
            return Some(Hidden::ExcessBlobGas);
        }
    }
    if executed.world.state_root() != header.state_root {
        return Some(Hidden::StateRoot);
    }
    by_class(block, fork, network, class)
}

fn by_class(block: &Block, fork: Fork, network: &Network, class: &str) -> Option<Hidden> {
    let class = class.to_ascii_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| class.contains(word));
    if network.merges_by_difficulty() && names(&["totaldifficulty", "ttd", "difficulty"]) {
        return Some(Hidden::TotalDifficulty);
    }
    if fork < Fork::Paris && names(&["difficulty", "pow", "nonce", "mixhash", "seal"]) {
        return Some(Hidden::Difficulty);
    }
    (fork < Fork::Paris && !block.ommers.is_empty() && names(&["uncle", "ommer"])).then_some(Hidden::Ommers)
}

/// Compares a valid block's own header with what came out; names what differs.
pub fn disagreement(header: &Header, executed: &mut Executed) -> Option<String> {
    let differs = |what: &str, stated: String, computed: String| {
        (stated != computed).then(|| format!("{what}: stated {stated}, executed {computed}"))
    };
    let gas = executed.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
    let requests = executed.requests.as_deref().map(crate::receipt::requests_hash);
    let hash = |hash: B256| hash.to_string();
    executed
        .faults
        .first()
        .cloned()
        .or_else(|| differs("gas used", header.gas_used.to_string(), gas.to_string()))
        .or_else(|| {
            differs("receipts root", hash(header.receipts_root), hash(crate::receipt::root(&executed.receipts)))
        })
        .or_else(|| differs("requests hash", format!("{:?}", header.requests_hash), format!("{requests:?}")))
        .or_else(|| differs("state root", hash(header.state_root), hash(executed.world.state_root())))
}
