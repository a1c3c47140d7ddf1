//! Errors of fetching a component from a registry, and of giving one to it.

use std::{fmt, path::PathBuf};

use refiner_content::Excerpt;
use refiner_diagnostics::Hint;
use refiner_http_client::ProxyFailure;
use reqwest::StatusCode;

use super::media::{Found, Listed};
use crate::{CredentialError, HelperFailure, Instead, Program, Sha256, authority, source::is_loopback_registry};

/// Errors of fetching a component from a registry, and of giving one to it.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// No HTTP client, most likely for want of certificates.
    #[error("no HTTP client; https needs the system's certificates, as in the package ca-certificates")]
    Client(#[source] reqwest::Error),
    /// No URL can be made of the reference.
    #[error("{reference}: {source}")]
    Address {
        /// The reference that was asked for.
        reference: String,
        /// The fault of the URL.
        source: url::ParseError,
    },
    /// No connection, or it broke.
    #[error("{reference}: {source}")]
    Transport {
        /// The reference that was asked for.
        reference: String,
        /// The fault of the connection.
        source: reqwest::Error,
    },
    /// The proxy between here and the registry failed.
    #[error("{reference}: {source}")]
    Proxy {
        /// The reference that was asked for.
        reference: String,
        /// The failure, with its remedy.
        source: ProxyFailure,
    },
    /// The registry refuses, or does not have it.
    #[error("{reference}: the registry answered {}", Answer(*.status, .answer))]
    Status {
        /// The reference that was asked for.
        reference: String,
        /// The HTTP status.
        status: u16,
        /// The registry's reason.
        answer: Excerpt,
    },
    /// The registry asks for a login, and there is none for it.
    #[error("{reference}: the registry gives no anonymous access, and no login for {server} is in {}", Files(.looked_at))]
    Login {
        /// The reference that was asked for.
        reference: String,
        /// The registry's name.
        server: String,
        /// The files that could have had one.
        looked_at: Vec<PathBuf>,
    },
    /// The registry does not take the login.
    #[error("{reference}: the registry does not accept the login for {server} in {}", .file.display())]
    LoginRefused {
        /// The reference that was asked for.
        reference: String,
        /// The registry's name.
        server: String,
        /// The file with the login.
        file: PathBuf,
    },
    /// The registry refuses and names no way to log in.
    #[error(
        "{reference}: the registry answered 401 without the header WWW-Authenticate, which names the way to log in"
    )]
    NoChallenge {
        /// The reference that was asked for.
        reference: String,
    },
    /// The registry wants a login of another kind than can be given.
    #[error("{reference}: the registry asks for a login by {schemes}, and Basic and Bearer are known")]
    UnknownChallenge {
        /// The reference that was asked for.
        reference: String,
        /// The ways that it names.
        schemes: Excerpt,
    },
    /// The registry wants a token and names no service that gives one.
    #[error(
        "{reference}: the registry asks for a token and names no address that gives one (the realm of its WWW-Authenticate)"
    )]
    NoRealm {
        /// The reference that was asked for.
        reference: String,
    },
    /// The service for tokens is asked over an open connection.
    #[error("{reference}: the registry sends logins to {service}, which would show the password; only https is used")]
    OpenTokenService {
        /// The reference that was asked for.
        reference: String,
        /// The address that the registry sends its users to.
        service: Excerpt,
    },
    /// The service for tokens gives none.
    #[error("{reference}: the token service {service} answered 200 without a token")]
    NoToken {
        /// The reference that was asked for.
        reference: String,
        /// The address that the registry sends its users to.
        service: Excerpt,
    },
    /// A token where the registry takes a user name and a password.
    #[error("{reference}: the registry asks for a user name and a password, and the login for {server} in {} is a token", .file.display())]
    NoPassword {
        /// The reference that was asked for.
        reference: String,
        /// The registry's name.
        server: String,
        /// The file with the login.
        file: PathBuf,
    },
    /// The program that keeps the login gives none.
    #[error("{reference}: {} names the credential helper {program} for {server}: {source}", .file.display())]
    Helper {
        /// The reference that was asked for.
        reference: String,
        /// The registry's name.
        server: String,
        /// The helper.
        program: Program,
        /// The file that names it.
        file: PathBuf,
        /// The reason.
        source: HelperFailure,
    },
    /// A file of credentials that cannot be read.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The manifest cannot be read.
    #[error("{reference}: the manifest is malformed: {fault}")]
    Manifest {
        /// The reference that was asked for.
        reference: String,
        /// The fault of its JSON.
        fault: JsonFault,
    },
    /// Something else stands in place of what the registry was asked for.
    #[error("{reference}: the registry's answer is {instead}, expected {expected}")]
    Instead {
        /// The reference that was asked for.
        reference: String,
        /// The kind of what was found in its place.
        instead: Instead,
        /// The part that was asked for.
        expected: Asked,
    },
    /// An index of manifests.
    #[error(
        "{reference} is an index of several artifacts, and which of them is meant would be the registry's choice: {listed}"
    )]
    Index {
        /// The reference that was asked for.
        reference: String,
        /// The artifacts that it lists.
        listed: Listed,
    },
    /// The bytes do not have the digest that names them.
    #[error("{reference}: expected the sha256 digest {asked}, found {found}")]
    Mismatch {
        /// The reference that was asked for.
        reference: String,
        /// The digest that was asked for.
        asked: Sha256,
        /// The digest of what came.
        found: Sha256,
    },
    /// It took too long.
    #[error("{reference} did not come within {deadline_ms} ms")]
    Deadline {
        /// The reference that was asked for.
        reference: String,
        /// The limit that was exceeded.
        deadline_ms: u128,
    },
    /// Not one component.
    #[error("{reference} has {layers}, and a rule has one layer of the type {} (or {})", super::media::COMPONENT[0], super::media::COMPONENT[1])]
    Layers {
        /// The reference that was asked for.
        reference: String,
        /// The layers that it has.
        layers: Found,
    },
    /// Several manifests of the rule.
    #[error("{reference} has several layers of the type {}, and a rule has one manifest", super::media::MANIFEST[0])]
    Manifests {
        /// The reference that was asked for.
        reference: String,
    },
    /// A digest of another kind.
    #[error("{reference} is named by the digest {digest}; sha256 is read")]
    Digest {
        /// The reference that was asked for.
        reference: String,
        /// The digest.
        digest: Excerpt,
    },
    /// More bytes than the manifest states.
    #[error("{reference} is longer than the {stated_bytes} bytes that its manifest states")]
    Longer {
        /// The reference that was asked for.
        reference: String,
        /// Bytes of the layer, by the manifest.
        stated_bytes: usize,
    },
    /// More bytes than a component or a manifest may have.
    #[error("{reference} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The reference that was asked for.
        reference: String,
        /// The limit that was exceeded.
        limit_bytes: usize,
    },
    /// The service that gives the registry's users their tokens refuses in another way than for the login.
    #[error("{reference}: the token service {service} answered {}", Answer(*.status, .answer))]
    TokenService {
        /// The reference that was asked for.
        reference: String,
        /// The address that the registry sends its users to.
        service: Excerpt,
        /// The HTTP status.
        status: u16,
        /// The service's reason.
        answer: Excerpt,
    },
    /// More bytes than a token may have.
    #[error("{reference}: the token service {service} answered with more than {limit_bytes} bytes, expected a token")]
    TokenTooLarge {
        /// The reference that was asked for.
        reference: String,
        /// The address that the registry sends its users to.
        service: Excerpt,
        /// The limit that was exceeded.
        limit_bytes: usize,
    },
    /// A reference that states what a push finds out.
    #[error("{reference} names a digest, and the digest of what is pushed comes from its bytes: name a tag")]
    PushToDigest {
        /// The reference that was asked for.
        reference: String,
    },
    /// No address for an upload.
    #[error("{reference}: the registry names no address for the upload")]
    NoLocation {
        /// The reference that was asked for.
        reference: String,
    },
    /// The registry keeps other bytes than it was given.
    #[error("{reference}: the registry keeps the manifest as {found}, and its bytes are {sent}")]
    Altered {
        /// The reference that was asked for.
        reference: String,
        /// The digest of what was sent.
        sent: Sha256,
        /// The digest that the registry stated.
        found: Excerpt,
    },
}

