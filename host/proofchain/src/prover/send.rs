//! Sending transactions, and the answers of nodes.

use alloy_primitives::{Bytes, U256};
use futures_util::future::join_all;
use serde_json::json;

use super::{
    Prover, Signed,
    pool::{Ground, ground},
};
use crate::rpc::{NodeError, Question, RpcError};

/// A node's answer to a transaction. Only the chain shows its fate: [`Prover::settlement`].
#[derive(Debug)]
pub enum Sent {
    /// Taken into the pool.
    Accepted,
    /// In the pool or in a block already: as good as accepted.
    AlreadyKnown,
    /// The pool remembers the bytes, does not hold them and takes them no more for a while. Ask for the settlement; if it was not
    /// mined, other bytes at the same nonce are taken: bump.
    Banned,
    /// The pool has no room. Send the same bytes again later, or bump.
    PoolFull,
    /// Its nonce is used: by itself or by another. Ask for the settlement.
    NonceTooLow,
    /// An earlier nonce is missing. Send the same bytes again when it is there.
    NonceTooHigh,
    /// Offers too little, to enter or to replace another. Bump.
    Underpriced,
    /// The account cannot pay for it. Wait for funds, and send the same bytes again.
    InsufficientFunds,
    /// Refused for another reason.
    Rejected(NodeError),
    /// It is unknown whether it arrived. Send the same bytes again.
    Unreachable(RpcError),
}

impl Prover {
    /// Sends a signed transaction; sending it twice does no harm.
    pub async fn send(&self, signed: &Signed) -> Sent {
        let Question { method, params } = submission(signed);
        let outcome = self.chain.rpc().call(method, params).await;
        self.sent(signed, outcome).await
    }

    /// Sends several, in the order in which they are given, in as few requests as the node takes. A node may still take a later one
    /// first, or take it and refuse an earlier one: it waits in the pool then.
    ///
    /// # Errors
    ///
    /// [`RpcError`] when it is unknown whether any of them arrived.
    pub async fn send_all(&self, signed: &[Signed]) -> Result<Vec<Sent>, RpcError> {
        let questions: Vec<_> = signed.iter().map(submission).collect();
        let outcomes = self.chain.rpc().call_all(&questions).await?;
        Ok(join_all(signed.iter().zip(outcomes).map(|(signed, outcome)| self.sent(signed, outcome))).await)
    }

    async fn sent(&self, signed: &Signed, outcome: Result<Bytes, RpcError>) -> Sent {
        let refusal = match outcome {
            Ok(_) => return Sent::Accepted,
            Err(RpcError::Refused { refusal, .. }) if !refusal.is_rate_limit() => refusal,
            Err(error) => return Sent::Unreachable(error),
        };
        match ground(&refusal) {
            // Frontier has the words of a known transaction for one that it banned, too.
            Some(Ground::AlreadyKnown | Ground::Banned) => match self.is_known(&[signed.hash]).await {
                Ok(false) => Sent::Banned,
                Ok(true) | Err(_) => Sent::AlreadyKnown,
            },
            Some(Ground::PoolFull) => Sent::PoolFull,
            Some(Ground::NonceTooLow) => Sent::NonceTooLow,
            Some(Ground::NonceTooHigh) => Sent::NonceTooHigh,
            Some(Ground::Underpriced) => Sent::Underpriced,
            // Moonbeam has the same words for a price that is too low.
            Some(Ground::InsufficientFunds) if self.can_pay(signed).await => Sent::Underpriced,
            Some(Ground::InsufficientFunds | Ground::InsufficientForAll) => Sent::InsufficientFunds,
            None => Sent::Rejected(refusal),
        }
    }

    async fn can_pay(&self, signed: &Signed) -> bool {
        self.balance().await.is_ok_and(|balance| balance >= U256::from(signed.most_wei()))
    }
}

fn submission(signed: &Signed) -> Question {
    Question::new("eth_sendRawTransaction", json!([signed.raw]))
}
