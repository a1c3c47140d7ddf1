//! Errors of resolving a rule's bytes.

use std::{fmt, io, path::PathBuf};

use refiner_content::{FetchError, FetchFailure, SetupError};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use refiner_manifest::NotUtf8;

use crate::{
    Instead, OciError, Sha256, authority,
    source::{Address, HIDDEN_QUERY},
};

/// HTTP statuses of servers that have no such file, or keep it to themselves whether they have.
const MISSING: [u16; 3] = [403, 404, 410];

/// Errors of resolving a rule's bytes.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The content behind the reference can change.
    #[error("{unpinned} is not pinned, and what is there can change: today it is {found}")]
    Unpinned {
        /// The text as it was typed.
        unpinned: String,
        /// sha256 of the component there.
        found: Sha256,
        /// The argument that means these bytes and no others.
        pinned: String,
    },
    /// Other bytes than agreed on.
    #[error("{source_name} is {found}, and {pinned} was agreed on")]
    Changed {
        /// The rule's source, as typed.
        source_name: String,
        /// sha256, or an OCI digest, that was agreed on in the argument or the lock.
        pinned: String,
        /// Kind of what was found.
        found: String,
    },
    /// The argument and the lock agree on different bytes.
    #[error("{source_name} is pinned to {argument} in the argument and to {locked} in the lock")]
    Disagree {
        /// The rule's source, as typed.
        source_name: String,
        /// By the argument.
        argument: String,
        /// By the lock.
        locked: String,
    },
    /// The manifest beside the component is another.
    #[error("the manifest beside {source_name} is {}, and {} was agreed on", Shown(found), Shown(agreed))]
    ManifestChanged {
        /// The rule's source, as typed.
        source_name: String,
        /// By the argument or the lock, where there was one.
        agreed: Option<Sha256>,
        /// The digest that was found, where there is one.
        found: Option<Sha256>,
    },
    /// Only what is locked may be used.
    #[error("{source_name} is not in the lock, and only what is in it may be used")]
    NotLocked {
        /// The rule's source, as typed.
        source_name: String,
        /// The same with its pin, where it has one.
        argument: String,
    },
    /// A file cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// Path of the file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// More bytes than a component may have.
    #[error("{source_name} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The rule's source, as typed.
        source_name: String,
        /// Bytes allowed.
        limit_bytes: usize,
    },
    /// Something else stands in its place.
    #[error("{source_name} is {instead}, expected a WebAssembly component")]
    Instead {
        /// The rule's source, as typed.
        source_name: String,
        /// The kind of what was found in its place.
        instead: Instead,
    },
    /// Something else stands in place of the manifest.
    #[error("{address} is {instead}, expected the manifest of a rule")]
    ManifestInstead {
        /// The address of the manifest.
        address: Address,
        /// The kind of what was found in its place.
        instead: Instead,
    },
    /// A manifest beside the component that is no text.
    #[error("the manifest beside {source_name}: {fault}")]
    NotText {
        /// The rule's source, as typed.
        source_name: String,
        /// Where it is none.
        fault: NotUtf8,
    },
    /// A web server did not give it.
    #[error("{address}: {source}")]
    Web {
        /// The address, without what may be secret.
        address: Address,
        /// The failure.
        source: FetchError,
    },
    /// No gateway gave it.
    #[error(transparent)]
    Ipfs(#[from] FetchFailure),
    /// A registry did not give it.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// Nothing can be fetched on this machine, or from this gateway.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The thread that waits for servers could not be set up.
    #[error("the system gives no asynchronous input and output")]
    Runtime(#[source] io::Error),
}

struct Shown<'a>(&'a Option<Sha256>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(digest) => digest.fmt(f),
            None => f.write_str("none"),
        }
    }
}

/// True for the name of a URL whose query, which can be a secret, is not in it: pasted, it would be another address.
fn is_cut(name: &str) -> bool {
    name.contains(HIDDEN_QUERY)
}

/// The command that agrees on what is at a source.
fn lock(name: &str) -> String {
    if is_cut(name) {
        "`refiner rule lock` with the address as you typed it".to_owned()
    } else {
        format!("`refiner rule lock {name}`")
    }
}

impl SourceError {
    /// True where a server has no manifest beside a component, which is no failure of it. Hosts of one page answer every address with that
    /// page.
    pub(crate) fn is_missing_manifest(&self) -> bool {
        match self {
            Self::ManifestInstead { instead, .. } => *instead == Instead::HtmlPage,
            Self::Web { source: FetchError::NotFound { .. }, .. } => true,
            Self::Web { source: FetchError::Status { status, .. }, .. } => MISSING.contains(status),
            _ => false,
        }
    }
}

impl Diagnostic for SourceError {
    /// A server that does not answer is no fault of the rule.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Web { .. } | Self::Ipfs(_) | Self::Oci(_) | Self::Setup(_) | Self::Runtime(_) | Self::Read { .. } => {
                ExitCode::Host
            }
            Self::Unpinned { .. }
            | Self::Changed { .. }
            | Self::Disagree { .. }
            | Self::ManifestChanged { .. }
            | Self::NotLocked { .. }
            | Self::Instead { .. }
            | Self::ManifestInstead { .. }
            | Self::NotText { .. }
            | Self::TooLarge { .. } => ExitCode::Refused,
        }
    }

    fn hint(&self) -> Option<Hint> {
        let hint = match self {
            Self::Unpinned { pinned, unpinned, .. } => {
                let named = match pinned.split_once('#').filter(|_| is_cut(pinned)) {
                    Some((_, pins)) => format!("add #{pins} to the address as you typed it"),
                    None => format!("name it as {pinned}"),
                };
                format!("if you trust it, {named}, or run {}", lock(unpinned))
            }
            Self::NotLocked { argument, .. } => format!("{} adds it", lock(argument)),
            Self::Changed { source_name, .. }
            | Self::Disagree { source_name, .. }
            | Self::ManifestChanged { source_name, .. } => {
                format!("ask its publisher for the reason; if the change is wanted, {} agrees to it", lock(source_name))
            }
            Self::Instead { instead, .. } | Self::ManifestInstead { instead, .. } => instead.remedy().to_owned(),
            Self::NotText { .. } => "save it as UTF-8".to_owned(),
            Self::Oci(error) => return error.hint(),
            Self::Web { source, .. } => return authority::hint(source),
            Self::Read { .. } | Self::TooLarge { .. } | Self::Ipfs(_) | Self::Setup(_) | Self::Runtime(_) => {
                return None;
            }
        };
        Some(hint.into())
    }
}
