//! Headings that were read before, so that ten thousand files are not opened again to learn their heights.
//!
//! A directory's headings are one file, `<sha256 of its path>.tsv`, with a line a specimen. A line counts only for a file of the same name,
//! length, inode and time of change.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{BufWriter, Read as _, Write as _},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::MetadataExt as _,
    },
    path::Path,
};

use alloy_primitives::{B256, hex};
use refiner_directory_cache::{DirectoryCache, Durability};

use super::Heading;

/// Fewest specimens of a directory that are worth a file.
pub const CACHED_MIN: usize = 256;
/// Most bytes of a file: some two million specimens.
const FILE_BYTES_MAX: u64 = 512 << 20;
/// Most bytes of all files together; the oldest go when a new one does not fit.
const CACHE_BYTES_MAX: u64 = 1 << 30;
/// The first line; another program's form is read anew.
const FORM: &str = "refiner headings 1";

/// Properties by which a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    /// The stamp of a file.
    pub fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self { bytes: meta.len(), inode: meta.ino(), seconds: meta.mtime(), nanoseconds: meta.mtime_nsec() })
    }
}

/// The headings of one directory.
#[derive(Debug, Default)]
pub struct Cached(HashMap<OsString, (Stamp, Heading)>);

impl Cached {
    /// Reads what is known of a directory. A file that is none of ours counts as absent.
    pub fn read(cache: &Path, directory: &Path) -> Self {
        let mut text = String::new();
        let Ok(file) = File::open(cache.join(file_name(directory))) else { return Self::default() };
        if file.take(FILE_BYTES_MAX).read_to_string(&mut text).is_err() {
            return Self::default();
        }
        let mut lines = text.lines();
        if lines.next() != Some(FORM) { Self::default() } else { Self(lines.filter_map(entry).collect()) }
    }

    /// The heading of a file that is still the one that was read.
    pub fn get(&self, name: &OsStr, stamp: Stamp) -> Option<&Heading> {
        self.0.get(name).filter(|(read, _)| *read == stamp).map(|(_, heading)| heading)
    }

    /// Writes what is known of a directory now. What cannot be written is read again the next time.
    pub fn write(cache: &Path, directory: &Path, entries: &[(OsString, Stamp, Heading)]) {
        let written = DirectoryCache::new(cache, CACHE_BYTES_MAX).put(&file_name(directory), Durability::None, |file| {
            let mut out = BufWriter::new(file);
            writeln!(out, "{FORM}")?;
            for (name, stamp, heading) in entries {
                let Stamp { bytes, inode, seconds, nanoseconds } = stamp;
                let Heading { chain_id, height, block_hash, parent_hash, is_consistent } = heading;
                let name = hex::encode(name.as_bytes());
                writeln!(
                    out,
                    "{name}\t{bytes}\t{inode}\t{seconds}\t{nanoseconds}\t{chain_id}\t{height}\t{block_hash}\t{parent_hash}\t{is_consistent}"
                )?;
            }
            out.flush()
        });
        // A cache that cannot be written costs time and nothing else.
        let _ = written;
    }
}

fn file_name(directory: &Path) -> String {
    format!("{:x}.tsv", refiner_specimen::sha256(directory.as_os_str().as_bytes()))
}

fn entry(line: &str) -> Option<(OsString, (Stamp, Heading))> {
    let mut fields = line.split('\t');
    let name = OsString::from_vec(hex::decode(fields.next()?).ok()?);
    let stamp = Stamp {
        bytes: fields.next()?.parse().ok()?,
        inode: fields.next()?.parse().ok()?,
        seconds: fields.next()?.parse().ok()?,
        nanoseconds: fields.next()?.parse().ok()?,
    };
    let heading = Heading {
        chain_id: fields.next()?.parse().ok()?,
        height: fields.next()?.parse().ok()?,
        block_hash: fields.next()?.parse::<B256>().ok()?,
        parent_hash: fields.next()?.parse::<B256>().ok()?,
        is_consistent: fields.next()?.parse().ok()?,
    };
    Some((name, (stamp, heading)))
}
