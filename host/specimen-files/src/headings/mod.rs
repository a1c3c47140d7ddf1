//! Chain, height and hashes of inputs, by their first bytes.

mod cache;

pub use self::cache::CACHED_MIN;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use alloy_primitives::B256;
use refiner_specimen::peek_header;

use self::cache::{Cached, Stamp};
use crate::input::{Input, InputError};

/// First bytes of a file that are read: a heading has some two thousand, whatever follows it.
const HEAD_BYTES: u64 = 8 << 10;
/// Bytes that are read where that does not suffice.
const LONG_HEAD_BYTES: u64 = 64 << 10;
/// Inputs that a thread takes at once.
const SHARE: usize = 64;
/// Threads that read the heads of files of other machines, each of which mostly waits.
const REMOTE_THREADS: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// The first fields of a specimen. They are what the file states: only a run checks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Id of the chain.
    pub chain_id: u64,
    /// Height of the block.
    pub height: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// Hash of the block before it.
    pub parent_hash: B256,
    /// True where the header has the stated hash.
    pub is_consistent: bool,
}

/// A heading, none, or the reason for which the first bytes cannot be had.
pub type Peeked = Result<Option<Heading>, InputError>;

impl Heading {
    /// The heading of an input, or none where its first bytes are no specimen's.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn of(input: &Input) -> Result<Option<Self>, InputError> {
        for limit in [HEAD_BYTES, LONG_HEAD_BYTES] {
            let head = input.head(limit)?;
            if let Ok(found) = peek_header(&head) {
                return Ok(Some(Self {
                    chain_id: found.network_id,
                    height: found.header.number,
                    block_hash: found.hash,
                    parent_hash: found.header.parent_hash,
                    is_consistent: found.header_hash == found.hash,
                }));
            }
            if (head.len() as u64) < limit {
                break;
            }
        }
        Ok(None)
    }

    /// The headings of many inputs, in their order.
    pub fn of_all(inputs: &[Input], threads: NonZeroUsize) -> Vec<Peeked> {
        let is_remote = inputs.iter().any(|input| matches!(input, Input::Remote(_)));
        let (threads, share_max) = if is_remote { (threads.max(REMOTE_THREADS), 1) } else { (threads, SHARE) };
        let next = AtomicUsize::new(0);
        let read = || {
            let mut read = Vec::new();
            loop {
                let start = next.fetch_add(share_max, Ordering::Relaxed);
                let end = inputs.len().min(start + share_max);
                let Some(share) = inputs.get(start..end).filter(|share| !share.is_empty()) else {
                    return read;
                };
                read.push((start, share.iter().map(Self::of).collect::<Vec<_>>()));
            }
        };
        let mut shares = thread::scope(|scope| {
            let threads: Vec<_> =
                (1..threads.get()).filter_map(|_| thread::Builder::new().spawn_scoped(scope, read).ok()).collect();
            let mut shares = read();
            for thread in threads {
                shares.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            shares
        });
        shares.sort_by_key(|(start, _)| *start);
        shares.into_iter().flat_map(|(_, share)| share).collect()
    }

    /// The same, where a directory keeps the headings of large directories. A file that changed is read again.
    pub fn of_all_kept(inputs: &[Input], threads: NonZeroUsize, kept: Option<&Path>) -> Vec<Peeked> {
        let Some(kept) = kept.filter(|_| inputs.len() >= CACHED_MIN) else { return Self::of_all(inputs, threads) };
        let mut headings: Vec<Peeked> = inputs.iter().map(|_| Ok(None)).collect();
        let mut stamps: Vec<Option<Stamp>> = vec![None; inputs.len()];
        let mut unread = Vec::new();
        let mut directories: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        for (index, input) in inputs.iter().enumerate() {
            match input {
                Input::File(path) => {
                    let directory = path.parent().and_then(|parent| std::path::absolute(parent).ok());
                    directories.entry(directory.unwrap_or_default()).or_default().push(index);
                }
                Input::Stream(_) | Input::Member(_) | Input::Remote(_) => unread.push(index),
            }
        }
        directories.retain(|_, files| {
            let is_large = files.len() >= CACHED_MIN;
            if !is_large {
                unread.append(files);
            }
            is_large
        });
        let mut changed = Vec::new();
        for (directory, files) in &directories {
            let cached = Cached::read(kept, directory);
            let before = unread.len();
            for &index in files {
                if let Input::File(path) = &inputs[index] {
                    stamps[index] = Stamp::of(path);
                    let known = path.file_name().zip(stamps[index]).and_then(|(name, stamp)| cached.get(name, stamp));
                    headings[index] = Ok(known.cloned());
                    if known.is_none() {
                        unread.push(index);
                    }
                }
            }
            if unread.len() > before {
                changed.push(directory);
            }
        }
        let read: Vec<_> = unread.iter().map(|index| inputs[*index].clone()).collect();
        for (index, heading) in unread.iter().zip(Self::of_all(&read, threads)) {
            headings[*index] = heading;
        }
        for directory in changed {
            let entry = |index: &usize| {
                let Input::File(path) = &inputs[*index] else { return None };
                Some((path.file_name()?.to_owned(), stamps[*index]?, headings[*index].as_ref().ok()?.clone()?))
            };
            Cached::write(kept, directory, &directories[directory].iter().filter_map(entry).collect::<Vec<_>>());
        }
        headings
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use refiner_testkit::heading::{header, heading};

    use super::*;
    use crate::input::expand;

    const ONE: NonZeroUsize = NonZeroUsize::MIN;

    fn write(directory: &Path, height: u64, parent: B256) -> Input {
        let header = header(height, parent);
        let path = directory.join(format!("1-{height}.avro"));
        fs::write(&path, heading(1, &header, header.hash_slow()).unwrap()).unwrap();
        Input::File(path)
    }

    fn read(headings: Vec<Peeked>) -> Vec<Option<Heading>> {
        headings.into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn input_whose_first_bytes_cannot_be_read_is_an_error_and_none_without_a_heading() {
        let directory = tempfile::tempdir().unwrap();
        let sound = write(directory.path(), 7, B256::ZERO);
        let absent = Input::File(directory.path().join("1-8.avro"));
        let [first, second] = <[_; 2]>::try_from(Heading::of_all(&[absent, sound], ONE)).unwrap();
        assert!(matches!(first, Err(InputError::Read { .. })), "{first:?}");
        assert_eq!(second.unwrap().unwrap().height, 7);
    }

    #[test]
    fn heading_of_a_member_is_found_behind_frames_in_which_nothing_is() {
        let directory = tempfile::tempdir().unwrap();
        let header = header(7, B256::ZERO);
        let mut member = zstd::encode_all(&b""[..], 1).unwrap();
        let skipped = 300_000_u32;
        member.extend([&0x184d_2a50_u32.to_le_bytes()[..], &skipped.to_le_bytes()].concat());
        member.resize(member.len() + usize::try_from(skipped).unwrap(), 0);
        member.extend(zstd::encode_all(&heading(1, &header, header.hash_slow()).unwrap()[..], 1).unwrap());
        let mut of_archive = tar::Header::new_gnu();
        of_archive.set_size(member.len() as u64);
        of_archive.set_cksum();
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_data(&mut of_archive, "1-7.avro.zst", &member[..]).unwrap();
        let path = directory.path().join("a.tar");
        fs::write(&path, archive.into_inner().unwrap()).unwrap();
        let inputs = expand(&[&path]).unwrap();
        assert_eq!(Heading::of(&inputs[0]).unwrap().unwrap().height, 7);
    }

    #[test]
    fn headings_are_kept_and_a_file_that_changed_is_read_again() {
        let [directory, kept] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let count = CACHED_MIN as u64 + 5;
        let mut inputs: Vec<_> = (0..count).map(|height| write(directory.path(), height, B256::ZERO)).collect();
        let none = directory.path().join("1-x.avro");
        fs::write(&none, "no specimen").unwrap();
        inputs.push(Input::File(none));
        let of_all = |inputs: &[Input]| read(Heading::of_all(inputs, ONE));
        let of_all_kept = |inputs: &[Input]| read(Heading::of_all_kept(inputs, ONE, Some(kept.path())));
        let fresh = of_all(&inputs);
        assert_eq!(fresh.iter().flatten().count(), inputs.len() - 1);
        assert!(fresh.iter().flatten().all(|heading| heading.is_consistent));
        assert_eq!(of_all_kept(&inputs), fresh);
        assert_eq!(of_all_kept(&inputs), fresh);

        // What is kept decides: a name in it that is changed shows.
        let file = fs::read_dir(kept.path()).unwrap().next().unwrap().unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count() as u64, 1 + count);
        fs::write(&file, text.replace("\t1\t7\t0x", "\t1\t77\t0x")).unwrap();
        assert_eq!(of_all_kept(&inputs)[7].as_ref().unwrap().height, 77);
        // Until the file itself is another.
        write(directory.path(), 7, B256::repeat_byte(9));
        let again = of_all_kept(&inputs);
        assert_eq!(again[7].as_ref().unwrap().parent_hash, B256::repeat_byte(9));
        assert_eq!(again[7].as_ref().unwrap().height, 7);
        // What is no cache is none.
        fs::write(&file, b"\xff\xfe").unwrap();
        assert_eq!(of_all_kept(&inputs), again);
    }
}
