//! Proofs, their prover, and signing.

use std::sync::atomic::AtomicU64;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use serde_json::json;

use super::transaction::{Prepared, Signed, Unsigned};
use crate::{
    bindings::submitBlockResultProofCall,
    chain::ProofChain,
    fees::{FeePolicy, Fees},
    key::{SignError, Signer},
    quantity::Quantity,
    revert::Revert,
    rpc::{Question, Route, RpcError},
};

/// Gas for a transaction without a call. Some chains take more than Ethereum's 21,000; what is not used is not paid.
const FILLER_GAS: u64 = 40_000;

/// The statement of a proof: this result was made of this specimen, and this is its location.
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

/// The point of the chain after which the nonce is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceAt {
    /// After all transactions in blocks.
    Latest,
    /// After those and all that the node has in its pool.
    Pending,
}

impl NonceAt {
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Pending => "pending",
        }
    }
}

/// Holds the key and makes single steps. Must be the key's only user.
#[derive(Debug)]
pub struct Prover {
    pub(super) chain: ProofChain,
    signer: Signer,
    pub(super) policy: FeePolicy,
    /// The largest estimate since the start, without its margin; 0 before the first. Never above the policy's cap.
    pub(super) enough_gas: AtomicU64,
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
        Self { chain, signer, policy, enough_gas: AtomicU64::new(0) }
    }

    /// Address of the operator.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// The contracts of the network.
    pub fn chain(&self) -> &ProofChain {
        &self.chain
    }

    /// The operator's next nonce. Pending counts what the node happens to have in its pool; the caller's own journal
    /// knows better after a crash.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn nonce(&self, at: NonceAt) -> Result<u64, RpcError> {
        self.nonce_at(at.tag()).await
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
            to: prepared.to,
            calldata: prepared.calldata.clone(),
            fees: *fees,
        };
        let raw = self.signer.sign(&wanted).await?;
        Signed::read(&raw).map_err(|_| SignError::NotTransaction)
    }

    /// A transaction that does nothing but use up a nonce: no coin, from the operator to the operator.
    pub fn filler(&self) -> Prepared {
        Prepared { to: self.address(), calldata: Bytes::new(), gas_limit: FILLER_GAS }
    }

    /// The operator's balance in wei.
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
        let question = self.nonce_question(block);
        let mut fresh = self.chain.rpc().call_all_fresh(Route::default(), std::slice::from_ref(&question)).await?;
        let Quantity(nonce) = self.chain.rpc().typed_from(fresh.node, question.method, &fresh.answers.remove(0)?)?;
        Ok(nonce)
    }

    pub(super) fn nonce_question(&self, block: &str) -> Question {
        Question::new("eth_getTransactionCount", json!([self.address(), block]))
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
