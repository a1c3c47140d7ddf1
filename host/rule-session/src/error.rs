//! Reasons for which a rule is not ready, or its run has no verdict.

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::{AdmissionError, RefusalKind, UntrustedText};
use refiner_rule_package::RuleError;
use refiner_worker::{CompileError, PoolError, Quarantined, WorkerFailure};

/// Reasons for which a rule is not ready, or its run has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The workers cannot be started.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The sandbox does not admit it.
    #[error("{rule}: {source}")]
    Refused {
        /// The rule's name in messages.
        rule: String,
        /// The fault that was found.
        source: AdmissionError,
    },
    /// Its description differs from its manifest, or it does not fit the contract.
    #[error("{rule}: {reason}")]
    RefusedByWorker {
        /// The rule's name in messages.
        rule: String,
        /// The kind of refusal.
        kind: RefusalKind,
        /// The fault that was found.
        reason: UntrustedText,
    },
    /// It is not found, not permitted or not compiled.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Its run has no verdict.
    #[error("{rule}: {source}")]
    Run {
        /// The rule's name in messages.
        rule: String,
        /// The failure of the workers.
        source: Quarantined,
    },
}

impl Diagnostic for PrepareError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Pool(error) => error.exit_code(),
            Self::Refused { source, .. } => source.exit_code(),
            Self::RefusedByWorker { .. } => ExitCode::Refused,
            Self::Rule(error) => error.exit_code(),
            Self::Run { source, .. } => source.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Pool(error) => error.hint(),
            Self::Refused { source, .. } => source.hint(),
            Self::RefusedByWorker { kind, .. } => Some(kind.remedy().into()),
            Self::Rule(error) => error.hint(),
            Self::Run { source, .. } => source.hint(),
        }
    }
}

impl PrepareError {
    /// A rule without code. That it is refused can come out only in the compiler, and is reported as when a worker refuses it.
    pub(crate) fn of_compiler(error: RuleError) -> Self {
        match error {
            RuleError::Compile { rule, source } => match *source {
                CompileError::Refused { kind, reason } => Self::RefusedByWorker { rule, kind, reason },
                source => RuleError::Compile { rule, source: Box::new(source) }.into(),
            },
            error => error.into(),
        }
    }

    /// A run without a verdict. That a rule is not admitted can come out only when a worker asks it to describe itself.
    pub fn of_run(rule: &str, quarantined: Quarantined) -> Self {
        match quarantined.reason {
            WorkerFailure::Refused { kind, reason } => Self::RefusedByWorker { rule: rule.to_owned(), kind, reason },
            _ => Self::Run { rule: rule.to_owned(), source: quarantined },
        }
    }
}
