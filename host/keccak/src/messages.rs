//! Messages that lie one behind the other in one buffer.

use alloy_primitives::B256;
use alloy_rlp::Encodable;

use crate::keccak256_each;

/// Messages, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
    /// Ends of the messages in `bytes`.
    ends: Vec<usize>,
}

impl Messages {
    /// No messages, and room for so many of so many bytes together.
    #[must_use]
    pub fn with_capacity(messages: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(messages) }
    }

    /// The RLP of each item.
    pub fn of_rlp(items: &[impl Encodable]) -> Self {
        let mut messages = Self::default();
        for item in items {
            messages.add(|bytes| item.encode(bytes));
        }
        messages
    }

    /// Adds the message that `write` appends.
    ///
    /// # Errors
    ///
    /// The error of `write`, after which there is no new message.
    pub fn try_add<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.bytes.len();
        match write(&mut self.bytes) {
            Ok(()) => self.ends.push(self.bytes.len()),
            Err(error) => {
                self.bytes.truncate(start);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Adds the message that `write` appends.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// The messages in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|index| {
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.bytes[start..self.ends[index]]
        })
    }

    /// keccak256 of each message.
    pub fn hashes(&self) -> Vec<B256> {
        keccak256_each(&self.iter().collect::<Vec<_>>())
    }
}

impl<M: AsRef<[u8]>> FromIterator<M> for Messages {
    fn from_iter<I: IntoIterator<Item = M>>(messages: I) -> Self {
        let mut all = Self::default();
        for message in messages {
            all.add(|bytes| bytes.extend_from_slice(message.as_ref()));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_that_could_not_be_written_leaves_nothing_behind() {
        let mut messages: Messages = ["one", ""].into_iter().collect();
        let half = |bytes: &mut Vec<u8>| {
            bytes.push(1);
            Err("no")
        };
        assert_eq!(messages.try_add(half), Err("no"));
        messages.add(|bytes| bytes.extend_from_slice(b"two"));
        assert_eq!(messages.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"two"]);
    }
}
