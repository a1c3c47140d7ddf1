//! What can be read only once: standard input, pipes, devices.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::limits::SPECIMEN_LIMIT_BYTES;

const STDIN: &str = "standard input";

/// The bytes of standard input or of a pipe; read when they are first asked for, and kept.
#[derive(Clone, Debug)]
pub struct Stream {
    /// The pipe; standard input has none.
    path: Option<PathBuf>,
    bytes: Arc<OnceLock<io::Result<Vec<u8>>>>,
}

impl Stream {
    /// Standard input.
    pub fn standard_input() -> Self {
        Self { path: None, bytes: Arc::default() }
    }

    /// A file that is no regular one.
    pub(super) fn of(path: PathBuf) -> Self {
        Self { path: Some(path), bytes: Arc::default() }
    }

    /// The name as it is.
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| STDIN.to_owned(), |path| path.display().to_string())
    }

    /// The pipe, where it is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Its bytes, up to one more than a specimen may have.
    pub(super) fn bytes(&self) -> io::Result<&[u8]> {
        let read = || match &self.path {
            None => bounded(io::stdin().lock()),
            Some(path) => bounded(File::open(path)?),
        };
        self.bytes.get_or_init(read).as_ref().map(Vec::as_slice).map_err(again)
    }
}

fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(SPECIMEN_LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same error: it is kept, and has no copy.
fn again(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

/// There is one standard input, and one pipe of a name.
impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Stream {}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::fd::AsRawFd as _};

    use refiner_buffers::Buffers;

    use super::*;
    use crate::input::{Input, InputError, archive, expand};

    #[test]
    fn archive_that_is_too_large_is_an_error_of_its_length_and_not_cut_short() {
        let mut bytes = vec![0; usize::try_from(SPECIMEN_LIMIT_BYTES).unwrap() + 1];
        bytes[257..262].copy_from_slice(b"ustar");
        let stream = Stream { path: None, bytes: Arc::new(OnceLock::from(Ok(bytes))) };
        assert!(archive::in_stream(&stream).unwrap().is_none());
        assert!(matches!(Input::Stream(stream).read(), Err(InputError::TooLarge { .. })));
    }

    #[test]
    fn pipe_gives_its_first_bytes_and_then_all_of_them_as_often_as_they_are_asked_for() {
        let (pipe, mut writer) = io::pipe().unwrap();
        writer.write_all(&[7; 20_000]).unwrap();
        drop(writer);
        let name = format!("/proc/self/fd/{}", pipe.as_raw_fd());
        let inputs = expand(&[&name]).unwrap();
        assert_eq!((inputs.len(), inputs[0].name()), (1, name));
        assert_eq!(inputs[0].head(8_192).unwrap(), [7; 8_192]);
        for _ in 0..2 {
            assert_eq!(inputs[0].read().unwrap(), [7; 20_000]);
            assert_eq!(inputs[0].clone().read_into(&Buffers::default()).unwrap(), &[7; 20_000][..]);
        }
    }
}
