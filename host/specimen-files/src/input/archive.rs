//! Archives: the members of a tar file as inputs, read where they lie, and the files of a CAR, put together from their blocks.

use std::{
    cell::Cell,
    cmp::Ordering,
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use refiner_content::{Archive, ContentId, Named};
use refiner_text::OneLine;

use super::{
    Input, InputError, compressed,
    limits::{ARCHIVE_BYTES_MAX, HEADERS_BYTES_MAX, MEMBERS_MAX, SPECIMEN_LIMIT_BYTES},
    stream::Stream,
    walk::is_specimen_name,
};

/// The mark of the format, and its offset.
const MAGIC: (usize, &[u8]) = (257, b"ustar");

/// Bytes of a member's header.
const HEADER_BYTES: u64 = 512;
/// A block of zeros, with which an archive ends.
const END_MARK: [u8; 512] = [0; 512];

/// A specimen within an archive.
#[derive(Clone)]
pub struct Member {
    archive: PathBuf,
    name: PathBuf,
    place: Storage,
}

#[derive(Clone)]
enum Storage {
    /// In one piece.
    Piece { offset: u64, bytes: u64, file: Arc<File> },
    /// In blocks.
    Blocks { id: ContentId, blocks: Arc<Archive> },
}

impl Member {
    /// Reads at most `limit` of its bytes.
    pub(super) fn read(&self, limit: u64) -> io::Result<Vec<u8>> {
        match &self.place {
            Storage::Piece { offset, bytes, file } => {
                let mut read = vec![0; usize::try_from((*bytes).min(limit)).map_err(io::Error::other)?];
                file.read_exact_at(&mut read, *offset)?;
                Ok(read)
            }
            Storage::Blocks { id, blocks } => {
                let mut read =
                    blocks.head(id, usize::try_from(limit).unwrap_or(usize::MAX)).map_err(io::Error::other)?;
                read.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                Ok(read.into())
            }
        }
    }

    /// Its length, where the archive states it.
    pub(super) fn bytes(&self) -> Option<u64> {
        match self.place {
            Storage::Piece { bytes, .. } => Some(bytes),
            Storage::Blocks { .. } => None,
        }
    }

    /// The file that it is a part of.
    pub(super) fn archive(&self) -> &Path {
        &self.archive
    }

    /// Archive and name in it, as they are.
    pub(super) fn name(&self) -> String {
        format!("{}!{}", self.archive.display(), self.name.display())
    }
}

/// True when a file is called as archives are.
pub(super) fn is_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"].iter().any(|end| name.ends_with(end)) || is_car(&name)
}

/// True for the lower-case name of an archive of blocks.
fn is_car(name: &str) -> bool {
    [".car", ".car.gz", ".car.zst"].iter().any(|end| name.ends_with(end))
}

/// The specimens of an archive, in their order.
pub(super) fn members(path: &Path) -> Result<Vec<Input>, InputError> {
    let refuse = |source| InputError::Read { input: Input::File(path.to_owned()), source };
    let mut file = File::open(path).map_err(refuse)?;
    let mut magic = [0; compressed::MAGIC_BYTES];
    let taken = file.read(&mut magic).map_err(refuse)?;
    file.rewind().map_err(refuse)?;
    let expanded = compressed::reader(&magic[..taken], BufReader::new(&file)).map_err(refuse)?;
    let expanded = expanded.map(|expanded| expand(path, expanded)).transpose()?;
    let file = expanded.unwrap_or(file);
    if is_car(&path.to_string_lossy().to_ascii_lowercase()) { in_blocks(path, file) } else { listed(path, file) }
}

/// The specimens of an archive of blocks, in the order of its roots and directories.
fn in_blocks(path: &Path, file: File) -> Result<Vec<Input>, InputError> {
    let refuse = |source| InputError::Blocks { archive: path.to_owned(), source };
    let blocks = Arc::new(Archive::open(file).map_err(refuse)?);
    let files = blocks.files().map_err(refuse)?.into_iter();
    let specimens =
        files.filter(|file| is_specimen_name(OsStr::new(file.name.rsplit('/').next().unwrap_or(&file.name))));
    let member = |Named { name, id }| {
        let place = Storage::Blocks { id, blocks: Arc::clone(&blocks) };
        Input::Member(Arc::new(Member { archive: path.to_owned(), name: name.into(), place }))
    };
    let members: Vec<_> = specimens.map(member).collect();
    if members.is_empty() { Err(InputError::EmptyArchive(path.to_owned())) } else { Ok(members) }
}

