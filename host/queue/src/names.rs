//! Names of streams, subjects and hosts.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a queue's id.
const ID_BYTES: usize = 6;
/// Characters of a host's name.
const HOST_CHARACTERS_MAX: usize = 64;
/// Bytes of a rule's identity in subjects.
const RULE_BYTES: usize = 6;

/// A text that is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not the id of a queue.
    #[error("expected 12 hexadecimal digits, as `refiner queue status` shows them")]
    Queue,
    /// Not the name of a host.
    #[error("expected 1 to 64 letters, digits, hyphens or underscores")]
    Host,
}

/// The id of a queue: what its coordinator's journal is bound to, hashed; or of a replay, new with its data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueId([u8; ID_BYTES]);

impl QueueId {
    /// The id for a journal that is bound to this proof chain, contract of announcements, and operator.
    #[must_use]
    pub fn of(proof_chain: u64, announcer: [u8; 20], operator: Option<[u8; 20]>) -> Self {
        let mut hash = Sha256::new();
        hash.update(proof_chain.to_be_bytes());
        hash.update(announcer);
        hash.update(operator.unwrap_or_default());
        let digest = hash.finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        Self(id)
    }

    /// An id that no other queue has.
    #[must_use]
    pub fn fresh() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let machine = rustix::system::uname();
        let digest = Sha256::digest(format!("{} {now:?} {:?}", std::process::id(), machine.nodename()));
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        Self(id)
    }

    pub(crate) fn tasks(self) -> String {
        format!("RFN_{self}_TASKS")
    }

    pub(crate) fn results(self) -> String {
        format!("RFN_{self}_RESULTS")
    }

    pub(crate) fn bucket(self) -> String {
        format!("RFN_{self}")
    }

    pub(crate) fn all_tasks(self) -> String {
        format!("rfn.{self}.task.*")
    }

    pub(crate) fn tasks_of(self, rule: &B256) -> String {
        format!("rfn.{self}.task.{}", consumer(rule))
    }

    pub(crate) fn all_results(self) -> String {
        format!("rfn.{self}.result.*")
    }

    /// Where a host publishes, and no other may.
    pub(crate) fn results_of(self, host: &HostName) -> String {
        format!("rfn.{self}.result.{host}")
    }

    pub(crate) fn all_hosts(self) -> String {
        format!("rfn.{self}.host.*")
    }

    pub(crate) fn heartbeat_of(self, host: &HostName) -> String {
        format!("rfn.{self}.host.{host}")
    }

    /// Where hosts are asked for a heartbeat at once.
    pub(crate) fn roll_call(self) -> String {
        format!("rfn.{self}.rollcall")
    }

    /// The queue whose stream of tasks this is.
    pub(crate) fn of_stream(name: &str) -> Option<Self> {
        name.strip_prefix("RFN_")?.strip_suffix("_TASKS")?.parse().ok()
    }
}

/// Where answers to a host arrive, and no other listens.
pub(crate) fn inbox(host: &HostName) -> String {
    format!("_INBOX_{host}")
}

/// The consumer of a rule's tasks, and the last part of their subject.
pub(crate) fn consumer(rule: &B256) -> String {
    const_hex::encode(&rule[..RULE_BYTES])
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode(self.0))
    }
}

impl FromStr for QueueId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut id = [0; ID_BYTES];
        const_hex::decode_to_slice(text, &mut id).map_err(|_| NameError::Queue)?;
        Ok(Self(id))
    }
}

/// The name of a worker host: its own part of subjects, for which its key has permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

impl HostName {
    /// The last part of a subject, where that is a host's name.
    pub(crate) fn of_subject(subject: &str) -> Option<Self> {
        subject.rsplit('.').next()?.parse().ok()
    }

    /// A name as near to this text as may be.
    pub(crate) fn near(text: &str) -> Self {
        let plain = |character: char| if is_plain(character) { character } else { '-' };
        let name: String = text.chars().map(plain).take(HOST_CHARACTERS_MAX).collect();
        Self(if name.is_empty() { "host".to_owned() } else { name })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HostName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = (1..=HOST_CHARACTERS_MAX).contains(&text.len()) && text.chars().all(is_plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Host) }
    }
}

impl TryFrom<String> for HostName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_host_is_one_part_of_a_subject() {
        for name in ["a", "host-1_b", &"x".repeat(HOST_CHARACTERS_MAX)] {
            assert_eq!(name.parse::<HostName>().map(String::from), Ok(name.to_owned()));
        }
        for name in ["", "a.b", "*", ">", "a b", "ä", &"x".repeat(HOST_CHARACTERS_MAX + 1)] {
            assert_eq!(name.parse::<HostName>(), Err(NameError::Host), "{name}");
        }
        assert_eq!(HostName::near("host.example").as_str(), "host-example");
        assert_eq!(HostName::near("").as_str(), "host");
    }

    #[test]
    fn queue_is_known_by_its_stream_of_tasks() {
        let id = QueueId::of(1, [2; 20], Some([3; 20]));
        assert_eq!(QueueId::of_stream(&id.tasks()), Some(id));
        for other in [id.results(), "RFN_xyz_TASKS".to_owned(), "ORDERS".to_owned()] {
            assert_eq!(QueueId::of_stream(&other), None, "{other}");
        }
        assert_ne!(id, QueueId::of(1, [2; 20], None));
    }
}
