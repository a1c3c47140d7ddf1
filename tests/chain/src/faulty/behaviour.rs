//! What a file of this folder implements: the behaviour of a kind of provider.

use std::fmt::Debug;

use alloy_primitives::U64;
use serde_json::Value;

use super::Fault;

/// A way in which providers behave. Several stand in front of a node at once, asked in the order in which they were added.
pub trait Behaviour: Debug + Send + Sync {
    /// The fault that a question meets instead of the node's answer.
    fn fault(&self, _request: &Request, _question: &Question<'_>) -> Option<Fault> {
        None
    }

    /// Whether the fault is what the behaviour is about, and not what leads to it.
    fn shows_in(&self, _fault: &Fault) -> bool {
        true
    }

    /// Changes the node's answer, the whole envelope with `id` and `result`.
    fn answer(&self, _request: &Request, _question: &Question<'_>, _answer: &mut Value) {}
}

/// A request with one question or several.
#[derive(Clone, Debug)]
pub struct Request {
    /// Requests before this one.
    pub number: u64,
    /// Methods of its questions, in their order.
    pub methods: Vec<String>,
}

impl Request {
    /// Whether one of the questions is of this method.
    pub fn asks_for(&self, method: &str) -> bool {
        self.methods.iter().any(|asked| asked == method)
    }
}

/// One question of a request.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a>(pub &'a Value);

impl Question<'_> {
    /// Its method; [`TRIAL`](super::TRIAL) for an `eth_call` with a sender.
    pub fn method(&self) -> &str {
        super::method(self.0)
    }

    /// A parameter by its position; null where there is none.
    pub fn parameter(&self, position: usize) -> &Value {
        &self.0["params"][position]
    }

    /// First and last block of an `eth_getLogs`.
    pub fn range(&self) -> Option<(u64, u64)> {
        if self.method() != "eth_getLogs" {
            return None;
        }
        let end = |field: &str| quantity(&self.parameter(0)[field]);
        Some((end("fromBlock")?, end("toBlock")?))
    }
}

/// A `"0x…"` quantity.
pub fn quantity(value: &Value) -> Option<u64> {
    value.as_str()?.parse::<U64>().ok().map(|number| number.to())
}
