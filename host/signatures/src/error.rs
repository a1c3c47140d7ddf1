//! Errors of signing and of checking signatures.

use std::{fmt, io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use crate::key_file::{KeyFile, KeyKind};

/// Errors of signing a component.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A private key that others can read.
    #[error("{}: mode {mode:04o} lets others read a private key", .path.display())]
    OpenToOthers {
        /// Path of the file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file that is there already, where a key is to be written.
    #[error("{}: there is a file already, and no key is overwritten", .0.display())]
    Exists(PathBuf),
    /// One path for both keys of a pair.
    #[error("{}: both keys of the pair would be in this file", .0.display())]
    OnePath(PathBuf),
    /// A file that holds no key of this kind.
    #[error("{}: expected {expected}, found {found}", .path.display())]
    NotAKey {
        /// Path of the file.
        path: PathBuf,
        /// The kind that is needed.
        expected: KeyKind,
        /// The content of the file, as far as it is known.
        found: KeyFile,
    },
    /// The random number generator or the signature failed.
    #[error("the cryptographic library refuses: {0}")]
    Refused(ring::error::Unspecified),
    /// A bundle that is none.
    #[error("{}: not a Sigstore bundle: {source}", .path.display())]
    Bundle {
        /// Path of the bundle.
        path: PathBuf,
        /// The fault that was found.
        source: Box<sigstore_verify::types::Error>,
    },
    /// A component that cannot take a signature.
    #[error(transparent)]
    Component(#[from] SignatureError),
}

/// Reasons for which signatures are not those of the signers, of which a message shows some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons(Vec<String>);

impl Reasons {
    /// Most reasons that are kept.
    const MAX: usize = 4;

    pub(crate) fn push(&mut self, reason: String) {
        if self.0.len() < Self::MAX {
            self.0.push(reason);
        }
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// Reasons for which a component has no signature of a demanded signer.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The component is cut short or is none.
    #[error("malformed at byte {offset}: sections do not end where they should")]
    Malformed {
        /// Offset of the fault.
        offset: usize,
    },
    /// Bytes that no signature covers.
    #[error("a section after the signature, at byte {offset}, is not signed")]
    NotLast {
        /// Offset of the section.
        offset: usize,
    },
    /// A bundle larger than any signature is.
    #[error("a signature has {found} bytes, more than {}", crate::BUNDLE_BYTES_MAX)]
    TooLong {
        /// Its bytes.
        found: usize,
    },
    /// More signatures than a component can have.
    #[error("more than {} signatures", crate::SIGNATURES_MAX)]
    TooMany,
    /// No signature at all.
    #[error("the component is not signed, and a signature is required")]
    Unsigned,
    /// The manifest is outside of what is signed.
    #[error("the manifest lies beside the component, where no signature covers it")]
    ManifestBeside,
    /// Signatures, and none of a demanded signer.
    #[error("it has no signature of a required signer: {0}")]
    OfOthers(Reasons),
    /// A key or trust root of the operator's that cannot be used.
    #[error(transparent)]
    Signer(Box<SignError>),
    /// A trust root that is none.
    #[error("{}: not a trust root of Sigstore: {source}", .path.display())]
    TrustRoot {
        /// Path of the file.
        path: PathBuf,
        /// The fault that was found.
        source: Box<sigstore_verify::Error>,
    },
    /// An identity without a trust root.
    #[error("a signer by identity needs a trust root")]
    NoTrustRoot,
}

impl Diagnostic for SignError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Component(error) => error.exit_code(),
            Self::Refused(_) => ExitCode::Internal,
            Self::File { .. }
            | Self::OpenToOthers { .. }
            | Self::Exists(_)
            | Self::OnePath(_)
            | Self::NotAKey { .. }
            | Self::Bundle { .. } => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::OpenToOthers { path, .. } => Some(format!("chmod 600 {}", path.display()).into()),
            Self::Exists(_) => Some("move it away, or name another file: `refiner rule keygen FILE`".into()),
            Self::OnePath(_) => Some(
                "the public key goes beside the private one, with the ending .pub: give that another ending, such as .pem"
                    .into(),
            ),
            Self::NotAKey { path, expected, found } => Some(found.remedy(*expected, path).into()),
            Self::Bundle { .. } => Some("`cosign sign-blob FILE --bundle BUNDLE` writes one".into()),
            Self::Component(error) => error.hint(),
            Self::File { .. } | Self::Refused(_) => None,
        }
    }
}

impl Diagnostic for SignatureError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Signer(_) | Self::TrustRoot { .. } | Self::NoTrustRoot => ExitCode::Usage,
            Self::Malformed { .. }
            | Self::NotLast { .. }
            | Self::TooLong { .. }
            | Self::TooMany
            | Self::Unsigned
            | Self::ManifestBeside
            | Self::OfOthers(_) => ExitCode::Refused,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Unsigned | Self::OfOthers(_) => Some(
                "its author signs it by `refiner rule sign`; --require-signer names the signers that are accepted"
                    .into(),
            ),
            Self::ManifestBeside => Some("`refiner rule embed` puts it inside, before the component is signed".into()),
            Self::NoTrustRoot => Some("--trust-root names Sigstore's trusted_root.json".into()),
            Self::NotLast { .. } | Self::TooMany => Some(
                "`refiner rule sign --replace --key KEY FILE` drops its signatures and signs it as it is now".into(),
            ),
            Self::Signer(error) => error.hint(),
            Self::Malformed { .. } => {
                Some("the file is damaged: build or fetch it again, and compare its sha256 with the publisher's".into())
            }
            Self::TooLong { .. } | Self::TrustRoot { .. } => None,
        }
    }
}
