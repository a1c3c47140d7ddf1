//! Standard input, which can be read only once.

use std::{
    io::{self, Read as _},
    sync::{Arc, OnceLock},
};

use super::SPECIMEN_LIMIT_BYTES;

/// The bytes of standard input; read when they are first asked for, and kept.
#[derive(Clone, Debug, Default)]
pub struct Stdin(Arc<OnceLock<Result<Vec<u8>, io::ErrorKind>>>);

impl Stdin {
    /// Its bytes, up to one more than a specimen may have.
    pub(super) fn bytes(&self) -> io::Result<&[u8]> {
        let read = || {
            let mut bytes = Vec::new();
            match io::stdin().lock().take(SPECIMEN_LIMIT_BYTES + 1).read_to_end(&mut bytes) {
                Ok(_) => Ok(bytes),
                Err(error) => Err(error.kind()),
            }
        };
        self.0.get_or_init(read).as_ref().map(Vec::as_slice).map_err(|kind| (*kind).into())
    }
}

/// There is one standard input.
impl PartialEq for Stdin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Stdin {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Input, InputError, archive};

    #[test]
    fn archive_that_is_too_large_is_an_error_of_its_length_and_not_cut_short() {
        let mut bytes = vec![0; usize::try_from(SPECIMEN_LIMIT_BYTES).unwrap() + 1];
        bytes[257..262].copy_from_slice(b"ustar");
        let stdin = Stdin(Arc::new(OnceLock::from(Ok(bytes))));
        assert!(archive::in_stdin(&stdin).unwrap().is_none());
        assert!(matches!(Input::Stdin(stdin).read(), Err(InputError::TooLarge { .. })));
    }
}