impl OciError {
    /// Advice for a person.
    pub(crate) fn hint(&self) -> Option<Hint> {
        let hint = match self {
            Self::Login { server, .. } => format!(
                "`docker login {server}` or `podman login {server}` writes one; the variable REGISTRY_AUTH_FILE names another file"
            ),
            Self::LoginRefused { server, .. } | Self::NoPassword { server, .. } => {
                format!("log in again, by `docker login {server}` or `podman login {server}`")
            }
            Self::Helper { server, .. } => format!(
                "log in again by `docker login {server}`, or write the login into a file by `podman login --authfile auth.json {server}`, which \
                 REGISTRY_AUTH_FILE=auth.json names"
            ),
            Self::Status { status: 401 | 403, .. } => {
                "the login may lack the right to this repository: a token needs the scope for reading packages, and for writing them to push".to_owned()
            }
            Self::NoChallenge { .. }
            | Self::UnknownChallenge { .. }
            | Self::NoRealm { .. }
            | Self::OpenTokenService { .. } => "no login was sent; the registry's operator can correct its authentication".to_owned(),
            Self::Status { reference, status: 400, answer } if is_loopback(reference) && answer.as_str().contains("HTTPS") => {
                WITHOUT_TLS.to_owned()
            }
            // What expects TLS breaks the connection, or answers in bytes that are not HTTP.
            Self::Transport { reference, source } if is_loopback(reference) && is_broken_request(source) => {
                WITHOUT_TLS.to_owned()
            }
            Self::Transport { source, .. } => return authority::hint(source),
            Self::Index { reference, .. } => {
                format!("name one of them by its digest, as {}@sha256:…", reference.split('@').next().unwrap_or_default())
            }
            Self::Instead { instead: Instead::HtmlPage, .. } => {
                "the name may be that of a web page rather than of a registry, or something on the way answers in its place".to_owned()
            }
            Self::Layers { .. } => "publish it by `refiner rule push`".to_owned(),
            _ => return None,
        };
        Some(hint.into())
    }
}

