//! Python wheels: an extension module and its sources in one file that `pip install` takes.
//!
//! * **Inputs**: the files of a package with their bytes, and what the index of packages is to know.
//! * **Outputs**: the bytes of a wheel (PyPA's binary distribution format 1.0), and its name.
//! * **Invariants**: the same files give the same bytes: no clock, no user and no path of this machine is in them.
//!
//! ```
//! use refiner_wheel::{Compression, Wheel};
//!
//! let mut wheel = Wheel::new("greeter", "0.1.0", "cp310-abi3-linux_x86_64");
//! wheel.summary = "Greets.".to_owned();
//! wheel.add("greeter/__init__.py", b"def greet(): return 'hello'\n".to_vec());
//! assert_eq!(wheel.file_name(), "greeter-0.1.0-cp310-abi3-linux_x86_64.whl");
//! let bytes = wheel.to_bytes(Compression::Deflated)?;
//! assert!(bytes.starts_with(b"PK"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod archive;
mod package;

use std::io;

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use archive::Archive;
pub use archive::Compression;
pub use package::{TAG, of_repository};

/// A wheel that is being put together.
#[derive(Clone, Debug)]
pub struct Wheel {
    /// Name of the distribution, which has no `-` in it.
    pub name: String,
    /// Version by PEP 440.
    pub version: String,
    /// Python, its binary interface and the platform: `cp310-abi3-linux_x86_64`.
    pub tag: String,
    /// One line on the purpose.
    pub summary: String,
    /// The licence, by its SPDX name.
    pub licence: String,
    /// Versions of Python that it is for, `>=3.10`.
    pub requires_python: String,
    /// The long description, in Markdown.
    pub description: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Wheel {
    /// A wheel without files.
    pub fn new(name: &str, version: &str, tag: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: tag.to_owned(),
            summary: String::new(),
            licence: String::new(),
            requires_python: String::new(),
            description: String::new(),
            files: Vec::new(),
        }
    }

    /// Adds a file by its path in `site-packages`.
    pub fn add(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.push((path.to_owned(), bytes));
    }

    /// The name that installers read version and platform from.
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.whl", self.name, self.version, self.tag)
    }

    /// The whole file. Files stand in the order of their paths, and the metadata after them.
    ///
    /// # Errors
    ///
    /// A file is larger than an archive without 64-bit extensions holds.
    pub fn to_bytes(&self, compression: Compression) -> io::Result<Vec<u8>> {
        let information = format!("{}-{}.dist-info", self.name, self.version);
        let metadata = self.metadata().into_bytes();
        let description =
            format!("Wheel-Version: 1.0\nGenerator: refiner-wheel\nRoot-Is-Purelib: false\nTag: {}\n", self.tag);
        let mut files: Vec<_> = self.files.iter().map(|(path, bytes)| (path.clone(), bytes.as_slice())).collect();
        files.sort();
        files.push((format!("{information}/METADATA"), &metadata));
        files.push((format!("{information}/WHEEL"), description.as_bytes()));
        let record_path = format!("{information}/RECORD");
        let mut record = String::new();
        let mut archive = Archive::new(compression);
        for (path, bytes) in files {
            let hash = URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(bytes));
            record.push_str(&format!("{path},sha256={hash},{}\n", bytes.len()));
            archive.add(&path, bytes)?;
        }
        record.push_str(&format!("{record_path},,\n"));
        archive.add(&record_path, record.as_bytes())?;
        archive.finish()
    }

    fn metadata(&self) -> String {
        let Self { name, version, summary, licence, requires_python, description, .. } = self;
        format!(
            "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\nLicense: {licence}\n\
             Requires-Python: {requires_python}\nDescription-Content-Type: text/markdown\n\n{description}"
        )
    }
}
