//! A reply, before and after it is read.

use alloy_sol_types::{SolCall, abi::AbiDecoderConfig};
use reqwest::StatusCode;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde_json::Value;

use super::{Endpoint, NodeError, RpcError, answer::Answer};

/// A whole answer, not yet looked at.
pub(super) struct Reply {
    pub(super) endpoint: Endpoint,
    pub(super) method: &'static str,
    pub(super) status: StatusCode,
    pub(super) bytes: Vec<u8>,
}

/// Methods whose answer may be null: there may be no such thing.
const NULLABLE: [&str; 4] =
    ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_getTransactionReceipt", "eth_getTransactionByHash"];

/// The ratio of the memory of a decoded value to its bytes. A list of short texts has 16 bytes beside each offset and length.
const RETURNED_FACTOR: usize = 4;

impl Reply {
    /// The answer to one question.
    pub(super) fn one<T: DeserializeOwned>(self) -> Result<T, RpcError> {
        if self.is_unusable() {
            return Err(self.refused_by_status());
        }
        match serde_json::from_slice::<Answer<T>>(&self.bytes) {
            Ok(answer) if answer.error.is_some() && !self.is_later() => self.answered(answer),
            _ if !self.status.is_success() => Err(self.refused_by_status()),
            Ok(answer) => self.answered(answer),
            // JSON of the right form with another type inside.
            Err(source) if source.is_data() && self.is_json_rpc() => Err(self.malformed(false, &source)),
            Err(source) => Err(self.malformed(true, &source)),
        }
    }

    /// The content of one answer of the reply.
    pub(super) fn answered<T: DeserializeOwned>(&self, answer: Answer<T>) -> Result<T, RpcError> {
        match answer {
            Answer { error: Some(error), .. } => {
                let mut refusal = NodeError::from(error);
                refusal.message = self.endpoint.scrubbed(&refusal.message);
                Err(RpcError::Refused { endpoint: self.endpoint.clone(), method: self.method, refusal })
            }
            Answer { result: Some(Some(result)), .. } => Ok(result),
            Answer { result: Some(None), .. } if NULLABLE.contains(&self.method) => {
                serde_json::from_value(Value::Null).map_err(|source| self.malformed(false, &source))
            }
            Answer { result: Some(None), .. } => Err(self.malformed(false, &serde_json::Error::custom("null"))),
            Answer { result: None, .. } => {
                Err(self.malformed(true, &serde_json::Error::custom("neither a result nor an error")))
            }
        }
    }

    fn is_json_rpc(&self) -> bool {
        serde_json::from_slice::<Answer<IgnoredAny>>(&self.bytes)
            .is_ok_and(|answer| answer.result.is_some() || answer.error.is_some())
    }

    /// Statuses that mean "later" whatever the body is.
    pub(super) fn is_later(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || matches!(self.status.as_u16(), 502..=504)
    }

    /// Statuses of a gateway that lets nothing through to a node, whatever the body is.
    pub(super) fn is_unusable(&self) -> bool {
        self.status.is_redirection() || matches!(self.status.as_u16(), 401 | 402 | 403 | 404 | 407 | 410)
    }

    pub(super) fn refused_by_status(&self) -> RpcError {
        RpcError::Status { endpoint: self.endpoint.clone(), method: self.method, status: self.status }
    }

    /// The parser's error can hold the text that it did not expect.
    pub(super) fn malformed(&self, envelope: bool, source: &serde_json::Error) -> RpcError {
        RpcError::Malformed {
            endpoint: self.endpoint.clone(),
            method: self.method,
            envelope,
            source: self.endpoint.scrubbed_error(source),
        }
    }
}

/// The value that a contract's function returned. The ABI lets many offsets lead to one text, so that some thousand bytes could stand
/// for gigabytes: the memory is bounded by a multiple of the answer's length.
pub(crate) fn returned<C: SolCall>(bytes: &[u8]) -> Result<C::Return, RpcError> {
    let limit = AbiDecoderConfig::new().memory_limit(bytes.len().saturating_mul(RETURNED_FACTOR));
    C::abi_decode_returns_with_config(bytes, limit)
        .map_err(|_| RpcError::Abi { method: C::SIGNATURE, bytes: bytes.len() })
}