/// Advice for a registry of this machine that may expect TLS.
const WITHOUT_TLS: &str = "a registry on this machine is asked without TLS; one that expects TLS is named by the machine's own name in place of localhost or its address";

fn is_loopback(reference: &str) -> bool {
    let registry = reference.trim_start_matches("oci://").split('/').next();
    registry.is_some_and(is_loopback_registry)
}

/// True where a connection was made, and ended before there was an answer.
fn is_broken_request(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}

/// A status with the reason that came with it.
struct Answer<'a>(u16, &'a Excerpt);

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(status, reason) = self;
        if !reason.as_str().is_empty() {
            return write!(f, "{status}: {reason}");
        }
        let name = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        write!(f, "{status} ({})", name.unwrap_or("no reason given"))
    }
}

/// A part of an artifact that a registry is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The artifact's manifest.
    Manifest,
    /// A layer with a stated digest.
    Layer(Sha256),
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("the artifact's manifest"),
            Self::Layer(sha256) => write!(f, "the layer sha256:{sha256}"),
        }
    }
}

/// A fault of JSON from a registry, whose text can quote a value of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    line: usize,
    column: usize,
    text: Excerpt,
}

impl JsonFault {
    pub(super) fn of(fault: &serde_json::Error) -> Self {
        let (line, column) = (fault.line(), fault.column());
        let text = fault.to_string();
        let place = format!(" at line {line} column {column}");
        Self { line, column, text: Excerpt::of(text.strip_suffix(&place).unwrap_or(&text).as_bytes()) }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.text.as_str())
    }
}

/// Paths in a sentence.
struct Files<'a>(&'a [PathBuf]);

impl fmt::Display for Files<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("any file of docker or podman");
        }
        for (position, path) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{}", path.display())?;
        }
        Ok(())
    }
}