/// The specimens of an archive that comes as a stream, or none where it is no archive.
pub(super) fn in_stream(stream: &Stream) -> Result<Option<Vec<Input>>, InputError> {
    let name = stream.name();
    let name = Path::new(&name);
    // What cannot be read has its report where the specimen is read.
    // The same of what is too large, whose beginning alone would be an archive that is cut short.
    let Some(bytes) = stream.bytes().ok().filter(|bytes| bytes.len() as u64 <= SPECIMEN_LIMIT_BYTES) else {
        return Ok(None);
    };
    let refuse = |source| InputError::Read { input: Input::Stream(stream.clone()), source };
    let Some(mut expanded) = compressed::reader(bytes, bytes).map_err(refuse)? else {
        return members_by(bytes).map(|members| members(name, expand(name, bytes)?)).transpose();
    };
    let mut head = Vec::new();
    // What is cut off has its report where the specimen is read.
    let _ = expanded.by_ref().take(HEADER_BYTES).read_to_end(&mut head);
    let members = members_by(&head);
    members.map(|members| members(name, expand(name, Cursor::new(head).chain(expanded))?)).transpose()
}

/// Finds the specimens of an archive in a file, under the archive's name.
type Members = fn(&Path, File) -> Result<Vec<Input>, InputError>;

/// The reader of an archive that begins with these bytes; `None` where they are of no archive.
fn members_by(head: &[u8]) -> Option<Members> {
    if head.get(MAGIC.0..).is_some_and(|rest| rest.starts_with(MAGIC.1)) {
        Some(listed)
    } else {
        Archive::begins(head).then_some(in_blocks)
    }
}

fn expand(path: &Path, expanded: impl Read) -> Result<File, InputError> {
    let refuse = |source| InputError::Read { input: Input::File(path.to_owned()), source };
    let mut file = tempfile::tempfile().map_err(refuse)?;
    let taken = io::copy(&mut expanded.take(ARCHIVE_BYTES_MAX + 1), &mut file).map_err(refuse)?;
    if taken > ARCHIVE_BYTES_MAX {
        return Err(InputError::ArchiveTooLarge(path.to_owned()));
    }
    file.flush().map_err(refuse)?;
    file.rewind().map_err(refuse)?;
    Ok(file)
}

fn listed(path: &Path, file: File) -> Result<Vec<Input>, InputError> {
    let refuse = |source| InputError::Read { input: Input::File(path.to_owned()), source };
    let file = Arc::new(file);
    let length = file.metadata().map_err(refuse)?.len();
    let cut =
        || refuse(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut short: it has no mark at its end"));
    let left = Cell::new(HEADERS_BYTES_MAX);
    let mut archive = tar::Archive::new(HeaderReader { file: &file, left: &left });
    let mut members = Vec::new();
    let mut end = 0_u64;
    for entry in archive.entries_with_seek().map_err(refuse)? {
        let entry = entry.map_err(|source| match left.get() {
            0 => InputError::HeadersTooLong { archive: path.to_owned(), offset: end },
            _ => refuse(io::Error::new(source.kind(), format!("the member at byte {end}: {source}"))),
        })?;
        left.set(HEADERS_BYTES_MAX);
        let name = entry.path().map_err(refuse)?.into_owned();
        let (offset, bytes) = (entry.raw_file_position(), entry.size());
        let padded = bytes.checked_next_multiple_of(HEADER_BYTES).and_then(|bytes| offset.checked_add(bytes));
        end = padded.filter(|end| *end <= length).ok_or_else(cut)?;
        if !entry.header().entry_type().is_file() || !is_specimen_name(name.file_name().unwrap_or(OsStr::new(""))) {
            continue;
        }
        if members.len() == MEMBERS_MAX {
            return Err(InputError::TooManyNames { directory: path.to_owned() });
        }
        let place = Storage::Piece { offset, bytes, file: Arc::clone(&file) };
        let member = Member { archive: path.to_owned(), name, place };
        members.push(Input::Member(Arc::new(member)));
    }
    // The reader takes the end of a file for that of the archive.
    let mut mark = END_MARK.map(|_| 0xff);
    file.read_exact_at(&mut mark, end).map_err(|_| cut())?;
    if mark != END_MARK {
        return Err(cut());
    }
    if members.is_empty() { Err(InputError::EmptyArchive(path.to_owned())) } else { Ok(members) }
}

/// A tar whose headers alone are read, of one member no more than is left: the reader of the format takes a name, an attribute or a
/// list of holes into memory whatever length it states.
struct HeaderReader<'a> {
    file: &'a File,
    left: &'a Cell<u64>,
}

impl Read for HeaderReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let taken = self.file.take(self.left.get()).read(buffer)?;
        self.left.set(self.left.get() - taken as u64);
        Ok(taken)
    }
}

impl Seek for HeaderReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Member {}

impl PartialOrd for Member {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Member {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Member {
    fn key(&self) -> (&Path, u64, &Path) {
        let offset = match self.place {
            Storage::Piece { offset, .. } => offset,
            Storage::Blocks { .. } => 0,
        };
        (&self.archive, offset, &self.name)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OneLine(self.name()).fmt(f)
    }
}
