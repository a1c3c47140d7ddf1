//! `refiner key`: keystores for the operator. No key is ever printed, and none is taken from the command line.
//!
//! * **Inputs**: the arguments of a command; keys and passwords from files of mode 600 or typed at the terminal.
//! * **Outputs**: a keystore, and the address of its key on standard output; the exit code.
//! * **Invariants**: no file is overwritten; the process keeps its memory private before it has a key.
//!
//! ```
//! use clap::Parser;
//! use refiner_key_commands::Command;
//!
//! #[derive(Parser)]
//! struct Program {
//!     #[command(subcommand)]
//!     command: Command,
//! }
//!
//! let program = Program::try_parse_from(["refiner", "new", "operator.json"])?;
//! assert!(matches!(program.command, Command::New(_)));
//! # Ok::<_, clap::Error>(())
//! ```

mod arguments;
mod error;
mod prompt;

pub use self::arguments::Command;
use self::error::KeyCommandError;

use std::path::{Path, PathBuf};

use refiner_config::{ConfigError, Problem, Setting, Values, table};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_proofchain::{LocalKey, Secret, SecretFile};

use refiner_custody as custody;
use refiner_terminal as terminal;

/// Runs the whole command.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    custody::keep_memory_private()?;
    let address = match command {
        Command::New(arguments) => {
            let values = arguments.settings.values()?;
            keep(&arguments.keystore, &values, || Ok(LocalKey::generate()?))
        }
        Command::Import(arguments) => {
            let values = arguments.settings.values()?;
            keep(&arguments.keystore, &values, || given(&values))
        }
        Command::Address(arguments) => existing(&arguments.settings.values()?),
    };
    writeln!(terminal::out(false), "{}", address?.address())?;
    Ok(ExitCode::Done)
}

/// Writes a key into a keystore. Nothing is asked for in vain: the file's name is looked at first.
fn keep(
    path: &Path,
    values: &Values,
    key: impl FnOnce() -> Result<LocalKey, KeyCommandError>,
) -> Result<LocalKey, KeyCommandError> {
    if is_key(path) {
        return Err(KeyCommandError::KeyOnCommandLine);
    }
    LocalKey::check_free(path)?;
    let key = key()?;
    let password = match file(values, &table::PASSWORD_FILE) {
        Some(file) => file.read()?,
        None => {
            let password = password("Password")?;
            if password.expose() != self::password("Password again")?.expose() {
                return Err(KeyCommandError::PasswordsDiffer);
            }
            password
        }
    };
    if password.expose().is_empty() {
        return Err(KeyCommandError::EmptyPassword);
    }
    key.write_keystore(path, &password)?;
    Ok(key)
}

/// The key to import.
fn given(values: &Values) -> Result<LocalKey, KeyCommandError> {
    match file(values, &table::KEY_FILE) {
        Some(file) => Ok(LocalKey::from_file(&file)?),
        None => Ok(LocalKey::parse(&ask("the key", "Key (64 hexadecimal digits)", "--key-file")?)?),
    }
}

/// The key of exactly one place.
fn existing(values: &Values) -> Result<LocalKey, KeyCommandError> {
    let (key_file, keystore) = (file(values, &table::KEY_FILE), file(values, &table::KEYSTORE));
    let wrong = |problem| ConfigError { problems: vec![problem] };
    match (key_file, keystore, values.key()) {
        (Some(file), None, _) => Ok(LocalKey::from_file(&file)?),
        (None, Some(keystore), _) => {
            let password = match file(values, &table::PASSWORD_FILE) {
                Some(file) => file.read()?,
                None => password("Password")?,
            };
            Ok(LocalKey::from_keystore(&keystore, &password)?)
        }
        (None, None, Some((_, secret))) => Ok(LocalKey::parse(&secret)?),
        (Some(_), Some(_), _) => Err(wrong(Problem::Conflict { one: "keystore", other: "key-file" }).into()),
        (None, None, None) => {
            let reason = "the key's file, by --key-file, or by --keystore where it is encrypted";
            Err(wrong(Problem::Missing { key: "key-file", reason }).into())
        }
    }
}

fn password(question: &str) -> Result<Secret, KeyCommandError> {
    ask("the password", question, "--password-file")
}

fn ask(what: &'static str, question: &str, flag: &'static str) -> Result<Secret, KeyCommandError> {
    prompt::ask(question).map_err(|source| KeyCommandError::NoTerminal { what, flag, source })
}

/// The file of a setting, with the access that is permitted to others.
fn file(values: &Values, setting: &'static Setting<Option<PathBuf>>) -> Option<SecretFile> {
    let permitted = values.get(&table::INSECURE_KEY_PERMISSIONS);
    values.get(setting).map(|path| SecretFile::new(path).permitting_others(permitted))
}

/// True for the digits of a key, typed in place of a file's name.
fn is_key(path: &Path) -> bool {
    path.to_str().is_some_and(LocalKey::has_form)
}
