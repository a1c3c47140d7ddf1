//! Text that must not be seen.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
};

use zeroize::Zeroizing;

/// A key or a password. Neither `Debug` nor an error shows it; its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret, as from the environment.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Adds at most `limit_bytes` of a file, in room that is reserved before.
    ///
    /// # Errors
    ///
    /// The system's, and those of bytes that are not UTF-8.
    pub fn read_from(&mut self, file: &mut File, limit_bytes: usize) -> io::Result<()> {
        self.0.reserve_exact(limit_bytes);
        file.take(limit_bytes as u64).read_to_string(&mut self.0).map(drop)
    }

    /// The secret itself, for where it is used.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
