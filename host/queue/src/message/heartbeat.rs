use std::mem;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::{Message, MessageError, few, within};
use crate::{
    limits::{HEARTBEAT_BYTES_MAX, REFUSAL_BYTES_MAX, RULES_MAX, TEXT_BYTES_MAX},
    names::HostName,
};

/// A rule that a host does not serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Refuses {
    pub rule: String,
    pub reason: String,
}

/// A host's sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Heartbeat {
    pub v: u32,
    pub worker: HostName,
    pub version: String,
    /// Number of runs at once.
    pub workers: u32,
    /// Tasks that it has in hand.
    pub running: u32,
    /// Tasks that came to their end there, since it started.
    pub done: u64,
    /// Identities of the rules that it serves.
    pub serves: Vec<B256>,
    pub refuses: Vec<Refuses>,
    /// The reason for which NATS takes no results of it, if it takes none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unpublished: Option<String>,
    /// Where its artifacts are.
    pub origin: String,
}

impl Heartbeat {
    /// Reads a heartbeat that was published at this subject, which is its host's own.
    pub fn read_from(subject: &str, bytes: &[u8]) -> Result<Self, MessageError> {
        let heartbeat = Self::read(bytes)?;
        if HostName::of_subject(subject).as_ref() != Some(&heartbeat.worker) {
            return Err(MessageError::Subject);
        }
        Ok(heartbeat)
    }

    /// The message, with as many refused rules as it has room for: a host without a sign of life is not there, and its log names them all.
    pub fn write_within_bounds(mut self) -> Result<Vec<u8>, MessageError> {
        let refuses = mem::take(&mut self.refuses);
        let mut room = Self::BYTES_MAX.saturating_sub(serde_json::to_vec(&self)?.len());
        for refused in refuses {
            // A comma stands between two.
            let Some(rest) = room.checked_sub(serde_json::to_vec(&refused)?.len() + 1) else { break };
            room = rest;
            self.refuses.push(refused);
        }
        self.write()
    }
}

impl Message for Heartbeat {
    const BYTES_MAX: usize = HEARTBEAT_BYTES_MAX;

    fn version(&self) -> u32 {
        self.v
    }

    fn check(&self) -> Result<(), MessageError> {
        within("version", &self.version, TEXT_BYTES_MAX)?;
        within("origin", &self.origin, TEXT_BYTES_MAX)?;
        within("unpublished", self.unpublished.as_deref().unwrap_or_default(), REFUSAL_BYTES_MAX)?;
        few("serves", &self.serves, RULES_MAX)?;
        few("refuses", &self.refuses, RULES_MAX)?;
        for Refuses { rule, reason } in &self.refuses {
            within("refuses.rule", rule, TEXT_BYTES_MAX)?;
            within("refuses.reason", reason, REFUSAL_BYTES_MAX)?;
        }
        Ok(())
    }
}
