//! Failures of starting the engine.

use std::io;

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::UntrustedText;

/// The engine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine refuses the profile on this machine.
    #[error("the engine refuses the profile: {message}")]
    Profile {
        /// The engine's own message.
        message: UntrustedText,
    },
    /// The contract's functions could not be linked: a bug of this program.
    #[error("the contract could not be linked: {message}")]
    Linker {
        /// The engine's own message.
        message: UntrustedText,
    },
    /// The thread that counts deadlines could not be started.
    #[error("the deadline thread could not be started")]
    Ticker(#[source] io::Error),
}

impl Diagnostic for EngineError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}
