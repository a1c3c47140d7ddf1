//! Why a command on rules ends early, and how it is told.

use refiner_authoring::{BuildError, template::NewError};
use refiner_sandbox::{AboveCap, EngineError, LimitError, Refusal, RefusalKind, UntrustedText};
use refiner_worker::{CompileError, PoolError, Quarantined, WorkerFailure};

use crate::exit::Exit;

/// Why a command on rules ends early.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// There is no new rule.
    #[error(transparent)]
    New(#[from] NewError),
    /// The rule is not built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The engine cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The workers cannot be started.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The sandbox does not let it in.
    #[error("{rule}: {source}")]
    Refused {
        /// Which.
        rule: String,
        /// Why not.
        source: Refusal,
    },
    /// It says something else than its manifest, or does not fit the contract.
    #[error("{rule}: {reason}")]
    RefusedByWorker {
        /// Which.
        rule: String,
        /// The kind of refusal.
        kind: RefusalKind,
        /// Why.
        reason: UntrustedText,
    },
    /// It has no code.
    #[error("{rule}: {source}")]
    Compile {
        /// Which.
        rule: String,
        /// Why not.
        source: CompileError,
    },
    /// Its run has no verdict.
    #[error("{rule}: {source}")]
    Run {
        /// Which.
        rule: String,
        /// Why not.
        source: Quarantined,
    },
    /// A limit that cannot be granted.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A limit that the rule asks for and nobody can be granted.
    #[error(transparent)]
    AboveCap(#[from] AboveCap),
    /// Several rules where one is wanted.
    #[error("{argument}: names {found} rules where one is wanted")]
    Several {
        /// What was typed.
        argument: String,
        /// How many rules it names.
        found: usize,
    },
    /// Built-in rules come with this program and are what they are.
    #[error("{0} is built in, and needs no lock")]
    BuiltIn(String),
}

impl RuleError {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::New(_) | Self::Limit(_) | Self::AboveCap(_) | Self::Several { .. } | Self::BuiltIn(_) => Exit::Usage,
            Self::Build(BuildError::Cargo(_) | BuildError::Toolchain(_)) => Exit::Host,
            Self::Build(_) => Exit::Usage,
            Self::Engine(_) | Self::Pool(_) => Exit::Host,
            Self::Refused { .. } | Self::RefusedByWorker { .. } => Exit::Refused,
            Self::Compile { source, .. } => match source {
                CompileError::Spawn(_) | CompileError::Protocol(_) => Exit::Host,
                _ => Exit::Refused,
            },
            Self::Run { source, .. } => match source.reason {
                WorkerFailure::NoSpecimen { .. } => Exit::Input,
                _ => Exit::Host,
            },
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { source, .. } => Some(source.kind().remedy().to_owned()),
            Self::RefusedByWorker { kind, .. } => Some(kind.remedy().to_owned()),
            Self::Compile { source, .. } => source.remedy().map(str::to_owned),
            Self::New(_) => Some("name another directory with --dir".to_owned()),
            Self::Several { .. } => Some("name the file".to_owned()),
            _ => None,
        }
    }

    /// A run without a verdict. That a rule is not let in can come out only when a worker asks it to describe itself.
    pub fn of_run(rule: &str, quarantined: Quarantined) -> Self {
        match quarantined.reason {
            WorkerFailure::Refused { kind, reason } => Self::RefusedByWorker { rule: rule.to_owned(), kind, reason },
            _ => Self::Run { rule: rule.to_owned(), source: quarantined },
        }
    }
}
