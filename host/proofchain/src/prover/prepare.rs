//! Whether the contract would take a proof now, and with how much gas.

use std::sync::atomic::Ordering;

use alloy_primitives::Bytes;
use alloy_sol_types::SolCall as _;
use serde_json::json;

use super::{Prepared, Proof, Prover};
use crate::{
    bindings::finalizeResultSessionCall,
    quantity::{self, Quantity},
    revert::Revert,
    rpc::{Question, RpcError},
};

/// The outcome of [`Prover::prepare`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// The contract would accept it now.
    Ready(Prepared),
    /// It would not; nothing was paid. [`Revert::reaction`] is the way to react.
    Refused(Revert),
}

/// A gas limit, or why there is none.
type Limit = Result<Result<u64, Revert>, RpcError>;

impl Prover {
    /// Lets the node try the proof and find out how much gas it takes, so that a refusal costs nothing.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn prepare(&self, proof: &Proof) -> Result<Preparation, RpcError> {
        let mut prepared = self.prepare_all(std::slice::from_ref(proof)).await?;
        prepared.remove(0)
    }

    /// The same for several proofs, in as few requests as the node takes.
    ///
    /// A node estimates gas by trying a transaction some ten times, so it estimates only until it is known what is enough. What the
    /// contract takes with that much gas needs no estimate of its own.
    ///
    /// # Errors
    ///
    /// [`RpcError`], for all when the node could not be asked, else for each.
    pub async fn prepare_all(&self, proofs: &[Proof]) -> Result<Vec<Result<Preparation, RpcError>>, RpcError> {
        let calldata: Vec<_> = proofs.iter().map(Proof::calldata).collect();
        let mut limits = self.tried(&calldata).await?;
        let open: Vec<_> = (0..proofs.len()).filter(|index| limits[*index].is_none()).collect();
        let questions = open.iter().map(|index| {
            let call = json!([{"from": self.address(), "to": self.contract(), "data": calldata[*index]}]);
            Question::new("eth_estimateGas", call)
        });
        let estimates = self.chain.rpc().call_all::<Quantity>(&questions.collect::<Vec<_>>()).await?;
        for (index, estimate) in open.into_iter().zip(estimates) {
            limits[index] = Some(self.estimated(&proofs[index], estimate).await);
        }
        let prepared = calldata.into_iter().zip(limits.into_iter().flatten());
        Ok(prepared
            .map(|(calldata, limit)| {
                Ok(match limit? {
                    Ok(gas_limit) => Preparation::Ready(Prepared { to: self.contract(), calldata, gas_limit }),
                    Err(revert) => Preparation::Refused(revert),
                })
            })
            .collect())
    }

    /// Asks whether a session can be finalized now, and with how much gas.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn prepare_finalize(&self, chain_id: u64, height: u64) -> Result<Preparation, RpcError> {
        let call = finalizeResultSessionCall { chainId: chain_id, blockHeight: height };
        let calldata = Bytes::from(call.abi_encode());
        let question = json!([{"from": self.address(), "to": self.contract(), "data": calldata}]);
        let estimate = self.chain.rpc().call::<Quantity>("eth_estimateGas", question).await;
        Ok(match estimate {
            Ok(Quantity(estimate)) => match self.policy.gas_limit(estimate) {
                Some(gas_limit) => Preparation::Ready(Prepared { to: self.contract(), calldata, gas_limit }),
                None => Preparation::Refused(Revert::OutOfGas),
            },
            Err(error) => match error.refusal().and_then(Revert::of) {
                Some(revert) => Preparation::Refused(revert),
                None => return Err(error),
            },
        })
    }

    /// For each call the gas limit, where what was enough before is enough for it.
    async fn tried(&self, calldata: &[Bytes]) -> Result<Vec<Option<Limit>>, RpcError> {
        let enough = self.enough_gas.load(Ordering::Relaxed);
        let Some(gas_limit) = self.policy.gas_limit(enough).filter(|_| enough > 0) else {
            return Ok(calldata.iter().map(|_| None).collect());
        };
        let questions = calldata.iter().map(|data| {
            let gas = quantity::hex(enough);
            let call = json!({"from": self.address(), "to": self.contract(), "data": data, "gas": gas});
            Question::new("eth_call", json!([call, "latest"]))
        });
        let outcomes = self.chain.rpc().call_all::<Bytes>(&questions.collect::<Vec<_>>()).await?;
        let limit = |outcome: Result<Bytes, RpcError>| match outcome {
            Ok(_) => Some(Ok(Ok(gas_limit))),
            // Perhaps for want of gas, perhaps not: the estimate tells.
            Err(error) if error.refusal().is_some() && !error.is_transient() => None,
            Err(error) => Some(Err(error)),
        };
        Ok(outcomes.into_iter().map(limit).collect())
    }

    async fn estimated(&self, proof: &Proof, estimate: Result<Quantity, RpcError>) -> Limit {
        match estimate {
            Ok(Quantity(estimate)) => Ok(match self.policy.gas_limit(estimate) {
                Some(gas_limit) => {
                    self.enough_gas.fetch_max(estimate, Ordering::Relaxed);
                    Ok(gas_limit)
                }
                None => Err(Revert::OutOfGas),
            }),
            Err(error) => match error.refusal().and_then(Revert::of) {
                Some(revert) => Ok(Err(self.located(revert, proof.chain_id, proof.height).await)),
                None => Err(error),
            },
        }
    }
}
