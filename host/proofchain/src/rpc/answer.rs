//! A node's answer: `result`, or `error` in one of several envelopes.

use std::fmt;

use alloy_primitives::{Bytes, hex};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::bounded::part_of_error;

/// Most characters kept of a node's message. Reasons are short; a message can be a page of HTML.
const MESSAGE_LIMIT_CHARS: usize = 500;
/// Most bytes kept of error data: a revert reason is a few words.
const DATA_LIMIT_BYTES: usize = 4096;

/// A node's `error`: it understood the question and refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeError {
    /// JSON-RPC's code, as `-32000`; each node has its own idea of them.
    pub code: i64,
    /// The node's message, printable and at most 500 characters.
    pub message: String,
    /// Revert data, wherever the node put it.
    pub data: Option<Bytes>,
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

/// The envelope of every answer.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Answer<T> {
    /// `None` where there is no such key, `Some(None)` where it is null.
    #[serde(default = "Option::default", deserialize_with = "present")]
    pub result: Option<Option<T>>,
    #[serde(default)]
    pub error: Option<WireError>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
pub(super) struct WireError {
    #[serde(default)]
    code: i64,
    #[serde(default, deserialize_with = "part_of_error")]
    message: Value,
    #[serde(default, deserialize_with = "part_of_error")]
    data: Value,
}

impl From<WireError> for NodeError {
    fn from(error: WireError) -> Self {
        let said = error.message.as_str().map_or_else(|| error.message.to_string(), str::to_owned);
        // Frontier and hardhat put the reason into `data` as text.
        let detail = match &error.data {
            Value::String(text) if !text.starts_with("0x") && !said.contains(text.as_str()) => Some(text.as_str()),
            Value::Object(fields) => fields.get("message").and_then(Value::as_str),
            _ => None,
        };
        let message = match detail {
            Some(detail) => format!("{said}: {detail}"),
            None => said,
        };
        Self { code: error.code, message: printable(&message), data: revert_data(&error.data) }
    }
}

/// `"0x…"`, `{"data": "0x…"}` (hardhat) or `{"result": "0x…"}`, and parity's `"Reverted 0x…"`.
fn revert_data(data: &Value) -> Option<Bytes> {
    let text = match data {
        Value::String(text) => text,
        Value::Object(fields) => return fields.get("data").or_else(|| fields.get("result")).and_then(revert_data),
        _ => return None,
    };
    let digits = text.strip_prefix("Reverted ").unwrap_or(text).strip_prefix("0x")?;
    if digits.len() > 2 * DATA_LIMIT_BYTES {
        return None;
    }
    hex::decode(digits).ok().map(Bytes::from)
}

/// Cuts foreign text to size and takes control characters out.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(MESSAGE_LIMIT_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Reads a node's `error` as the client does.
#[cfg(test)]
pub(crate) fn refusal_of(error: &Value) -> NodeError {
    serde_json::from_str::<WireError>(&error.to_string()).unwrap().into()
}
