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
/// Characters of a stream's generation.
const GENERATION_CHARACTERS_MAX: usize = 32;
/// The consumer of results.
const COORDINATOR: &str = "coordinator";

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
        format!("rfn.{self}.task.{}", short(rule))
    }

    /// Where tasks are, by the name of their consumer.
    pub(crate) fn tasks_of_consumer(self, name: &str) -> String {
        format!("rfn.{self}.task.{}", rule_of(name))
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

/// One life of a stream: servers that lose it are given another of the same name, whose messages are numbered from 1 again.
///
/// It is a part of consumers' names, and so of the subjects of acknowledgements. A late one for a message of the stream before, which would
/// remove the message of that number in the new one, so finds no consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Generation(String);

impl Generation {
    /// That of a stream which was made at this time of its server, in nanoseconds.
    pub fn made_at(nanoseconds: i128) -> Self {
        Self(format!("{nanoseconds:x}"))
    }
}

impl TryFrom<String> for Generation {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=GENERATION_CHARACTERS_MAX).contains(&text.len())
            && text.chars().all(|character| character.is_ascii_hexdigit());
        if fits { Ok(Self(text)) } else { Err("expected the hexadecimal digits of a generation") }
    }
}

impl From<Generation> for String {
    fn from(generation: Generation) -> Self {
        generation.0
    }
}

/// The consumer of a rule's tasks, in this life of their stream.
pub(crate) fn consumer(rule: &B256, generation: &Generation) -> String {
    format!("{}-{}", short(rule), generation.0)
}

/// The consumer of results, in this life of their stream.
pub(crate) fn consumer_of_results(generation: &Generation) -> String {
    format!("{COORDINATOR}-{}", generation.0)
}

/// The rule of a consumer's name.
pub(crate) fn rule_of(consumer: &str) -> &str {
    consumer.split_once('-').map_or(consumer, |(rule, _)| rule)
}

/// A rule in subjects, and in the names of consumers.
fn short(rule: &B256) -> String {
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
    fn consumer_has_the_rule_and_the_generation_of_its_stream_in_its_name() {
        let (queue, rule) = (QueueId::of(1, [2; 20], None), B256::repeat_byte(7));
        let [one, other] = [1, 2].map(Generation::made_at);
        let name = consumer(&rule, &one);
        assert_eq!(queue.tasks_of_consumer(&name), queue.tasks_of(&rule));
        assert_ne!(name, consumer(&rule, &other));
        for text in ["", "a.b", "*", "12-3", &"1".repeat(GENERATION_CHARACTERS_MAX + 1)] {
            assert!(Generation::try_from(text.to_owned()).is_err(), "{text}");
        }
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
