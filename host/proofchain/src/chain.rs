//! What the two contracts and their chain answer.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use serde::Deserialize;
use serde_json::json;

use crate::{
    announcement::BlockRef,
    bindings::{ChainData, Metadata, getChainDataCall, getMetadataCall, getURLSCall, isEnabledCall, isSessionOpenCall},
    bounds::LiveSync,
    network::Network,
    quantity,
    rpc::{Expected, Question, Rpc, RpcError, SetAside, returned},
};

/// The contracts of a [`Network`] through an [`Rpc`], found to be there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ProofChain {
    rpc: Rpc,
    network: Network,
}

/// What is proved once: a result of one height, by one operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The chain that the specimen is of.
    pub chain_id: u64,
    /// Height of its block.
    pub height: u64,
    /// Who proves.
    pub operator: Address,
}

impl Session {
    fn question(&self) -> isSessionOpenCall {
        let Self { chain_id, height, operator } = *self;
        isSessionOpenCall { chainId: chain_id, blockHeight: height, operator }
    }
}

/// Why a proof chain cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The node could not be asked.
    #[error(transparent)]
    Rpc(RpcError),
    /// The node is of another chain.
    #[error("chain id mismatch: expected {expected}, found {found}")]
    WrongChain {
        /// The network's chain id.
        expected: u64,
        /// The node's.
        found: u64,
    },
    /// No contract at the address.
    #[error("no contract at {address}, the {role} contract's address")]
    NoContract {
        /// Where nothing is.
        address: Address,
        /// `specimen` or `result`.
        role: &'static str,
    },
}

impl Diagnostic for ChainError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

impl From<RpcError> for ChainError {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::SetAside { reason: SetAside::OtherChain { expected, found }, .. } => {
                Self::WrongChain { expected, found }
            }
            RpcError::SetAside { reason: SetAside::NoContract { address, role }, .. } => {
                Self::NoContract { address, role }
            }
            error => Self::Rpc(error),
        }
    }
}

/// The time for which nodes that take long are waited for when one is well.
const OTHERS_PATIENCE: Duration = Duration::from_secs(2);

/// The fields of a block that we look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    #[serde(deserialize_with = "quantity::read")]
    pub number: u64,
    pub hash: B256,
    /// Seconds since 1970.
    #[serde(deserialize_with = "quantity::read")]
    pub timestamp: u64,
    /// Missing on chains without EIP-1559.
    #[serde(default)]
    pub base_fee_per_gas: Option<U256>,
}

impl Header {
    pub fn block_ref(&self) -> BlockRef {
        BlockRef { number: self.number, hash: self.hash }
    }
}

impl ProofChain {
    /// Checks every node: its chain id, code at both addresses, its head. One that is well is enough.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn connect(rpc: Rpc, network: Network) -> Result<Self, ChainError> {
        let contracts = [(network.specimen_contract, "specimen"), (network.result_contract, "result")];
        rpc.expect(Expected { chain_id: network.chain_id, contracts, checkpoint: None });
        rpc.check_until_one_is_well(OTHERS_PATIENCE).await?;
        Ok(Self { rpc, network })
    }

    /// Remembers a block that was seen, which every node must have from now on.
    pub fn remember(&self, checkpoint: BlockRef) {
        self.rpc.remember(checkpoint);
    }

    /// The contracts.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The nodes.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The chain's newest block number.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn head(&self) -> Result<u64, RpcError> {
        self.rpc.claimed_head().await
    }

    /// Where a specimen can be fetched: one entry a producer, often the same, not all of them `ipfs://`.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn specimen_urls(&self, specimen_hash: B256) -> Result<Vec<String>, RpcError> {
        self.rpc.view(self.network.specimen_contract, &getURLSCall { hash: specimen_hash }).await
    }

    /// Where a proven result can be fetched: one entry an operator.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn result_urls(&self, result_hash: B256) -> Result<Vec<String>, RpcError> {
        self.rpc.view(self.network.result_contract, &getURLSCall { hash: result_hash }).await
    }

    /// Whether a session is open. A hint: `false` is certain, `true` also stands for heights out of bounds, unknown chains and
    /// operators without a role.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn is_session_open(&self, session: &Session) -> Result<bool, RpcError> {
        self.rpc.view(self.network.result_contract, &session.question()).await
    }

    /// [`specimen_urls`](Self::specimen_urls) of several specimens, and [`is_session_open`](Self::is_session_open) of those that have
    /// a session, in as few requests as the node takes. Without one a session counts as open.
    ///
    /// # Errors
    ///
    /// [`RpcError`], for all when the node could not be asked, else for each.
    pub async fn urls_and_sessions(
        &self,
        specimens: &[(B256, Option<Session>)],
    ) -> Result<Vec<Result<(Vec<String>, bool), RpcError>>, RpcError> {
        let urls = specimens.iter().map(|(hash, _)| {
            let question = getURLSCall { hash: *hash };
            Question::view(self.network.specimen_contract, &question)
        });
        let sessions = specimens.iter().filter_map(|(_, session)| session.as_ref());
        let sessions = sessions.map(|session| Question::view(self.network.result_contract, &session.question()));
        let mut urls = self.rpc.call_all::<Bytes>(&urls.chain(sessions).collect::<Vec<_>>()).await?;
        let mut sessions = urls.split_off(specimens.len()).into_iter();
        let about_one = |(urls, (_, session)): (Result<Bytes, RpcError>, &(B256, Option<Session>))| {
            let open = session.and_then(|_| sessions.next());
            let open = open.map(|open| returned::<isSessionOpenCall>(&open?)).transpose()?;
            Ok((returned::<getURLSCall>(&urls?)?, open.unwrap_or(true)))
        };
        Ok(urls.into_iter().zip(specimens).map(about_one).collect())
    }

    /// Whether `operator` is among the block result producers.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn is_enabled(&self, operator: Address) -> Result<bool, RpcError> {
        self.rpc.view(self.network.result_contract, &isEnabledCall { operator }).await
    }

    /// What the result contract holds about a source chain.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn chain_data(&self, chain_id: u64) -> Result<ChainData, RpcError> {
        self.rpc.view(self.network.result_contract, &getChainDataCall { chainId: chain_id }).await
    }

    /// What the result contract holds about sessions.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn metadata(&self) -> Result<Metadata, RpcError> {
        self.rpc.view(self.network.result_contract, &getMetadataCall {}).await
    }

    /// Which heights of a source chain a session may open for now; `None` while the contract cannot tell either.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn live_sync(&self, chain_id: u64) -> Result<Option<LiveSync>, RpcError> {
        let (chain, metadata) = (self.chain_data(chain_id).await?, self.metadata().await?);
        Ok(LiveSync::at(self.head().await?, &chain, &metadata))
    }

    /// What an address owns, in wei of the proof chain's coin.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn balance(&self, address: Address) -> Result<U256, RpcError> {
        self.rpc.call("eth_getBalance", json!([address, "latest"])).await
    }

    /// A block's header; `None` where the node has no such block.
    pub(crate) async fn header(&self, number: u64) -> Result<Option<Header>, RpcError> {
        self.rpc.call("eth_getBlockByNumber", json!([quantity::hex(number), false])).await
    }
}
