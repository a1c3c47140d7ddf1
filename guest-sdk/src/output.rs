//! Artifacts that a rule produces.

use std::io;

use crate::{host, page::CHUNK_BYTES};

/// Where a rule puts its artifacts.
pub struct Output(pub(crate) ());

impl Output {
    /// Opens an artifact: `name` as in `rule.toml`, once in a run.
    pub fn artifact(&mut self, name: &str, media_type: &str) -> Artifact {
        Artifact::open(host::Artifact::new(name, media_type, None))
    }

    /// Opens an artifact whose bytes `schema` describes.
    pub fn artifact_with_schema(&mut self, name: &str, media_type: &str, schema: &str) -> Artifact {
        Artifact::open(host::Artifact::new(name, media_type, Some(schema)))
    }
}

/// A named file in the making. Writes are gathered and never fail: output beyond the granted size ends the run.
///
/// Dropped without [`finish`](Self::finish), it is not part of the output.
#[must_use = "an artifact that is not finished is not part of the output"]
pub struct Artifact {
    host: host::Artifact,
    /// Never longer than a chunk.
    gathered: Vec<u8>,
}

impl Artifact {
    fn open(host: host::Artifact) -> Self {
        Self { host, gathered: Vec::new() }
    }

    /// Appends bytes to the artifact.
    pub fn append(&mut self, bytes: &[u8]) {
        if self.gathered.len() + bytes.len() > CHUNK_BYTES as usize {
            self.send();
        }
        if bytes.len() >= CHUNK_BYTES as usize {
            self.host.write(bytes);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
    }

    /// Closes the artifact and makes it part of the output.
    pub fn finish(mut self) {
        self.send();
        self.host.finish();
    }

    fn send(&mut self) {
        if !self.gathered.is_empty() {
            self.host.write(&self.gathered);
            self.gathered.clear();
        }
    }
}

impl io::Write for Artifact {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send();
        Ok(())
    }
}
