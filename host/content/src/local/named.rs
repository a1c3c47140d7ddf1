//! Second names of content: a DAS root beside the UnixFS id under which its file stands.

use std::{fs, io, path::PathBuf};

use super::{LocalStore, keep_error, write_synced};
use crate::{Content, ContentId, FetchError, KeepError};

/// A file with more bytes than an id is no name.
const NAME_BYTES_MAX: u64 = crate::ID_CHARACTERS_MAX as u64;

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
        let written = tempfile::NamedTempFile::new_in(self.root.join("partial")).and_then(|mut partial| {
            write_synced(partial.as_file_mut(), text.as_bytes())?;
            partial.persist(&path).map_err(|error| error.error)?;
            fs::File::open(self.root.join("named"))?.sync_all()
        });
        written.map_err(|source| keep_error(path, text.len(), source))
    }

    /// Reads content by its second name; it is checked against the first.
    pub(super) fn read_named(&self, name: &ContentId) -> Result<Content, FetchError> {
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
        let id: ContentId = text.parse().map_err(|_| not_found())?;
        Ok(self.checked(&id, self.unchecked(&id)?)?.under(*name))
    }

    fn name_path(&self, name: &ContentId) -> PathBuf {
        self.root.join("named").join(name.to_string())
    }
}
