//! A question to a node.

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};

/// One of several questions.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub method: &'static str,
    pub params: Value,
}

impl Question {
    pub fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }

    /// The body of a request with this question alone.
    pub(super) fn alone(&self) -> Value {
        json!({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": self.params})
    }

    /// The body of a request with several questions.
    pub(super) fn body(questions: &[Self]) -> Value {
        let body = questions.iter().enumerate().map(
            |(id, Self { method, params })| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
        );
        body.collect()
    }

    /// A call of a contract's view function at the latest block.
    pub fn view<C: SolCall>(contract: Address, call: &C) -> Self {
        Self::new("eth_call", json!([{"to": contract, "data": Bytes::from(call.abi_encode())}, "latest"]))
    }
}
