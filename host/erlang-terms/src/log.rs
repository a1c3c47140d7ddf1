//! The items of a `disk_log` file of the internal format.
//!
//! ```text
//! 01 02 03 04   06 07 08 09 while it is open, 63 58 4d 0b when it was closed
//! length:4      62 57 4c 41   [checksum of the length:16, from 65,528 on]   term       and so on
//! ```
//!
//! Files of before 2012 mark items by another word and have no checksums.

use std::ops::Range;

const MAGIC: [u8; 4] = [1, 2, 3, 4];
const OPENED: [u8; 4] = [6, 7, 8, 9];
const CLOSED: [u8; 4] = [99, 88, 77, 11];
/// The word after the length of an item.
const ITEM: [u8; 4] = *b"bWLA";
/// The same in old files.
const OLD_ITEM: [u8; 4] = [12, 33, 44, 55];
/// Length of a file's header, and of an item's.
const HEADER: usize = 8;
/// The word within an item's header.
const WORD: Range<usize> = 4..HEADER;
/// Length from which on items have a checksum of their length.
const CHECKED_FROM: usize = 65_528;
const CHECKSUM: usize = 16;

/// A file that does not begin as a log does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log of Erlang's disk_log")]
pub struct NotALog;

/// A part of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// The bytes of a term.
    Term(&'a [u8]),
    /// Bytes between two items, or after the last, that are no item.
    Damage {
        /// The number of bytes.
        bytes: usize,
    },
}

/// The items of a log in their order. Behind damage it continues with the next item that can be found.
#[derive(Clone, Debug)]
pub struct Log<'a> {
    rest: &'a [u8],
    /// True where the program that wrote it closed it.
    pub is_closed: bool,
}

impl<'a> Log<'a> {
    /// Reads the header of a file.
    ///
    /// # Errors
    ///
    /// [`NotALog`]
    pub fn open(file: &'a [u8]) -> Result<Self, NotALog> {
        let rest = after_header(file).ok_or(NotALog)?;
        Ok(Self { rest, is_closed: file[WORD] == CLOSED })
    }

    /// The number of bytes that are still to be read.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Log<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        // Two files in one: the second begins anew.
        while let Some(rest) = after_header(self.rest) {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        if let Some((term, rest)) = item(self.rest) {
            self.rest = rest;
            return Some(Entry::Term(term));
        }
        let bytes = next_part(self.rest).unwrap_or(self.rest.len());
        self.rest = &self.rest[bytes..];
        Some(Entry::Damage { bytes })
    }
}

/// The bytes after a header of a file.
fn after_header(bytes: &[u8]) -> Option<&[u8]> {
    let header: &[u8; HEADER] = bytes.first_chunk()?;
    let is_header = header.starts_with(&MAGIC) && (header[WORD] == OPENED || header[WORD] == CLOSED);
    is_header.then(|| &bytes[HEADER..])
}

/// The item at the beginning, and the bytes after it. A wrong length leads to bytes where no item begins.
fn item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (word, rest) = rest.split_first_chunk::<4>()?;
    let checksum = match *word {
        ITEM if length >= CHECKED_FROM => CHECKSUM,
        ITEM | OLD_ITEM => 0,
        _ => return None,
    };
    let (term, rest) = rest.get(checksum..)?.split_at_checked(length)?;
    let is_end = rest.len() < HEADER || begins_item(rest) || after_header(rest).is_some();
    is_end.then_some((term, rest))
}

fn begins_item(bytes: &[u8]) -> bool {
    bytes.get(WORD).is_some_and(|word| word == ITEM || word == OLD_ITEM)
}

/// Where the next item or file begins, after the first byte. Items that are none are passed over in one look.
fn next_part(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len().saturating_sub(HEADER - 1)).find(|at| {
        let here = &bytes[*at..];
        (begins_item(here) && item(here).is_some()) || after_header(here).is_some()
    })
}
