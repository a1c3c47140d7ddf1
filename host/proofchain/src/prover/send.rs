//! Sending transactions, and the answers of nodes.

use alloy_primitives::{Bytes, U256};
use futures_util::future::join_all;
use serde_json::json;

use super::{Prover, Signed};
use crate::rpc::{NodeError, Question, RpcError};

/// A node's answer to a transaction. Only the chain shows its fate: [`Prover::settlement`].
#[derive(Debug)]
pub enum Sent {
    /// Taken into the pool.
    Accepted,
    /// In the pool already: as good as accepted.
    AlreadyKnown,
    /// Its nonce is used: by itself or by another. Ask for the settlement.
    NonceTooLow,
    /// Offers too little, to enter or to replace another. Bump.
    Underpriced,
    /// The account cannot pay for it.
    InsufficientFunds,
    /// Refused for another reason.
    Rejected(NodeError),
    /// It is unknown whether it arrived. Send the same bytes again.
    Unreachable(RpcError),
}

/// The subject of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    AlreadyKnown,
    NonceTooLow,
    Underpriced,
    InsufficientFunds,
}

/// Wordings of nodes, in lower case: geth, anvil, erigon, nethermind, hardhat, Frontier and Substrate's pool. The first
/// that is found counts.
const GROUNDS: [(&str, Ground); 23] = [
    ("too low priority to replace", Ground::Underpriced),
    ("priority is too low", Ground::Underpriced),
    ("already known", Ground::AlreadyKnown),
    ("already imported", Ground::AlreadyKnown),
    ("alreadyknown", Ground::AlreadyKnown),
    ("known transaction", Ground::AlreadyKnown),
    ("already in mempool", Ground::AlreadyKnown),
    ("already in the pool", Ground::AlreadyKnown),
    ("underpriced", Ground::Underpriced),
    ("fee too low", Ground::Underpriced),
    ("feetoolow", Ground::Underpriced),
    ("price too low", Ground::Underpriced),
    ("gaspricetoolow", Ground::Underpriced),
    ("less than block base fee", Ground::Underpriced),
    ("cannot be lower than the block base fee", Ground::Underpriced),
    ("lower than the minimum", Ground::Underpriced),
    ("nonce too low", Ground::NonceTooLow),
    ("nonce is too low", Ground::NonceTooLow),
    ("nonce has already been used", Ground::NonceTooLow),
    ("oldnonce", Ground::NonceTooLow),
    ("transaction is outdated", Ground::NonceTooLow),
    ("insufficient funds", Ground::InsufficientFunds),
    ("balancelow", Ground::InsufficientFunds),
];

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
            Some(Ground::AlreadyKnown) => Sent::AlreadyKnown,
            Some(Ground::NonceTooLow) => Sent::NonceTooLow,
            Some(Ground::Underpriced) => Sent::Underpriced,
            // Moonbeam has the same words for a price that is too low.
            Some(Ground::InsufficientFunds) if self.can_pay(signed).await => Sent::Underpriced,
            Some(Ground::InsufficientFunds) => Sent::InsufficientFunds,
            None => Sent::Rejected(refusal),
        }
    }

    async fn can_pay(&self, signed: &Signed) -> bool {
        let cost = U256::from(signed.fees.most_wei()).saturating_mul(U256::from(signed.prepared.gas_limit));
        self.balance().await.is_ok_and(|balance| balance >= cost)
    }
}

fn submission(signed: &Signed) -> Question {
    Question::new("eth_sendRawTransaction", json!([signed.raw]))
}

fn ground(refusal: &NodeError) -> Option<Ground> {
    let message = refusal.message.to_lowercase();
    GROUNDS.iter().find(|(text, _)| message.contains(text)).map(|(_, ground)| *ground)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_say_the_same_in_many_words() {
        use Ground::{AlreadyKnown, InsufficientFunds, NonceTooLow, Underpriced};
        for (message, expected) in [
            ("already known", Some(AlreadyKnown)),
            ("transaction already imported", Some(AlreadyKnown)),
            ("Known transaction: 0xab", Some(AlreadyKnown)),
            ("nonce too low: next nonce 4, tx nonce 3", Some(NonceTooLow)),
            ("Nonce too low. Expected nonce to be 4 but got 3.", Some(NonceTooLow)),
            (
                "submit transaction to pool failed: InvalidTransaction::Stale: Transaction is outdated",
                Some(NonceTooLow),
            ),
            ("replacement transaction underpriced", Some(Underpriced)),
            ("transaction underpriced: gas tip cap 0, minimum needed 1", Some(Underpriced)),
            ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1", Some(Underpriced)),
            (
                "Priority is too low: (1 vs 2): The transaction has too low priority to replace another transaction already in the pool.",
                Some(Underpriced),
            ),
            ("Insufficient funds for gas * price + value", Some(InsufficientFunds)),
            ("Module(ModuleError { index: 51, error: [0], message: Some(\"BalanceLow\") })", Some(InsufficientFunds)),
            ("invalid chain id for signer", None),
            ("exceeds block gas limit", None),
        ] {
            let refusal = NodeError { code: -32000, message: message.to_owned(), data: None };
            assert_eq!(ground(&refusal), expected, "{message}");
        }
    }
}
