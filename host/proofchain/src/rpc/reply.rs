//! A reply, before and after it is read.

use alloy_sol_types::SolCall;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Endpoint, NodeError, RpcError, answer::Answer};

/// A whole answer, not yet looked at.
pub(super) struct Reply {
    pub(super) endpoint: Endpoint,
    pub(super) method: &'static str,
    pub(super) status: StatusCode,
    pub(super) bytes: Vec<u8>,
}

impl Reply {
    /// The answer to one question.
    pub(super) fn one<T: DeserializeOwned>(self) -> Result<T, RpcError> {
        match serde_json::from_slice::<Answer<T>>(&self.bytes) {
            Ok(answer) if answer.error.is_some() && !self.is_later() => self.answered(answer),
            _ if !self.status.is_success() => Err(self.refused_by_status()),
            Ok(answer) => self.answered(answer),
            Err(source) => Err(self.malformed(source)),
        }
    }

    /// The content of one answer of the reply.
    pub(super) fn answered<T: DeserializeOwned>(&self, answer: Answer<T>) -> Result<T, RpcError> {
        match answer {
            Answer { error: Some(error), .. } => {
                let refusal = NodeError::from(error);
                Err(RpcError::Refused { endpoint: self.endpoint.clone(), method: self.method, refusal })
            }
            Answer { result: Some(result), .. } => Ok(result),
            Answer { result: None, .. } => serde_json::from_value(Value::Null).map_err(|source| self.malformed(source)),
        }
    }

    /// Statuses that mean "later" whatever the body is.
    pub(super) fn is_later(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || matches!(self.status.as_u16(), 502..=504)
    }

    pub(super) fn refused_by_status(&self) -> RpcError {
        RpcError::Status { endpoint: self.endpoint.clone(), method: self.method, status: self.status }
    }

    pub(super) fn malformed(&self, source: serde_json::Error) -> RpcError {
        RpcError::Malformed { endpoint: self.endpoint.clone(), method: self.method, source }
    }
}

/// The value that a contract's function returned.
pub(crate) fn returned<C: SolCall>(bytes: &[u8]) -> Result<C::Return, RpcError> {
    C::abi_decode_returns(bytes).map_err(|_| RpcError::Abi { method: C::SIGNATURE, bytes: bytes.len() })
}
