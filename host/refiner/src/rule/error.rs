//! Why a command on rules ends early, and how it is told.

use refiner_authoring::{BuildError, template::NewError};
use refiner_sandbox::{AboveCap, EngineError, GuestText, LimitError, Refusal};
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
        /// Why.
        reason: GuestText,
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
            Self::Refused { source, .. } => Some(remedy(source).to_owned()),
            Self::RefusedByWorker { .. } => {
                Some("build the rule again with `refiner rule build`, which takes both from rule.toml".to_owned())
            }
            Self::New(_) => Some("name another directory with --dir".to_owned()),
            Self::Several { .. } => Some("name the file".to_owned()),
            _ => None,
        }
    }

    /// A run without a verdict. That a rule is not let in can come out only when a worker asks it to describe itself.
    pub fn of_run(rule: &str, quarantined: Quarantined) -> Self {
        match quarantined.reason {
            WorkerFailure::Refused { reason } => Self::RefusedByWorker { rule: rule.to_owned(), reason },
            _ => Self::Run { rule: rule.to_owned(), source: quarantined },
        }
    }
}

/// What an author or user can do about a refusal.
pub fn remedy(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::TooLarge { .. } => "build for release (`refiner rule build` does), and leave out what is not needed",
        Refusal::NotAComponent { .. } | Refusal::NoManifest => {
            "`refiner rule build` in the rule's folder makes a component with its manifest inside"
        }
        Refusal::Malformed { .. } | Refusal::Compile { .. } => {
            "the file is damaged or of a newer toolchain: build or fetch it again"
        }
        Refusal::TooMuch { .. } | Refusal::ImportsCode { .. } => {
            "no toolchain we know makes such a component of an ordinary rule: look at what linked it"
        }
        Refusal::UnknownImport { .. } => {
            "a rule has no files, clock, network or randomness; with the SDK and wasm32-unknown-unknown it imports none"
        }
        Refusal::Version { .. } | Refusal::Contract { .. } => {
            "build it with the SDK that comes with this program: `refiner rule new` writes it"
        }
        Refusal::Ungranted { .. } => "the operator grants capabilities; or use a rule without it",
        Refusal::UngrantedWasi { .. } | Refusal::WasiVersion { .. } => {
            "ask for `wasi = \"sealed\"` in rule.toml, or build without WASI (componentize-py --stub-wasi)"
        }
        Refusal::NoRule => "export it with export_transform! or export_transform_with_evm!",
        Refusal::Describe { .. } => "`describe` returns constants; the SDK's macros write it",
        Refusal::Manifest { .. } => "correct rule.toml and build again; guest-sdk/README.md lists its keys",
        Refusal::ManifestsDiffer { .. } => "remove the manifest beside the component, or build again",
        Refusal::Unasked { .. } => "add it to rule.toml and build again",
        Refusal::Unused { .. } => "take it out of rule.toml and build again",
        Refusal::Layout { .. } => "correct `layouts` in rule.toml; an empty list accepts all",
        Refusal::AboveCap(_) => "ask for less in [limits] of rule.toml; `refiner rule info` shows the caps",
        Refusal::Disagrees { .. } => "build it again with `refiner rule build`, which takes both from rule.toml",
    }
}
