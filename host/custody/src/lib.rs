//! The operator's key within the process: out of its environment, out of core dumps, and out of reach of other processes of its user.
//!
//! * **Inputs**: the environment with which the process was started.
//! * **Outputs**: the key that was there, and an environment without it.
//! * **Invariants**: the key is in no environment, file or argument of the process that goes on with it.
//!
//! What a process was started with stays readable in `/proc/PID/environ` for as long as the process lives. A key from there is therefore
//! taken over: the program starts itself again in its place, without the variable, and hands itself the key through a pipe.
//!
//! ```
//! // No key in the environment, so the process goes on as it is.
//! assert!(refiner_custody::take_key()?.is_none());
//! # Ok::<_, refiner_custody::CustodyError>(())
//! ```

use std::{
    fs::File,
    io::{self, Write as _},
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    path::PathBuf,
    process::Command,
};

use refiner_config::{Environment, KEY_PIPE_VARIABLE, KEY_VARIABLE, table};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_proofchain::Secret;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Most bytes of the variable; a key has 66. A pipe takes them without a reader.
const KEY_BYTES_MAX: usize = 1 << 10;
/// This program, where its path cannot be found out.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Reasons for which a key cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// The variable holds more than a key.
    #[error("{KEY_VARIABLE} holds {bytes} bytes, expected 64 hexadecimal digits")]
    TooLong {
        /// How many it holds.
        bytes: usize,
    },
    /// The kernel refuses to keep the memory of the process private.
    #[error("cannot keep the key out of core dumps and from other processes")]
    Memory(#[source] io::Error),
    /// The program cannot be started again without the key in its environment.
    #[error("cannot take the key out of the environment")]
    TakeOver(#[source] io::Error),
}

impl Diagnostic for CustodyError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::TooLong { .. } => ExitCode::Usage,
            Self::Memory(_) | Self::TakeOver(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::TakeOver(_) => Some("put the key into a file of mode 600, and name it by --key-file".into()),
            Self::TooLong { .. } | Self::Memory(_) => None,
        }
    }
}

/// Leaves the key of the environment in a pipe, and no environment with it. Does not return to the process that had it there: that
/// one becomes another. There must be one thread.
///
/// # Errors
///
/// [`CustodyError`]
pub fn take_key_out_of_environment() -> Result<(), CustodyError> {
    match Environment::of_process().key() {
        Some((_, key)) => keep_memory_private().and_then(|()| Err(hand_over(&key))),
        None => Ok(()),
    }
}

/// The key from the environment, which no longer holds it. There must be one thread.
///
/// # Errors
///
/// [`CustodyError`]
pub fn take_key() -> Result<Option<Secret>, CustodyError> {
    take_key_out_of_environment()?;
    if !Environment::of_process().has_key_pipe() {
        return Ok(None);
    }
    keep_memory_private()?;
    let key = read_pipe().map_err(CustodyError::TakeOver)?;
    tracing::warn!(
        variable = KEY_VARIABLE,
        setting = table::KEY_FILE.row.name,
        "the operator's key came through the environment, which is shown to everyone who may look at the service, its container or its unit; put it into a file of mode 600 and name that by --key-file (REFINER_KEY_FILE)"
    );
    Ok(Some(key).filter(|key| !key.expose().is_empty()))
}

/// Reads the key from standard input, past the buffer of the standard library, which would keep it.
fn read_pipe() -> io::Result<Secret> {
    let mut key = Secret::new(String::new());
    key.read_from(&mut File::from(io::stdin().as_fd().try_clone_to_owned()?), KEY_BYTES_MAX)?;
    Ok(key)
}

/// Keeps other processes of the same user from reading this one's memory, and the system from writing it to a file when it crashes.
///
/// # Errors
///
/// [`CustodyError::Memory`]
pub fn keep_memory_private() -> Result<(), CustodyError> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .map_err(|error| CustodyError::Memory(error.into()))
}

/// Becomes this program again, with the key on its standard input. Returns when that is impossible.
fn hand_over(key: &Secret) -> CustodyError {
    let bytes = key.expose().len();
    if bytes > KEY_BYTES_MAX {
        return CustodyError::TooLong { bytes };
    }
    let piped = io::pipe().and_then(|(reader, mut writer)| writer.write_all(key.expose().as_bytes()).map(|()| reader));
    let reader = match piped {
        Ok(reader) => reader,
        Err(error) => return CustodyError::TakeOver(error),
    };
    let mut arguments = std::env::args_os();
    // By its own path, which gives the process its name.
    let path = std::env::current_exe().ok().filter(|path| path.is_file());
    let mut program = Command::new(path.unwrap_or_else(|| PathBuf::from(OWN_PROGRAM)));
    if let Some(name) = arguments.next() {
        program.arg0(name);
    }
    program.args(arguments).env_remove(KEY_VARIABLE).env(KEY_PIPE_VARIABLE, "1").stdin(reader);
    CustodyError::TakeOver(program.exec())
}
