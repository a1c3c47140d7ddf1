//! `refiner content`: what the daemon does with content, by hand. Everything is named by its content id, and nothing is believed
//! before it was hashed.
//!
//! * **Inputs**: the arguments of a command; files, and content of the local store, a pinner and gateways.
//! * **Outputs**: content ids and checked bytes, on standard output or in a file; requests answered by [`run`] of `serve`; the exit code.
//! * **Invariants**: no fetched byte is written before its hash was compared; a file is there whole or not at all.
//!
//! ```
//! use clap::Parser;
//! use refiner_content_commands::Command;
//!
//! #[derive(Parser)]
//! struct Program {
//!     #[command(subcommand)]
//!     command: Command,
//! }
//!
//! let program = Program::try_parse_from(["refiner", "cid", "--das", "block.json"])?;
//! assert!(matches!(program.command, Command::Cid { das: true, .. }));
//! # Ok::<_, clap::Error>(())
//! ```

mod arguments;
mod error;
mod get;
mod put;
mod serve;

pub use self::arguments::Command;
use self::error::ContentError;

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use refiner_content::{CONTENT_BYTES_MAX, Content, LocalStore, content_id, das_id};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;

use refiner_config::egress;
use refiner_signals as signals;
use refiner_terminal as terminal;

/// Runs the whole command.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Cid { files, das } => name(files, *das),
        Command::Get(arguments) => get::run(arguments),
        Command::Put(arguments) => put::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
    }
}

fn name(files: &[String], das: bool) -> Result<ExitCode, Failure> {
    for file in files {
        let bytes = read(file)?;
        let id = if das { das_id(&bytes).map_err(ContentError::from)? } else { content_id(&bytes) };
        writeln!(terminal::out(false), "{id}  {}", OneLine(file))?;
    }
    Ok(ExitCode::Done)
}

/// A file's bytes, or standard input's for `-`.
fn read(file: &str) -> Result<Vec<u8>, ContentError> {
    let failed = |source| ContentError::Read { file: file.to_owned(), source };
    let mut bytes = Vec::new();
    let limit = CONTENT_BYTES_MAX as u64 + 1;
    if file == "-" {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
    }
    if bytes.len() > CONTENT_BYTES_MAX {
        return Err(ContentError::TooLarge { file: file.to_owned() });
    }
    Ok(bytes)
}

/// The local store below the daemon's directory.
fn store(data: &Path) -> Result<LocalStore, ContentError> {
    Ok(LocalStore::open(data.join("content"), CONTENT_BYTES_MAX)?)
}

/// A file as content.
fn content(file: &str) -> Result<Content, ContentError> {
    Ok(Content::of(read(file)?.into()))
}

/// Waits for what talks to the network.
fn runtime() -> Result<tokio::runtime::Runtime, ContentError> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(ContentError::Runtime)
}
