//! The command line of `refiner key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use refiner_config::{Flags, scope};
use refiner_diagnostics::ExitCode;

/// `refiner key`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a new key in an encrypted keystore, and prints its address. The password comes from `--password-file` or the terminal.
    New(New),
    /// Encrypts a key into a new keystore, and prints its address. Key and password come from files or the terminal.
    Import(Import),
    /// Prints the address of a key.
    Address(Address),
}

/// `refiner key new`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct New {
    /// The file to write, of mode 600; no file is overwritten.
    #[arg(value_name = "KEYSTORE")]
    pub keystore: PathBuf,
    #[command(flatten)]
    pub settings: Flags<scope::KeyNew>,
}

/// `refiner key import`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Import {
    /// The file to write, of mode 600; no file is overwritten.
    #[arg(value_name = "KEYSTORE")]
    pub keystore: PathBuf,
    #[command(flatten)]
    pub settings: Flags<scope::KeyImport>,
}

/// `refiner key address`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Address {
    #[command(flatten)]
    pub settings: Flags<scope::KeyAddress>,
}
