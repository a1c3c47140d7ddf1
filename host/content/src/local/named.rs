//! Second names of content: a DAS root beside the UnixFS id under which its file stands, and the ids of the blocks that a file
//! consists of.

use std::{fs, io, ops::Range, path::PathBuf};

use refiner_atomic_file::Durability;

use super::{LocalStore, keep_error};
use crate::{
    Content, ContentId, FetchError, KeepError, content_id,
    unixfs::{self, Part},
};

/// A file with more bytes than an id and two offsets is no name.
const NAME_BYTES_MAX: u64 = crate::ID_CHARACTERS_MAX as u64 + 2 * 21;

/// Stored content, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// The id under which the file stands.
    kept: ContentId,
    /// The part of the file; all of it where there is none.
    part: Option<Range<usize>>,
    /// Bytes to read.
    pub(crate) bytes: usize,
}

impl LocalStore {
    /// Writes content that is found under `name` as well, a DAS root whose bytes the caller knows these to be. Blocks.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub fn write_named(&self, content: &Content, name: &ContentId) -> Result<(), KeepError> {
        let id = self.write(content)?;
        let path = self.name_path(name);
        let text = id.to_string();
        let written = self.write_as(&path, text.as_bytes(), Durability::Name);
        written.map_err(|source| keep_error(path, text.len(), source))
    }

    /// Writes content of which each block is found under its own id as well. Blocks.
    pub(crate) fn write_with_parts(&self, bytes: &bytes::Bytes) -> Result<ContentId, KeepError> {
        let (id, parts) = unixfs::parts(bytes);
        self.write(&Content::kept(id, bytes.clone()))?;
        for Part { id: name, range } in parts {
            let path = self.name_path(&name);
            let text = format!("{id} {} {}", range.start, range.end);
            // A name that a crash cuts off is no name, and the next upload writes it again.
            let written = self.write_as(&path, text.as_bytes(), Durability::None);
            written.map_err(|source| keep_error(path, text.len(), source))?;
        }
        Ok(id)
    }

    /// Finds content of any name. Blocks.
    pub(crate) fn locate(&self, id: &ContentId) -> Result<Located, FetchError> {
        let length = |kept: &ContentId| {
            let length = fs::metadata(self.path(kept)).map(|file| file.len()).ok()?;
            usize::try_from(length).ok()
        };
        if let Some(bytes) = length(id) {
            return Ok(Located { kept: *id, part: None, bytes });
        }
        let not_found = || FetchError::NotFound { from: self.origin.clone() };
        let (kept, part) = self.name(id)?;
        let whole = length(&kept).ok_or_else(not_found)?;
        match part {
            Some(part) if part.end > whole => Err(not_found()),
            Some(part) => Ok(Located { kept, bytes: part.len(), part: Some(part) }),
            None => Ok(Located { kept, part: None, bytes: whole }),
        }
    }

    /// Reads what was found under `name`, and checks it. Blocks.
    pub(crate) fn read_located(&self, name: &ContentId, located: &Located) -> Result<Content, FetchError> {
        let Some(part) = &located.part else {
            return Ok(self.checked(&located.kept, self.unchecked(&located.kept)?)?.under(*name));
        };
        let path = self.path(&located.kept);
        let bytes = self.read_part(&path, part.clone()).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => {
                FetchError::NotFound { from: self.origin.clone() }
            }
            _ => FetchError::File { path, source },
        })?;
        if content_id(&bytes) == *name {
            return Ok(Content::kept(*name, bytes));
        }
        // Either the file is damaged, which this finds, or the name is.
        self.checked(&located.kept, self.unchecked(&located.kept)?)?;
        Err(FetchError::NotFound { from: self.origin.clone() })
    }

    /// Reads content by its second name; it is checked against the first.
    pub(super) fn read_named(&self, name: &ContentId) -> Result<Content, FetchError> {
        self.read_located(name, &self.locate(name)?)
    }

    fn name(&self, name: &ContentId) -> Result<(ContentId, Option<Range<usize>>), FetchError> {
        let path = self.name_path(name);
        let not_found = || FetchError::NotFound { from: self.origin.clone() };
        let text = match fs::metadata(&path).and_then(|file| match file.len() {
            0..=NAME_BYTES_MAX => fs::read_to_string(&path),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(not_found()),
            Err(source) => return Err(FetchError::File { path, source }),
        };
        parse(&text).ok_or_else(not_found)
    }

    fn name_path(&self, name: &ContentId) -> PathBuf {
        self.root.join("named").join(name.to_string())
    }
}

/// An id, and perhaps the begin and the end of a part.
fn parse(text: &str) -> Option<(ContentId, Option<Range<usize>>)> {
    let mut words = text.split(' ');
    let id = words.next()?.parse().ok()?;
    let part = match (words.next(), words.next(), words.next()) {
        (None, _, _) => None,
        (Some(start), Some(end), None) => {
            let part = start.parse().ok()?..end.parse().ok()?;
            Some(part).filter(|part: &Range<usize>| part.start < part.end)?.into()
        }
        _ => return None,
    };
    Some((id, part))
}
