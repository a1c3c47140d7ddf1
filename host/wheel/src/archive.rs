//! ZIP archives of a few files in memory, without times (PKWARE's APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16).

use std::io::{self, Write as _};

use flate2::{Compression as Level, Crc, write::DeflateEncoder};

/// Version of the format that a reader has to know: 2.0, for deflate.
const VERSION_NEEDED: u16 = 20;
/// Version of the format and the system whose file modes are kept: 2.0, Unix.
const VERSION_MADE_BY: u16 = 3 << 8 | VERSION_NEEDED;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// The first day that the format knows, 1980-01-01, at midnight.
const DATE: u16 = 1 << 5 | 1;
/// A regular file that everybody reads, in the upper half of the attributes.
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// The form of files in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they are, which takes no time.
    Stored,
    /// With deflate.
    Deflated,
}

impl Compression {
    const fn method(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflated => 8,
        }
    }
}

/// An archive that is being written.
pub struct Archive {
    compression: Compression,
    bytes: Vec<u8>,
    directory: Vec<u8>,
    files: u16,
}

impl Archive {
    pub fn new(compression: Compression) -> Self {
        Self { compression, bytes: Vec::new(), directory: Vec::new(), files: 0 }
    }

    /// Adds a file.
    pub fn add(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut crc = Crc::new();
        crc.update(content);
        let packed = match self.compression {
            Compression::Stored => content.to_vec(),
            Compression::Deflated => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Level::default());
                encoder.write_all(content)?;
                encoder.finish()?
            }
        };
        let offset = size(self.bytes.len())?;
        let mut common = Vec::new();
        for field in [FLAGS, self.compression.method(), 0, DATE] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc.sum(), size(packed.len())?, size(content.len())?] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).map_err(io::Error::other)?.to_le_bytes());
        // No extra field.
        common.extend(0u16.to_le_bytes());

        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(VERSION_NEEDED.to_le_bytes());
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(packed);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(VERSION_MADE_BY.to_le_bytes());
        self.directory.extend(VERSION_NEEDED.to_le_bytes());
        self.directory.extend(&common);
        // No comment, the first disk, no internal attributes.
        self.directory.extend([0; 6]);
        self.directory.extend(ATTRIBUTES.to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.files = self.files.checked_add(1).ok_or_else(too_large)?;
        Ok(())
    }

    /// The whole archive.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        let Self { mut bytes, directory, files, .. } = self;
        let (offset, length) = (size(bytes.len())?, size(directory.len())?);
        bytes.extend(directory);
        bytes.extend(b"PK\x05\x06");
        // One disk, this one.
        bytes.extend([0; 4]);
        for count in [files, files] {
            bytes.extend(count.to_le_bytes());
        }
        bytes.extend(length.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        // No comment.
        bytes.extend([0; 2]);
        Ok(bytes)
    }
}

fn size(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| too_large())
}

fn too_large() -> io::Error {
    io::Error::other("larger than a ZIP archive without 64-bit extensions holds")
}
