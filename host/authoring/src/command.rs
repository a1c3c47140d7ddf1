//! Running other programs: without a shell, and with the command to repeat when one fails.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::{Command, ExitStatus},
};

/// Reasons for which a program gave no output.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such program, or it may not be run.
    #[error("{command} does not start")]
    NotStarted {
        /// As one would type it.
        command: String,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// It ran and failed.
    #[error("{status} from {command}")]
    Failed {
        /// As one would type it.
        command: String,
        /// Exit status of the program.
        status: ExitStatus,
    },
}

/// Variables by which `cargo run` tells a program about itself. Passed on to another cargo they would make it believe
/// that its build scripts' surroundings changed.
const OF_CARGO_RUN: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// The cargo of this toolchain.
pub fn cargo() -> Command {
    program(refiner_environment::variable("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program that knows nothing of a `cargo run` around us.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    for (variable, _) in refiner_environment::variables() {
        if OF_CARGO_RUN.iter().any(|prefix| variable.to_string_lossy().starts_with(prefix)) {
            command.env_remove(variable);
        }
    }
    command
}

/// Runs a command and lets it print. Any status but success is an error.
pub fn run(command: &mut Command) -> Result<(), CommandError> {
    let status = status(command)?;
    succeeded(command, status)
}

/// Turns any status but success into an error.
pub fn succeeded(command: &Command, status: ExitStatus) -> Result<(), CommandError> {
    if status.success() { Ok(()) } else { Err(CommandError::Failed { command: typed(command), status }) }
}

/// Runs a command and lets it print.
pub fn status(command: &mut Command) -> Result<ExitStatus, CommandError> {
    command.status().map_err(|source| CommandError::NotStarted { command: typed(command), source })
}

/// Runs a command and takes what it prints on standard output. None when it does not start or does not succeed.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}

/// The command as one would type it, with the variables that were set for it.
pub fn typed(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        // A bell between flags is no key on a keyboard; cargo takes the same flags from RUSTFLAGS.
        let value = value?.to_string_lossy().replace('\u{1f}', " ");
        let name = if name == "CARGO_ENCODED_RUSTFLAGS" { OsStr::new("RUSTFLAGS") } else { name };
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value)))
    });
    let program = Path::new(command.get_program());
    let known = program
        .file_stem()
        .filter(|stem| *stem == "cargo")
        .filter(|_| command.get_envs().all(|(_, value)| value.is_none()));
    let program = known.unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let words = command.get_args().map(|word| quoted(&word.to_string_lossy()));
    variables.chain([program]).chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_=/.,:@+*".contains(character);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/opt/cargo");
        command.args(["build", "-Z", "build-std=std,panic_abort", "two words", ""]);
        assert_eq!(typed(&command), "cargo build -Z build-std=std,panic_abort 'two words' ''");
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", "-C\u{1f}linker=x")
            .env_remove("CARGO_PKG_NAME");
        assert_eq!(
            typed(&command),
            "RUSTFLAGS='-C linker=x' RUSTC_BOOTSTRAP=1 /opt/cargo build -Z build-std=std,panic_abort 'two words' ''"
        );
    }

    #[test]
    fn program_that_says_no_is_named_with_its_status() {
        let error = run(program("false").arg("--loudly")).expect_err("false says no");
        assert_eq!(error.to_string(), "exit status: 1 from false --loudly");
    }

    #[test]
    fn program_that_is_not_there_is_named() {
        let error = run(&mut program("no-such-program-anywhere")).expect_err("it is not there");
        assert_eq!(error.to_string(), "no-such-program-anywhere does not start");
    }
}
