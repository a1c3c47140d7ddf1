//! The file of a data set that hosts work on: the id of its queue in NATS, there until the data set is complete.
//!
//! Two replays never share a queue, as their ids are new with their data sets; and a killed one is continued under its id, whatever
//! machine its directory is on by then.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use refiner_atomic_file::{Durability, Terms, write};
use refiner_queue::QueueId;

use crate::ReplayHostsError;

/// The file of a data set.
pub(crate) struct QueueFile(PathBuf);

impl QueueFile {
    /// The file of this path.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// True where an earlier run left it.
    pub fn is_there(&self) -> bool {
        self.0.is_file()
    }

    /// The id of an earlier run, or a new one.
    pub fn id(&self) -> Result<QueueId, ReplayHostsError> {
        let refuse = |source| ReplayHostsError::QueueFile { path: self.0.clone(), source };
        match fs::read_to_string(&self.0) {
            Ok(text) => text.trim().parse().map_err(|_| ReplayHostsError::NoQueueId { path: self.0.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = QueueId::fresh();
                let terms = Terms { durability: Durability::Bytes, ..Terms::ORDINARY };
                write(&self.0, format!("{id}\n").as_bytes(), &terms).map_err(refuse)?;
                Ok(id)
            }
            Err(error) => Err(refuse(error)),
        }
    }

    /// Removes it: nothing of the queue is left in NATS.
    pub fn remove(&self) -> Result<(), ReplayHostsError> {
        match fs::remove_file(&self.0) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ReplayHostsError::QueueFile { path: self.0.clone(), source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_stays_until_the_file_is_removed_and_other_data_sets_have_others() {
        let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = one.path().join("_queue");
        let file = QueueFile::at(&path);
        assert!(!file.is_there());
        let id = file.id().unwrap();
        assert!(file.is_there());
        assert_eq!(QueueFile::at(&path).id().unwrap(), id);
        assert_ne!(QueueFile::at(&other.path().join("_queue")).id().unwrap(), id);
        file.remove().unwrap();
        file.remove().unwrap();
        assert_ne!(file.id().unwrap(), id);
    }

    #[test]
    fn file_with_something_else_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("_queue");
        fs::write(&path, "mine").unwrap();
        let refused = QueueFile::at(&path).id().unwrap_err().to_string();
        assert!(refused.ends_with("_queue: expected the 12 hexadecimal digits of a queue"), "{refused}");
    }
}
