//! The log beside the manifest: a line a unit, appended as they are committed, so that ten thousand units do not write the manifest
//! ten thousand times.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{DataSetError, Terms, Unit, files::open_file};

/// Name of the log within its data set.
pub const LOG: &str = "_manifest.log";

/// Number of the first line.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    terms: Terms,
}

const VERSION: u32 = 1;

/// Lines of a log that are whole.
pub(crate) struct Logged {
    pub(crate) terms: Terms,
    pub(crate) units: Vec<Unit>,
    /// Bytes up to the end of the last whole line: what a killed run began to write after it is cut off.
    whole_bytes: u64,
}

/// Reads a log, or none where there is none or not even its first line was written.
pub(crate) fn read(path: &Path) -> Result<Option<Logged>, DataSetError> {
    let refuse = |source| DataSetError::Io { path: path.to_owned(), source };
    let file = match open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(error)),
    };
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    let mut logged: Option<Logged> = None;
    loop {
        line.clear();
        let taken = lines.read_until(b'\n', &mut line).map_err(refuse)?;
        if taken == 0 || line.last() != Some(&b'\n') {
            return Ok(logged);
        }
        match &mut logged {
            None => {
                let malformed = |source| DataSetError::Malformed { path: path.to_owned(), source };
                let Head { version, terms } = serde_json::from_slice(&line).map_err(malformed)?;
                if version != VERSION {
                    return Err(DataSetError::Version { path: path.to_owned(), found: version, expected: VERSION });
                }
                logged = Some(Logged { terms, units: Vec::new(), whole_bytes: taken as u64 });
            }
            Some(logged) => {
                // A machine that lost its power can leave zeros in the middle: what follows is done again.
                let Ok(unit) = serde_json::from_slice(&line) else { break };
                logged.units.push(unit);
                logged.whole_bytes += taken as u64;
            }
        }
    }
    Ok(logged)
}

/// A log that is written to.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: Option<File>,
    whole_bytes: u64,
}

impl Log {
    /// The log of a data set, which continues after what was logged. The file is made with the first unit.
    pub(crate) fn after(path: PathBuf, logged: Option<&Logged>) -> Self {
        Self { path, file: None, whole_bytes: logged.map_or(0, |logged| logged.whole_bytes) }
    }

    /// Appends a unit by one write.
    pub(crate) fn append(&mut self, terms: &Terms, unit: &Unit) -> Result<(), DataSetError> {
        let refuse = |source| DataSetError::Io { path: self.path.clone(), source };
        if self.file.is_none() {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path);
            let mut file = file.map_err(refuse)?;
            file.set_len(self.whole_bytes).map_err(refuse)?;
            file.seek(io::SeekFrom::End(0)).map_err(refuse)?;
            if self.whole_bytes == 0 {
                let mut head = serde_json::to_vec(&Head { version: VERSION, terms: terms.clone() })
                    .map_err(|error| refuse(error.into()))?;
                head.push(b'\n');
                file.write_all(&head).map_err(refuse)?;
            }
            self.file = Some(file);
        }
        let mut line = serde_json::to_vec(unit).map_err(|error| refuse(error.into()))?;
        line.push(b'\n');
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(&line)).map_err(refuse)
    }

    /// True when a file is there.
    pub(crate) fn is_there(&self) -> bool {
        self.file.is_some() || self.whole_bytes > 0
    }
}
