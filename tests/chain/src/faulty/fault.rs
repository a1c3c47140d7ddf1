//! Faults of single answers.

use serde_json::Value;

/// A fault that replaces the true answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An HTTP status and nothing else.
    Status(u16),
    /// An HTTP answer to the whole request: what gateways and proxies send in place of JSON-RPC.
    Page {
        /// HTTP status.
        status: u16,
        /// Header names and values.
        headers: Vec<(String, String)>,
        /// Body of the answer.
        body: String,
    },
    /// A JSON-RPC error.
    Refuse {
        /// Code of the error.
        code: i64,
        /// Message of the error.
        message: String,
    },
    /// Another result than the node's.
    Answer(Value),
    /// These bytes, with status 200.
    Bytes(Vec<u8>),
    /// No answer at all.
    Hang,
    /// The question is passed on, and the answer is not.
    Deaf,
    /// `eth_sendRawTransaction` is answered with the hash, and the transaction is dropped.
    Swallow,
    /// `eth_getLogs` over more blocks than this is refused.
    LongestRange {
        /// Most blocks in one range.
        blocks: u64,
        /// Code of the refusal.
        code: i64,
        /// Message of the refusal.
        message: String,
    },
}

impl Fault {
    /// A JSON-RPC error.
    pub fn refuse(code: i64, message: impl Into<String>) -> Self {
        Self::Refuse { code, message: message.into() }
    }

    /// An HTTP answer to the whole request, without headers of its own.
    pub fn page(status: u16, body: impl Into<String>) -> Self {
        Self::Page { status, headers: Vec::new(), body: body.into() }
    }
}
