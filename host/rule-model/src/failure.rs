//! Failures of the host: errors, where a [`crate::Verdict`] is data.

use std::io;

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use crate::UntrustedText;

/// Something around the run failed: no property of the rule, worth another try.
#[derive(Debug, thiserror::Error)]
pub enum HostFailure {
    /// The processor time ran out. The clock never decides a verdict; fuel does.
    #[error("no answer within {wall_ms} ms of processor time")]
    Deadline {
        /// Processor time granted.
        wall_ms: u64,
    },
    /// The rule needs something that is not there for now.
    #[error("capability unavailable: {reason}")]
    CapabilityUnavailable {
        /// The rule's own reason.
        reason: UntrustedText,
    },
    /// The executor was unavailable, or its answer was not verified, when the rule asked; whatever the rule made of it.
    #[error("the block was not executed: {reason}")]
    ExecutorUnavailable {
        /// The executor's own reason.
        reason: UntrustedText,
    },
    /// More rules run at this moment than the engine has room for.
    #[error("no room for another instance")]
    NoRoom,
    /// The operating system refused memory within the rule's limits.
    #[error("memory within the rule's limits was refused by the system")]
    SystemMemory(#[source] io::Error),
    /// An end that is neither the guest's known doing nor a known failure.
    #[error("unknown trap: {message}")]
    UnknownTrap {
        /// The engine's own message.
        message: UntrustedText,
    },
}

impl Diagnostic for HostFailure {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}
