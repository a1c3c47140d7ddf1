//! Text that must not be seen.

use std::{fmt, fs::File, io, io::Read, path::Path};

use zeroize::Zeroizing;

/// Most bytes of a file with a secret. A key is 66 characters, a keystore about 500.
const FILE_LIMIT_BYTES: usize = 16 << 10;

/// A key or a password. Neither `Debug` nor an error shows it; its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret, as from the environment.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Reads a secret from a file of at most 16 KiB; a line break at its end does not count.
    ///
    /// # Errors
    ///
    /// The system's error; `InvalidData` for a larger file or one that is not UTF-8.
    pub(super) fn from_file(path: &Path) -> io::Result<Self> {
        // One allocation, so that nothing is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(FILE_LIMIT_BYTES + 1));
        let limit = FILE_LIMIT_BYTES as u64 + 1;
        File::open(path)?.take(limit).read_to_string(&mut text)?;
        if text.len() > FILE_LIMIT_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "larger than 16 KiB"));
        }
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        Ok(Self(text))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
