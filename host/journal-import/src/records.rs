//! The records of both logs: a word and what it is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use refiner_erlang_terms::{Entry, Log, Term, decode};
use refiner_journal::{Announcement, EarlierOutcome};
use serde::Serialize;

use crate::{error::ImportError, files};

/// Most specimens of one import; years of them.
const SPECIMENS_MAX: usize = 4_000_000;
/// Most blocks that were begun and not finished.
const OPEN_BLOCKS_MAX: usize = 1_000_000;
/// Most that a number of a record is: what a column of the journal holds.
const NUMBER_MAX: u64 = i64::MAX.cast_unsigned();
/// The word of the first record of every file.
const VERSION: &[u8] = b"vsn";

/// A specimen, by the parts of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Id of its chain.
    pub chain: u64,
    /// Height of its block.
    pub height: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Hash of the specimen.
    pub specimen_hash: B256,
}

/// The contents of the logs.
#[derive(Debug, Default)]
pub struct Records {
    /// Each specimen with the last that became of it.
    pub specimens: BTreeMap<Key, EarlierOutcome>,
    /// Records of the earlier refiner.
    pub records: u64,
    /// Blocks of the proof chain that were begun and not finished.
    begun: BTreeSet<u64>,
    highest: Option<u64>,
    /// What cannot be taken.
    pub left: Left,
    /// Files that were read.
    pub files: u64,
}

/// Parts of the logs that are not taken.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// Records that are none of the earlier refiner's.
    pub unreadable_records: u64,
    /// The first of them.
    pub first_unreadable: Option<Unreadable>,
    /// Bytes in which no record was found.
    pub damaged_bytes: u64,
    /// Files that are not read.
    pub files: Vec<Unreadable>,
}

/// A file, and the reason for which it or a part of it is not taken.
#[derive(Debug, Serialize)]
pub struct Unreadable {
    /// The file or its log.
    pub path: PathBuf,
    /// The reason, in words.
    pub reason: String,
}

impl Key {
    /// Reads `1_16582405_<block hash>_<specimen hash>`, hashes without `0x`.
    fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.split('_');
        let (chain, height) = (number(parts.next()?)?, number(parts.next()?)?);
        let (block_hash, specimen_hash) = (hash(parts.next()?)?, hash(parts.next()?)?);
        parts.next().is_none().then_some(Self { chain, height, block_hash, specimen_hash })
    }

    /// In the journal's terms. The block of its announcement is in no log.
    pub const fn announcement(&self) -> Announcement {
        let Self { chain, height, block_hash, specimen_hash } = *self;
        Announcement { chain, height, block_hash, specimen_hash, announced_in: 0 }
    }
}

fn number(text: &str) -> Option<u64> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    number.filter(|number| *number <= NUMBER_MAX)
}

fn hash(text: &str) -> Option<B256> {
    const DIGITS: usize = 64;
    (text.len() == DIGITS).then(|| text.parse().ok())?
}

impl Records {
    /// Reads every file of both logs.
    ///
    /// # Errors
    ///
    /// [`ImportError`].
    pub fn read(directory: &Path) -> Result<Self, ImportError> {
        let mut records = Self::default();
        records.log(directory, "worklog.etf", Self::specimen)?;
        records.log(directory, "block_height.etf", Self::block)?;
        if records.files == 0 && records.left.files.is_empty() {
            return Err(ImportError::NoLog { path: directory.to_owned() });
        }
        Ok(records)
    }

    /// The first block of the proof chain that is not done: where the earlier refiner would go on.
    pub fn position(&self) -> Option<u64> {
        self.begun.first().copied().or_else(|| self.highest?.checked_add(1))
    }

    fn log(
        &mut self,
        directory: &Path,
        name: &str,
        take: fn(&mut Self, &[u8], &Term<'_>) -> Option<()>,
    ) -> Result<(), ImportError> {
        let found = files::of_log(directory, name);
        for path in found.map_err(|source| ImportError::File { path: directory.to_owned(), source })? {
            let bytes = match files::read(&path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.left.files.push(Unreadable { path, reason: error.to_string() });
                    continue;
                }
            };
            match Log::open(&bytes) {
                Ok(log) => self.file(&path, log, take)?,
                Err(_) if bytes.is_empty() => self.left.files.push(Unreadable { path, reason: "empty".into() }),
                Err(error) => self.left.files.push(Unreadable { path, reason: error.to_string() }),
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &Path,
        log: Log<'_>,
        take: fn(&mut Self, &[u8], &Term<'_>) -> Option<()>,
    ) -> Result<(), ImportError> {
        self.files += 1;
        for entry in log {
            let bytes = match entry {
                Entry::Term(bytes) => bytes,
                Entry::Damage { bytes } => {
                    self.left.damaged_bytes += bytes as u64;
                    continue;
                }
            };
            let reason = match decode(bytes) {
                Ok(Term::Tuple(parts)) => match parts.as_slice() {
                    [Term::Atom(VERSION), _] => continue,
                    [Term::Atom(word), about] if take(self, word, about).is_some() => {
                        self.records += 1;
                        if self.specimens.len() > SPECIMENS_MAX || self.begun.len() > OPEN_BLOCKS_MAX {
                            return Err(ImportError::TooMany { most: SPECIMENS_MAX });
                        }
                        continue;
                    }
                    _ => "a record of another form".to_owned(),
                },
                Ok(_) => "a term that is no record".to_owned(),
                Err(error) => error.to_string(),
            };
            self.left.unreadable_records += 1;
            self.left.first_unreadable.get_or_insert_with(|| Unreadable { path: path.to_owned(), reason });
        }
        Ok(())
    }

    /// Notes the outcome of a specimen. A proof that was sent stays so, whatever was written after it.
    fn specimen(&mut self, word: &[u8], about: &Term<'_>) -> Option<()> {
        let outcome = match word {
            b"discover" => EarlierOutcome::Open,
            b"skip" => EarlierOutcome::Closed,
            b"abort" => EarlierOutcome::GivenUp,
            b"commit" => EarlierOutcome::Sent,
            _ => return None,
        };
        let (Term::Binary(key) | Term::Text(key)) = about else { return None };
        let known = self.specimens.entry(Key::read(key)?).or_insert(outcome);
        *known = outcome.max(*known);
        Some(())
    }

    /// A block of the proof chain that was begun or finished.
    fn block(&mut self, word: &[u8], about: &Term<'_>) -> Option<()> {
        let Term::Integer(height) = about else { return None };
        let height = u64::try_from(*height).ok().filter(|height| *height <= NUMBER_MAX)?;
        match word {
            b"start" => self.begun.insert(height),
            b"commit" => self.begun.remove(&height),
            _ => return None,
        };
        self.highest = self.highest.max(Some(height));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovered(chain: &str, height: &str) -> Option<()> {
        let key = format!("{chain}_{height}_{}_{}", "ab".repeat(32), "cd".repeat(32));
        Records::default().specimen(b"discover", &Term::Binary(key.as_bytes()))
    }

    #[test]
    fn record_of_a_number_that_the_journal_could_not_hold_is_not_taken() {
        assert_eq!(discovered("1", "9223372036854775807"), Some(()));
        for (chain, height) in [("1", "9223372036854775808"), ("9223372036854775808", "1"), ("1", "-1")] {
            assert_eq!(discovered(chain, height), None, "{chain} {height}");
        }
    }
}
