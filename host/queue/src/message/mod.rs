//! The messages of the queue: JSON of these structs alone, versioned, bounded, and read strictly.
//!
//! | message | where | bytes at most |
//! |---|---|---|
//! | [`Task`] | `rfn.<queue>.task.<rule>` | 16 KiB |
//! | [`TaskResult`] | `rfn.<queue>.result.<host>` | 256 KiB |
//! | [`RuleRecord`]s | key `rules` | 256 KiB |
//! | [`Heartbeat`] | `rfn.<queue>.host.<host>`, not kept | 34,048 |

mod heartbeat;
mod report;
mod result;
mod rule;
mod task;

pub(crate) use self::{
    heartbeat::{Heartbeat, Refuses},
    report::{encoded, refusal, reported, shortened},
    result::{Outcome, TaskResult},
    rule::Rules,
};
pub use self::{
    result::{ArtifactRef, Blame, SpanTime},
    rule::{RuleRecord, Terms},
    task::{Task, TaskId},
};

use serde::{Serialize, de::DeserializeOwned};

/// Version of every message. It goes up when one of another version could be misunderstood.
pub(crate) const VERSION: u32 = 3;

/// A message that is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    /// Longer than any of ours.
    #[error("{found} bytes, and at most {most} are read")]
    TooLong { found: usize, most: usize },
    /// Not the JSON of this struct.
    #[error("not of the form of version {VERSION}: {0}")]
    Form(#[from] serde_json::Error),
    /// Of another version of this program.
    #[error("version {found} (this build speaks {VERSION})")]
    Version { found: u32 },
    /// A field out of its bounds.
    #[error("{field} is out of its bounds")]
    Bounds { field: &'static str },
    /// A field that is not of its form.
    #[error("{field} is not of its form")]
    Field { field: &'static str },
    /// Another subject than the message belongs to.
    #[error("published where another publishes")]
    Subject,
}

/// A message with its version and bounds.
pub(crate) trait Message: Serialize + DeserializeOwned {
    /// Most bytes.
    const BYTES_MAX: usize;

    /// The version that it states.
    fn version(&self) -> u32;

    /// Checks the bounds and forms of fields.
    fn check(&self) -> Result<(), MessageError>;

    /// Reads a message.
    fn read(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(MessageError::TooLong { found: bytes.len(), most: Self::BYTES_MAX });
        }
        let message: Self = serde_json::from_slice(bytes)?;
        if message.version() != VERSION {
            return Err(MessageError::Version { found: message.version() });
        }
        message.check()?;
        Ok(message)
    }

    /// Writes a message that its reader takes.
    fn write(&self) -> Result<Vec<u8>, MessageError> {
        self.check()?;
        let bytes = serde_json::to_vec(self)?;
        if bytes.len() > Self::BYTES_MAX {
            return Err(MessageError::TooLong { found: bytes.len(), most: Self::BYTES_MAX });
        }
        Ok(bytes)
    }
}

/// Refuses a text of more bytes.
pub(crate) fn within(field: &'static str, text: &str, most: usize) -> Result<(), MessageError> {
    if text.len() > most { Err(MessageError::Bounds { field }) } else { Ok(()) }
}

/// Refuses a list of more entries.
pub(crate) fn few<T>(field: &'static str, list: &[T], most: usize) -> Result<(), MessageError> {
    if list.len() > most { Err(MessageError::Bounds { field }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
