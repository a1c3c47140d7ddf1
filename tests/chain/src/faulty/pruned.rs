//! Nodes that keep the state of the last blocks only.

use serde_json::Value;

use super::{Behaviour, Fault, Question, Request, TRIAL};

/// A node without old state, by how it refuses a call on it. Headers, transactions and receipts it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruned {
    /// Substrate, and Frontier on it, <https://github.com/polkadot-js/api/issues/2629>.
    Substrate,
    /// geth with state by hash, <https://github.com/ethereum/go-ethereum/issues/20874>.
    Geth,
    /// geth and Frontier without the block, <https://github.com/polkadot-evm/frontier/pull/625>.
    NoHeader,
    /// OpenEthereum, <https://github.com/openethereum/parity-ethereum/issues/11594>.
    OpenEthereum,
    /// reth, <https://github.com/paradigmxyz/reth/pull/4092>.
    Reth,
    /// Older reth, <https://github.com/paradigmxyz/reth/issues/4060>.
    RethNonce,
    /// Nethermind, <https://github.com/NethermindEth/nethermind/issues/9408>.
    Nethermind,
    /// Older Erigon, <https://github.com/erigontech/erigon/issues/3152>.
    Erigon,
    /// A gateway that has paying customers asked for old state.
    Forbidden,
    /// A gateway whose node takes too long: a page of HTML.
    TimedOut,
}

impl Pruned {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Substrate,
        Self::Geth,
        Self::NoHeader,
        Self::OpenEthereum,
        Self::Reth,
        Self::RethNonce,
        Self::Nethermind,
        Self::Erigon,
        Self::Forbidden,
        Self::TimedOut,
    ];

    fn refuse(self) -> Fault {
        match self {
            Self::Substrate => Fault::refuse(
                -32603,
                "Unknown error occurred: Client(UnknownBlock(\"State already discarded for BlockId::Hash(0x34404caec5cf2f9e7a087a5fbef54975b7d)\"))",
            ),
            Self::Geth => Fault::refuse(
                -32000,
                "missing trie node ef7df5d88cb1614dc3f143879a653cd90717ee42e967c5fabbcd7505a968f314 (path )",
            ),
            Self::NoHeader => Fault::refuse(-32000, "header not found"),
            Self::OpenEthereum => Fault::refuse(
                -32000,
                "This request is not supported because your node is running with state pruning. Run with --pruning=archive.",
            ),
            Self::Reth => Fault::refuse(-32603, "State at block #11052984 is pruned"),
            Self::RethNonce => Fault::refuse(-32003, "nonce too high"),
            Self::Nethermind => Fault::refuse(
                -32603,
                "Internal error: Nethermind.Trie.MissingTrieNodeException: Node A: P:2 H:0x992eacd1 is missing from the DB",
            ),
            Self::Erigon => Fault::refuse(-32000, "method handler crashed"),
            Self::Forbidden => Fault::page(403, "archive requests require a paid plan"),
            Self::TimedOut => Fault::page(524, "<html><title>524: A timeout occurred</title></html>"),
        }
    }
}

impl Behaviour for Pruned {
    fn fault(&self, _: &Request, question: &Question<'_>) -> Option<Fault> {
        let is_of_a_block = question.method() == TRIAL
            && matches!(question.parameter(1), Value::String(block) if block.starts_with("0x"));
        is_of_a_block.then(|| self.refuse())
    }
}
