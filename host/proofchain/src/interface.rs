//! Questions about the contracts and the operator before anything is proved.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolEvent as _;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::{
    bindings::{BlockSpecimenQuorum, BlockSpecimenRewardAwarded},
    chain::{Header, ProofChain},
    prover::{NonceAt, Proof},
    quantity::{self, Quantity},
    revert::Revert,
    rpc::RpcError,
};

/// The answers of the two contracts to a proof that is only tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// The result contract's objection; `None` where it would take the proof.
    pub result: Option<Revert>,
    /// Whether the specimen contract takes proofs of results, which is the other contract's work.
    pub specimen_takes_results: bool,
}

impl Interfaces {
    /// Whether the contract at the result contract's address takes no proofs of results.
    pub fn lacks_results(&self) -> bool {
        matches!(self.result, Some(Revert::Silent))
    }

    /// Whether each address is the other one's.
    pub fn is_swapped(&self) -> bool {
        self.lacks_results() && self.specimen_takes_results
    }
}

impl ProofChain {
    /// Tries a proof at both addresses without sending it. Functions that a contract lacks revert without a reason.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn interfaces(&self, operator: Address, chain_id: u64, height: u64) -> Result<Interfaces, RpcError> {
        let hash = B256::repeat_byte(1);
        let url = "ipfs://preflight".to_owned();
        let calldata = Proof { chain_id, height, specimen_hash: hash, result_hash: hash, url }.calldata();
        let result = self.tried_at(self.network().result_contract, operator, &calldata).await?;
        let specimen = self.tried_at(self.network().specimen_contract, operator, &calldata).await?;
        Ok(Interfaces { result, specimen_takes_results: !matches!(specimen, Some(Revert::Silent)) })
    }

    async fn tried_at(
        &self,
        contract: Address,
        operator: Address,
        calldata: &Bytes,
    ) -> Result<Option<Revert>, RpcError> {
        let call = json!([{"from": operator, "to": contract, "data": calldata}, "latest"]);
        match self.rpc().call::<Bytes>("eth_call", call).await {
            Ok(_) => Ok(None),
            Err(error) => error.refusal().and_then(Revert::of).map(Some).ok_or(error),
        }
    }

    /// The newest block's number, and its time in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn newest(&self) -> Result<(u64, u64), RpcError> {
        let header: Header = self.rpc().call("eth_getBlockByNumber", json!(["latest", false])).await?;
        Ok((header.number, header.timestamp))
    }

    /// An account's number of transactions.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn transaction_count(&self, account: Address, at: NonceAt) -> Result<u64, RpcError> {
        let Quantity(count) = self.rpc().call("eth_getTransactionCount", json!([account, at.tag()])).await?;
        Ok(count)
    }

    /// Asks for the announcements of the newest `blocks` blocks at once, as the scan does.
    ///
    /// # Errors
    ///
    /// [`RpcError`], such as for a range that the node does not take.
    pub async fn try_range(&self, blocks: u64) -> Result<(), RpcError> {
        let (head, _) = self.newest().await?;
        let filter = json!([{
            "address": self.network().specimen_contract,
            "topics": [[BlockSpecimenQuorum::SIGNATURE_HASH, BlockSpecimenRewardAwarded::SIGNATURE_HASH]],
            "fromBlock": quantity::hex(head.saturating_sub(blocks.saturating_sub(1))),
            "toBlock": quantity::hex(head),
        }]);
        self.rpc().call::<Vec<IgnoredAny>>("eth_getLogs", filter).await.map(drop)
    }
}
