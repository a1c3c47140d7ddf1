//! Prepare, sign, and what is asked before.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use serde_json::json;

use super::transaction::{Prepared, Signed, Unsigned};
use crate::{
    bindings::submitBlockResultProofCall,
    chain::ProofChain,
    fees::{FeePolicy, FeeQuote, Fees},
    key::{SignError, Signer},
    quantity::Quantity,
    revert::Revert,
    rpc::RpcError,
};

/// What is proven: that this result was made of this specimen, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The chain that the specimen is of.
    pub chain_id: u64,
    /// Height of its block.
    pub height: u64,
    /// The specimen hash, as announced.
    pub specimen_hash: B256,
    /// sha256 of the result.
    pub result_hash: B256,
    /// Where the result is, `ipfs://<cid>`.
    pub url: String,
}

/// The outcome of [`Prover::prepare`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// The contract would accept it now.
    Ready(Prepared),
    /// It would not; nothing was paid. [`Revert::reaction`] says what to do.
    Refused(Revert),
}

/// Which nonce is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceAt {
    /// After all transactions in blocks.
    Latest,
    /// After those and all that the node has in its pool.
    Pending,
}

/// Holds the key and makes single steps. Must be the key's only user.
#[derive(Debug)]
pub struct Prover {
    pub(super) chain: ProofChain,
    signer: Signer,
    policy: FeePolicy,
}

impl Proof {
    /// The call of `submitBlockResultProof`.
    pub fn calldata(&self) -> Bytes {
        let call = submitBlockResultProofCall {
            chainId: self.chain_id,
            blockHeight: self.height,
            blockSpecimenHash: self.specimen_hash,
            resultHash: self.result_hash,
            storageURL: self.url.clone(),
        };
        call.abi_encode().into()
    }
}

impl Prover {
    /// Joins contracts, key and bounds.
    pub fn new(chain: ProofChain, signer: Signer, policy: FeePolicy) -> Self {
        Self { chain, signer, policy }
    }

    /// The operator's address.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// The contracts.
    pub fn chain(&self) -> &ProofChain {
        &self.chain
    }

    /// Lets the node try the proof and estimate its gas, so that a refusal costs nothing.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn prepare(&self, proof: &Proof) -> Result<Preparation, RpcError> {
        let calldata = proof.calldata();
        let call = json!([{"from": self.address(), "to": self.contract(), "data": calldata}]);
        let estimate = match self.chain.rpc().call("eth_estimateGas", call).await {
            Ok(Quantity(estimate)) => estimate,
            Err(error) => {
                let Some(revert) = error.refusal().and_then(Revert::of) else { return Err(error) };
                let revert = self.located(revert, proof.chain_id, proof.height).await;
                return Ok(Preparation::Refused(revert));
            }
        };
        Ok(match self.policy.gas_limit(estimate) {
            Some(gas_limit) => Preparation::Ready(Prepared { calldata, gas_limit }),
            None => Preparation::Refused(Revert::OutOfGas),
        })
    }

    /// The operator's next nonce. Pending counts what the node happens to have in its pool; the caller's own journal
    /// knows better after a crash.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn nonce(&self, at: NonceAt) -> Result<u64, RpcError> {
        let tag = match at {
            NonceAt::Latest => "latest",
            NonceAt::Pending => "pending",
        };
        self.nonce_at(tag).await
    }

    /// An offer that suits the market: EIP-1559 where the chain has a base fee, else a gas price.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn fees(&self) -> Result<FeeQuote, RpcError> {
        let latest = self.chain.latest().await?;
        let Some(base_fee) = latest.and_then(|header| header.base_fee_per_gas) else {
            let price: U256 = self.chain.rpc().call("eth_gasPrice", json!([])).await?;
            return Ok(self.policy.legacy(price.saturating_to()));
        };
        let tip = match self.chain.rpc().call::<U256>("eth_maxPriorityFeePerGas", json!([])).await {
            Ok(tip) => tip.saturating_to(),
            // Not every node has an opinion.
            Err(RpcError::Refused { .. }) => self.policy.tip_floor_wei,
            Err(error) => return Err(error),
        };
        Ok(self.policy.dynamic(base_fee.saturating_to(), tip))
    }

    /// The offer to replace a transaction that waits too long; `None` where the cap does not allow one. Sign
    /// `signed.prepared` anew at `signed.nonce`.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn bump(&self, signed: &Signed) -> Result<Option<Fees>, RpcError> {
        Ok(signed.fees.bumped(&self.fees().await?, &self.policy))
    }

    /// Signs. The same arguments give the same bytes where the key is ours; keep the bytes before they are sent.
    ///
    /// # Errors
    ///
    /// [`SignError`].
    pub async fn sign(&self, prepared: &Prepared, nonce: u64, fees: &Fees) -> Result<Signed, SignError> {
        let wanted = Unsigned {
            chain_id: self.chain.network().chain_id,
            nonce,
            gas_limit: prepared.gas_limit,
            to: self.contract(),
            calldata: prepared.calldata.clone(),
            fees: *fees,
        };
        let raw = self.signer.sign(&wanted).await?;
        Signed::read(&raw).map_err(|_| SignError::NotTransaction)
    }

    /// What the operator owns, in wei.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn balance(&self) -> Result<U256, RpcError> {
        self.chain.balance(self.address()).await
    }

    pub(super) fn contract(&self) -> Address {
        self.chain.network().result_contract
    }

    pub(super) async fn nonce_at(&self, block: &str) -> Result<u64, RpcError> {
        let question = json!([self.address(), block]);
        self.chain.rpc().call("eth_getTransactionCount", question).await.map(|Quantity(nonce)| nonce)
    }

    /// Adds to "out of bounds" on which side. That it cannot be found out now is no reason to fail: then it is tried
    /// again later.
    pub(super) async fn located(&self, revert: Revert, chain_id: u64, height: u64) -> Revert {
        if !matches!(revert, Revert::OutOfBounds { side: None }) {
            return revert;
        }
        let bound = self.chain.live_sync(chain_id).await.ok().flatten();
        Revert::OutOfBounds { side: bound.map(|bound| bound.side(height)) }
    }
}
