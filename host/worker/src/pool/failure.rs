//! Errors of the worker pool: the host failed, not the rule.

use std::io;

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::{HostFailure, RefusalKind, UntrustedText};

use crate::{confinement::Unconfined, process::ProcessEnd, protocol::ProtocolError};

/// Workers that a run is tried on before it is quarantined: one death may be bad luck, two are the specimen's or the rule's.
pub const TRIES_MAX: u32 = 2;
/// A job that was given up.
#[derive(Debug, thiserror::Error)]
#[error("given up after {tries} of {} tries: {reason}", TRIES_MAX)]
pub struct Quarantined {
    /// The failure of the last try.
    #[source]
    pub reason: WorkerFailure,
    /// Number of tries that were made.
    pub tries: u32,
}

impl Diagnostic for Quarantined {
    fn exit_code(&self) -> ExitCode {
        match self.reason {
            WorkerFailure::NoSpecimen { .. } => ExitCode::Input,
            WorkerFailure::Refused { .. } => ExitCode::Refused,
            WorkerFailure::Spawn(_)
            | WorkerFailure::Hung { .. }
            | WorkerFailure::Died { .. }
            | WorkerFailure::Protocol(_)
            | WorkerFailure::OtherRule
            | WorkerFailure::Unconfined(_)
            | WorkerFailure::Host(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self.reason {
            WorkerFailure::Refused { kind, .. } => Some(kind.remedy().into()),
            WorkerFailure::Unconfined(_) => Some(Unconfined::HINT.into()),
            WorkerFailure::NoSpecimen { .. }
            | WorkerFailure::Spawn(_)
            | WorkerFailure::Hung { .. }
            | WorkerFailure::Died { .. }
            | WorkerFailure::Protocol(_)
            | WorkerFailure::OtherRule
            | WorkerFailure::Host(_) => None,
        }
    }
}

/// Errors of one worker.
#[derive(Debug, thiserror::Error)]
pub enum WorkerFailure {
    /// It could not be started.
    #[error("the worker could not be started")]
    Spawn(#[source] io::Error),
    /// It did not answer in time and was killed.
    #[error("the worker gave no answer within {wall_ms} ms of processor time, or waited for so long")]
    Hung {
        /// Wall time it had.
        wall_ms: u64,
    },
    /// It ended in the middle.
    #[error("the worker died ({end}) with standard error '{output}'")]
    Died {
        /// The signal, if one ended it.
        signal: Option<i32>,
        /// Its exit code or signal.
        end: ProcessEnd,
        /// Its output on standard error.
        output: UntrustedText,
    },
    /// It broke the protocol and was killed.
    #[error("the worker broke the protocol: {0}")]
    Protocol(#[source] ProtocolError),
    /// It serves another rule than it was given.
    #[error("the worker loaded another rule than it was given")]
    OtherRule,
    /// It is less confined than the rule requires, and got no byte of it.
    #[error(transparent)]
    Unconfined(Unconfined),
    /// Something around the rule failed.
    #[error(transparent)]
    Host(HostFailure),
    /// The rule was compiled and is not admitted.
    #[error("the rule is not admitted: {reason}")]
    Refused {
        /// Its kind.
        kind: RefusalKind,
        /// The reason, with what was found and what is allowed.
        reason: UntrustedText,
    },
    /// The bytes are no specimen.
    #[error("no specimen: {reason}")]
    NoSpecimen {
        /// The reason, with what was found and what is allowed.
        reason: UntrustedText,
    },
}

/// The part that is to blame for a run without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureBlame {
    /// The workers' surroundings, not the specimen.
    Surroundings,
    /// Workers were lost; on a loaded machine that may be bad luck.
    Doubtful,
    /// The specimen or the rule: the same would happen again.
    Final,
}

impl WorkerFailure {
    /// The part that is to blame.
    pub const fn blame(&self) -> FailureBlame {
        match self {
            Self::Spawn(_)
            | Self::Unconfined(_)
            | Self::Host(
                HostFailure::CapabilityUnavailable { .. }
                | HostFailure::ExecutorUnavailable { .. }
                | HostFailure::NoRoom
                | HostFailure::SystemMemory(_),
            ) => FailureBlame::Surroundings,
            Self::Hung { .. }
            | Self::Died { .. }
            | Self::Protocol(_)
            | Self::OtherRule
            | Self::Host(HostFailure::Deadline { .. } | HostFailure::UnknownTrap { .. }) => FailureBlame::Doubtful,
            Self::Refused { .. } | Self::NoSpecimen { .. } => FailureBlame::Final,
        }
    }

    /// False when the same would happen again, or later is better than at once.
    pub const fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Spawn(_) | Self::Hung { .. } | Self::Died { .. } | Self::Protocol(_) | Self::OtherRule => true,
            Self::Host(failure) => match failure {
                HostFailure::Deadline { .. }
                | HostFailure::NoRoom
                | HostFailure::SystemMemory(_)
                | HostFailure::UnknownTrap { .. } => true,
                HostFailure::CapabilityUnavailable { .. } | HostFailure::ExecutorUnavailable { .. } => false,
            },
            Self::Refused { .. } | Self::Unconfined(_) | Self::NoSpecimen { .. } => false,
        }
    }
}
