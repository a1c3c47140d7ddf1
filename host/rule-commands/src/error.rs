//! Errors of the commands on rules.

use std::{io, path::PathBuf};

use refiner_authoring::{
    BinaryReaderError, BuildError, command::CommandError, embed::EmbedError, template::NewError, watch::WatchError,
};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::{LimitError, RefusalKind};
use refiner_rule_session::PrepareError;
use refiner_signatures::{SignError, SignatureError};
use refiner_terminal::by_number;

use crate::{rules::AllowanceError, test::GoldenError};

/// Reasons for which a command on rules ends early.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// There is no new rule.
    #[error(transparent)]
    New(#[from] NewError),
    /// The rule is not built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// No manifest is put into the component.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The sources cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// This program cannot start itself.
    #[error(transparent)]
    Command(CommandError),
    /// No signature is put into the component.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A component that takes no signature.
    #[error("{}: {source}", .component.display())]
    Unsignable { component: PathBuf, source: SignatureError },
    /// A signed component whose bytes would change.
    #[error("{}: it has {signatures} {}, and a manifest that is put inside after them is not signed", .component.display(), by_number(*.signatures as u64, "signature", "signatures"))]
    Signed {
        component: PathBuf,
        /// The number of its signatures.
        signatures: usize,
    },
    /// A component whose signature would be worth nothing.
    #[error("{}: it holds no manifest, and a signature without one is refused by --require-signer", .0.display())]
    NoManifest(PathBuf),
    /// A source that is not built here.
    #[error("{}: found no Cargo.toml, go.mod, pyproject.toml, package.json or rule.c, so the rule is built by its own toolchain", .0.display())]
    BuiltElsewhere(PathBuf),
    /// A component that cannot be compared.
    #[error("{rule}: {source}")]
    Unreadable { rule: String, source: BinaryReaderError },
    /// Nothing can be compared with what was agreed on.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// The profile is not written.
    #[error("{}: {source}", .path.display())]
    Profile { path: PathBuf, source: io::Error },
    /// No room for a second build.
    #[error("no temporary directory: {0}")]
    Directory(#[source] io::Error),
    /// A source that rules are not pushed to.
    #[error("{target} is no registry, and rules are pushed to one, as oci://ghcr.io/owner/rule:1.0.0")]
    NoRegistry {
        /// The source that was named.
        target: String,
    },
    /// It is not ready, or its run has no verdict.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Terms of the operator that cannot hold.
    #[error(transparent)]
    Allowance(#[from] AllowanceError),
    /// A limit that cannot be granted.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Several rules where one is wanted.
    #[error("{argument}: expected one rule, found {found}")]
    Several {
        argument: String,
        /// The number of rules that it names.
        found: usize,
    },
    /// Rows of an unknown form, or none.
    #[error("{rule} names no columns for any output, so the form of what it writes is not known")]
    NoColumns { rule: String },
    /// Built-in rules come with this program and are what they are.
    #[error("{0} is built in, and needs no lock")]
    BuiltIn(String),
}

impl Diagnostic for RuleError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::New(error) => error.exit_code(),
            Self::Build(error) => error.exit_code(),
            Self::Embed(error) => error.exit_code(),
            Self::Sign(error) => error.exit_code(),
            Self::Unsignable { source, .. } => source.exit_code(),
            Self::Prepare(error) => error.exit_code(),
            Self::Allowance(error) => error.exit_code(),
            Self::Limit(error) => error.exit_code(),
            Self::Unreadable { .. } | Self::NoColumns { .. } => ExitCode::Refused,
            Self::Golden(error) => error.exit_code(),
            Self::Directory(_) | Self::Profile { .. } | Self::Command(_) => ExitCode::Host,
            Self::Watch(_) => ExitCode::Usage,
            Self::Several { .. }
            | Self::Signed { .. }
            | Self::NoManifest(_)
            | Self::BuiltIn(_)
            | Self::NoRegistry { .. }
            | Self::BuiltElsewhere(_) => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::New(error) => error.hint(),
            Self::Build(error) => error.hint(),
            Self::Embed(error) => error.hint(),
            Self::Sign(error) => error.hint(),
            Self::Unsignable { source, .. } => source.hint(),
            Self::Unreadable { .. } => Some(RefusalKind::Malformed.remedy().into()),
            Self::Prepare(error) => error.hint(),
            Self::Allowance(error) => error.hint(),
            Self::Limit(error) => error.hint(),
            Self::Golden(error) => error.hint(),
            Self::Several { .. } => Some("name the file".into()),
            Self::Signed { .. } => Some("--replace drops its signatures; sign it again afterwards".into()),
            Self::NoManifest(component) => {
                Some(format!("put it inside first: `refiner rule embed {} rule.toml`", component.display()).into())
            }
            Self::BuiltElsewhere(_) => Some("build it there, and name the component by --built FILE".into()),
            Self::NoColumns { .. } => {
                Some("its author can add [[outputs.columns]] to rule.toml (docs/tables.md)".into())
            }
            Self::BuiltIn(_)
            | Self::NoRegistry { .. }
            | Self::Directory(_)
            | Self::Watch(_)
            | Self::Command(_)
            | Self::Profile { .. } => None,
        }
    }
}
