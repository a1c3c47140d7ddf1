//! Specimens named on the command line: files, directories, patterns, archives, and `-` for standard input.

mod archive;
mod compressed;
mod error;
mod expand;
mod limits;
mod stream;
mod walk;

pub use self::{
    archive::Member,
    error::InputError,
    expand::{Expanded, expand, expand_all, expand_with, names_from},
    limits::{
        ARCHIVE_BYTES_MAX, DEPTH_MAX, HEADERS_BYTES_MAX, MEMBERS_MAX, NAMES_BYTES_MAX, NAMES_MAX, SPECIMEN_LIMIT_BYTES,
    },
    stream::Stream,
    walk::is_specimen_name,
};

use std::{
    fmt, fs,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use refiner_buffers::Buffers;
use refiner_remote_files::RemoteFile;
use refiner_text::OneLine;

/// Bytes of a compressed member of an archive that are read for its head: Zstandard gives a block of 128 KiB at once.
const COMPRESSED_HEAD_BYTES: u64 = 256 << 10;
/// The most that are read of one that begins with frames in which nothing is: dozens of threads read heads at once.
const COMPRESSED_HEAD_BYTES_MAX: u64 = COMPRESSED_HEAD_BYTES << 6;

/// Where one specimen's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// What can be read once: standard input, or a pipe.
    Stream(Stream),
    File(PathBuf),
    Member(Arc<Member>),
    Remote(RemoteFile),
}

impl Input {
    /// The name as it is, for JSON. `Display` escapes it, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Stream(stream) => stream.name(),
            Self::File(path) => path.display().to_string(),
            Self::Member(member) => member.name(),
            Self::Remote(file) => file.name(),
        }
    }

    /// The file on this machine that is read for it, if one is.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Member(member) => Some(member.archive()),
            Self::Stream(stream) => stream.path(),
            Self::Remote(_) => None,
        }
    }

    /// Reads the bytes, at most [`SPECIMEN_LIMIT_BYTES`] of them, whatever size the source states and whatever comes out of it where
    /// it is compressed.
    pub fn read(&self) -> Result<Vec<u8>, InputError> {
        self.read_up_to(SPECIMEN_LIMIT_BYTES)
    }

    /// The same, where it is a file, in one of these buffers.
    pub fn read_into(&self, buffers: &Buffers) -> Result<Bytes, InputError> {
        let refuse = |source| InputError::Read { input: self.clone(), source };
        let too_large = || InputError::TooLarge { input: self.clone() };
        // What is no regular file states no length.
        let regular = match self {
            Self::File(path) => Some(path).zip(fs::metadata(path).ok().filter(fs::Metadata::is_file)),
            Self::Stream(_) | Self::Member(_) | Self::Remote(_) => None,
        };
        let Some((path, stated)) = regular.map(|(path, metadata)| (path, metadata.len())) else {
            return Ok(self.read()?.into());
        };
        if stated > SPECIMEN_LIMIT_BYTES {
            return Err(too_large());
        }
        let mut file = fs::File::open(path).map_err(refuse)?;
        // With room for one byte more, by which the end is seen.
        let room = cast(stated) + 1;
        let bytes = buffers.bytes(room, |buffer| fill(&mut file, buffer)).map_err(refuse)?;
        if bytes.len() == room {
            // It grows, or states no length.
            return Ok(self.read()?.into());
        }
        match compressed::expanded(&bytes, SPECIMEN_LIMIT_BYTES).map_err(refuse)? {
            Some(whole) if whole.len() as u64 > SPECIMEN_LIMIT_BYTES => Err(too_large()),
            Some(whole) => Ok(whole.into()),
            None => Ok(bytes),
        }
    }

    /// The length of a file that is not compressed, where it can be had without reading the file.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::File(path) => {
                let mut magic = [0; compressed::MAGIC_BYTES];
                let mut file = fs::File::open(path).ok()?;
                file.read_exact(&mut magic).ok()?;
                let length = file.metadata().ok().filter(fs::Metadata::is_file)?.len();
                (!compressed::is_compressed(&magic)).then_some(length)
            }
            Self::Remote(file) if !compressed::is_compressed(&file.head(compressed::MAGIC_BYTES as u64).ok()?) => {
                file.bytes()
            }
            Self::Stream(_) | Self::Member(_) | Self::Remote(_) => None,
        }
    }

    /// Reads the first bytes, `limit` of them: fewer where there are no more, where what is compressed is damaged, or where nothing
    /// comes out of the first 16 MiB of a compressed file that is no file of this machine by itself.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn head(&self, limit: u64) -> Result<Vec<u8>, InputError> {
        let head = match self {
            Self::Stream(stream) => stream.bytes().and_then(|bytes| Ok(compressed::head(bytes, limit)?.bytes)),
            Self::Member(member) => head_of(limit, |bytes| member.read(bytes)),
            Self::Remote(file) => head_of(limit, |bytes| file.head(bytes).map_err(io::Error::other)),
            Self::File(path) => fs::File::open(path)
                .and_then(|file| compressed::head(BufReader::with_capacity(cast(limit), file), limit))
                .map(|head| head.bytes),
        };
        head.map_err(|source| InputError::Read { input: self.clone(), source })
    }

    fn read_up_to(&self, limit: u64) -> Result<Vec<u8>, InputError> {
        let refuse = |source| InputError::Read { input: self.clone(), source };
        let too_large = || InputError::TooLarge { input: self.clone() };
        let bytes = match self {
            Self::Stream(stream) => stream.bytes().map_err(refuse)?.to_vec(),
            Self::Member(member) if member.bytes().is_some_and(|bytes| bytes > limit) => return Err(too_large()),
            Self::Member(member) => member.read(limit + 1).map_err(refuse)?,
            Self::Remote(file) if file.bytes().is_some_and(|bytes| bytes > limit) => return Err(too_large()),
            Self::Remote(file) => file.read().map_err(|fault| refuse(io::Error::other(fault)))?,
            Self::File(path) => {
                let file = fs::File::open(path).map_err(refuse)?;
                let stated = file.metadata().map_err(refuse)?.len();
                if stated > limit {
                    return Err(too_large());
                }
                let mut bytes = Vec::with_capacity(cast(stated) + 1);
                file.take(limit + 1).read_to_end(&mut bytes).map_err(refuse)?;
                bytes
            }
        };
        if bytes.len() as u64 > limit {
            return Err(too_large());
        }
        let bytes = compressed::expanded(&bytes, limit).map_err(refuse)?.unwrap_or(bytes);
        if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
    }
}

/// The first bytes of what is read by the number of its bytes.
fn head_of(limit: u64, read: impl Fn(u64) -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    let plain = read(limit)?;
    if !compressed::is_compressed(&plain) {
        return Ok(plain);
    }
    let mut reach = limit.max(COMPRESSED_HEAD_BYTES);
    loop {
        let bytes = read(reach)?;
        let head = compressed::head(&bytes[..], limit)?;
        let is_whole = (bytes.len() as u64) < reach;
        if !head.is_cut || is_whole || reach >= COMPRESSED_HEAD_BYTES_MAX {
            return Ok(head.bytes);
        }
        reach = COMPRESSED_HEAD_BYTES_MAX.min(reach.saturating_mul(8));
    }
}

/// Reads until the buffer is full or the source ends, and gives the number of bytes.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A capacity: what a machine cannot address it does not reserve.
fn cast(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or_default()
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(stream) => OneLine(stream.name()).fmt(f),
            Self::File(path) => OneLine(path.display()).fmt(f),
            Self::Member(member) => member.fmt(f),
            Self::Remote(file) => file.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
