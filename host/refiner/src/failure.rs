//! How a failure of the whole command is told to a person: what happened, why, what to do; and its exit code.

use std::io::Write as _;

use refiner_config::ConfigError;
use refiner_evm_server::remote::SetupError;
use refiner_journal::JournalError;
use refiner_text::OneLine;

use crate::run::{RulesError, RunError};
use crate::{
    chains::ChainError,
    content::ContentError,
    evm::ServeError,
    exit::Exit,
    input::InputError,
    known_blocks::BlockHashesError,
    output::OutputError,
    rule::RuleError,
    rules::LoadError,
    terminal::{self, indented},
};

/// Prints the failure to standard error and says how the program ends.
pub fn report(error: &anyhow::Error) -> Exit {
    let mut stderr = terminal::err();
    // Nobody is left to tell when standard error is closed too.
    let _ = writeln!(stderr, "error: {}", indented(&error.to_string()));
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Many errors end with their cause's own words.
        if !said.ends_with(&cause) {
            let _ = writeln!(stderr, "  because: {}", indented(&cause));
        }
        said = cause;
    }
    let (exit, hint) = classify(error);
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "  hint: {}", indented(&hint));
    }
    exit
}

/// Tells that one item of several failed, while the others go on.
pub fn tell(item: &impl std::fmt::Display, error: &dyn std::error::Error) {
    let mut stderr = terminal::err();
    let message = error.to_string();
    let item = item.to_string();
    // Errors that already begin with the item's name do not say it twice.
    let _ = if message.starts_with(&item) {
        writeln!(stderr, "error: {}", OneLine(message))
    } else {
        writeln!(stderr, "error: {}: {}", OneLine(item), OneLine(message))
    };
}

fn classify(error: &anyhow::Error) -> (Exit, Option<String>) {
    if let Some(error) = error.downcast_ref::<InputError>() {
        return (Exit::Input, input_hint(error));
    }
    if let Some(error) = error.downcast_ref::<LoadError>() {
        return (error.exit(), error.hint());
    }
    if let Some(error) = error.downcast_ref::<RuleError>() {
        return (error.exit(), error.hint());
    }
    if error.is::<OutputError>() {
        return (Exit::Host, None);
    }
    if error.is::<ChainError>() || error.is::<SetupError>() || error.is::<BlockHashesError>() {
        return (Exit::Usage, None);
    }
    if let Some(error) = error.downcast_ref::<RunError>() {
        return (error.exit(), error.hint());
    }
    if let Some(error) = error.downcast_ref::<ContentError>() {
        return (error.exit(), error.hint());
    }
    if let Some(error) = error.downcast_ref::<JournalError>() {
        return (Exit::Host, error.hint());
    }
    match error.downcast_ref::<ServeError>() {
        Some(ServeError::Listen { .. }) => return (Exit::Host, None),
        Some(ServeError::Limits { .. }) => return (Exit::Usage, None),
        None => {}
    }
    if error.is::<ConfigError>() {
        return (Exit::Usage, None);
    }
    if let Some(error) = error.downcast_ref::<RulesError>() {
        return (Exit::Refused, error.hint());
    }
    (Exit::Internal, None)
}

fn input_hint(error: &InputError) -> Option<String> {
    match error {
        InputError::EmptyDirectory(path) => {
            Some(format!("specimens are found by their ending; name the files: `{}/*`", path.display()))
        }
        InputError::NoMatch(_) => Some("quote the pattern so that the shell does not change it".to_owned()),
        InputError::Missing(_)
        | InputError::Several { .. }
        | InputError::Pattern { .. }
        | InputError::TooLarge { .. }
        | InputError::Read { .. } => None,
    }
}
