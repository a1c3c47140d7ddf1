//! Pools of transactions in the words of Frontier, Substrate and others.

use serde_json::{Value, json};

use super::{Behaviour, Fault, Question, Request};

/// The call that a pool answers.
const SEND: &str = "eth_sendRawTransaction";

/// A refusal of a transaction, as a node words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolWords {
    /// Frontier: the same bytes were dropped lately.
    TemporarilyBanned,
    /// Frontier in the words of geth, which are those of a known transaction.
    BannedAsKnown,
    /// Frontier: the pool holds a transaction with this nonce that pays as much.
    TooLowPriority,
    /// Frontier: the account cannot pay.
    Payment,
    /// The pool's queue has no room.
    QueueLimit,
    /// Frontier: the pool has no room.
    ImmediatelyDropped,
}

impl PoolWords {
    /// Every refusal.
    pub const ALL: [Self; 6] = [
        Self::TemporarilyBanned,
        Self::BannedAsKnown,
        Self::TooLowPriority,
        Self::Payment,
        Self::QueueLimit,
        Self::ImmediatelyDropped,
    ];

    /// The refusal.
    pub fn fault(self) -> Fault {
        let message = match self {
            Self::TemporarilyBanned => "submit transaction to pool failed: Pool(TemporarilyBanned)",
            Self::BannedAsKnown => "already known",
            Self::TooLowPriority => "submit transaction to pool failed: Pool(TooLowPriority { old: 27, new: 27 })",
            Self::Payment => "submit transaction to pool failed: Pool(InvalidTransaction(InvalidTransaction::Payment))",
            Self::QueueLimit => "queue dropped due to limit",
            Self::ImmediatelyDropped => "submit transaction to pool failed: Ok(ImmediatelyDropped)",
        };
        Fault::refuse(-32603, message)
    }
}

/// A pool that takes every transaction and answers that it had it already, as one does that heard of it from a peer first.
#[derive(Clone, Copy, Debug)]
pub struct AlreadyImported;

impl Behaviour for AlreadyImported {
    fn answer(&self, _request: &Request, question: &Question<'_>, answer: &mut Value) {
        if question.method() == SEND && answer["result"].is_string() {
            let message = "submit transaction to pool failed: Pool(AlreadyImported(Any { .. }))";
            *answer = json!({"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32603, "message": message}});
        }
    }
}
