//! Errors of finding and reading remote files.

use std::path::PathBuf;

use refiner_content::{ClientError, FetchError, FetchFailure, IdError, Origin, SetupError};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_text::{OneLine, UntrustedText};

use crate::{
    kind::StoreKind,
    limits::{OBJECTS_MAX, SPOOL_BYTES_MAX},
};

/// Most characters of another party's words in an error.
const WORDS_MAX: usize = 300;

/// Reasons for which a URL names no files.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It is no URL.
    #[error("{}: not a URL: {source}", OneLine(.name))]
    Url { name: String, source: url::ParseError },
    /// Its scheme is none of those that are read.
    #[error("{}: URLs of the scheme {scheme} are not read", OneLine(.name))]
    Scheme { name: String, scheme: String },
    /// Nothing can be written to what it names.
    #[error("{}: nothing is written to URLs of the scheme {scheme}", OneLine(.name))]
    NotWritten { name: String, scheme: String },
    /// It carries a user name or a password.
    #[error("{}: the URL carries credentials", OneLine(.name))]
    Credentials { name: String },
    /// It names no bucket, container or host.
    #[error("{}: the URL names no bucket", OneLine(.name))]
    NoBucket { name: String },
    /// A pattern that is none.
    #[error("{}: not a pattern: {source}", OneLine(.name))]
    Pattern { name: String, source: glob::PatternError },
    /// Nothing that is looked for.
    #[error("{}: {objects} objects are there, and none is called as specimens are", OneLine(.name))]
    Empty { name: String, objects: usize },
    /// More objects than are looked at.
    #[error("{}: more than {OBJECTS_MAX} objects", OneLine(.name))]
    TooMany { name: String },
    /// The store does not answer, or refuses.
    #[error("{}: {fault}", OneLine(.name))]
    Store {
        name: String,
        /// The kind of store, whose credentials may be missing.
        kind: Option<StoreKind>,
        #[source]
        fault: ReadFault,
    },
    /// No content id.
    #[error("{}: {source}", OneLine(.name))]
    Id { name: String, source: IdError },
    /// A path in the directory that a content id may name.
    #[error("{}: a path below a content id is not read", OneLine(.name))]
    BelowId { name: String },
    /// A client that cannot be made.
    #[error("cannot fetch from the web: {0}")]
    Client(#[from] ClientError),
    /// A gateway whose address is none.
    #[error("cannot ask a gateway: {0}")]
    Gateway(#[from] SetupError),
    /// A file of this machine that is to be sent.
    #[error("{}: {source}", OneLine(.path.display()))]
    Local { path: PathBuf, source: std::io::Error },
    /// The threads that talk to the network.
    #[error("cannot talk to the network: {0}")]
    Runtime(#[source] std::io::Error),
}

impl Diagnostic for RemoteError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Url { .. }
            | Self::Scheme { .. }
            | Self::Credentials { .. }
            | Self::NoBucket { .. }
            | Self::Pattern { .. }
            | Self::Empty { .. }
            | Self::TooMany { .. }
            | Self::Store { .. }
            | Self::Id { .. }
            | Self::BelowId { .. } => ExitCode::Input,
            Self::NotWritten { .. } => ExitCode::Usage,
            Self::Local { .. } | Self::Client(_) | Self::Gateway(_) | Self::Runtime(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Scheme { .. } => Some("s3, gs, az, abfss, http, https and ipfs are read".into()),
            Self::NotWritten { .. } => {
                Some("name a directory, or a prefix of a store: s3://BUCKET/PREFIX, gs:// or az://".into())
            }
            Self::Credentials { .. } => {
                Some("leave them out of the URL; credentials of stores are variables of the environment".into())
            }
            Self::NoBucket { .. } => Some("s3://BUCKET/PREFIX".into()),
            Self::Empty { .. } => Some(
                "specimens are found by their names (*.avro, CHAIN-HEIGHT-...); a pattern takes others: `PREFIX/*`"
                    .into(),
            ),
            Self::TooMany { .. } => Some("name parts of it, one run each".into()),
            Self::BelowId { .. } => Some("name the content id of the file itself: ipfs://CID".into()),
            Self::Store { fault: ReadFault::ListingRepeats { .. } | ReadFault::ListingStuck { .. }, .. } => Some(
                "a fault of the store, or of a proxy before it; an object that is named by its whole key needs no listing"
                    .into(),
            ),
            Self::Store { kind: Some(kind), fault, .. } if fault.is_for_want_of_credentials() => {
                Some(format!("set {}", kind.credentials()).into())
            }
            Self::Store { fault, .. } if fault.is_of_a_key() => Some(
                "keys with nothing, '.', '..' or a control character between two slashes are not read; list a prefix that has none"
                    .into(),
            ),
            Self::Store { .. }
            | Self::Url { .. }
            | Self::Pattern { .. }
            | Self::Id { .. }
            | Self::Local { .. }
            | Self::Client(_)
            | Self::Gateway(_)
            | Self::Runtime(_) => None,
        }
    }
}

impl RemoteError {
    /// The class of the error, for reports.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Url { .. }
            | Self::Scheme { .. }
            | Self::NotWritten { .. }
            | Self::Credentials { .. }
            | Self::NoBucket { .. }
            | Self::Pattern { .. }
            | Self::Id { .. }
            | Self::BelowId { .. } => "argument",
            Self::Empty { .. } => "empty",
            Self::TooMany { .. } => "tooLarge",
            Self::Store { fault: ReadFault::Missing, .. } => "missing",
            Self::Store { .. } | Self::Local { .. } | Self::Client(_) | Self::Gateway(_) | Self::Runtime(_) => {
                "unreadable"
            }
        }
    }
}

/// Reasons for which a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// There is none.
    #[error("no such object")]
    Missing,
    /// It is another by now.
    #[error("the object is no longer the one that was listed")]
    Changed,
    /// It is longer than what is read of its kind.
    #[error("{found} bytes, and at most {limit} are read")]
    TooLarge { found: u64, limit: u64 },
    /// The store refuses.
    #[error("the store refuses it: {words}")]
    Denied { words: Words },
    /// It cannot be reached, or fails again and again.
    #[error("the store does not give it: {words}")]
    Failed { words: Words },
    /// The listing comes again from an earlier place.
    #[error("the listing of the store does not end: it has '{key}' again and again")]
    ListingRepeats { key: UntrustedText },
    /// The listing goes on, with nothing in it.
    #[error("the listing of the store does not end: it has no further object within {seconds} s")]
    ListingStuck { seconds: u64 },
    /// No source has the content.
    #[error(transparent)]
    Content(#[from] FetchFailure),
    /// The web server sends a part of it, unasked.
    #[error("{from} answered 206 with a part of the file, where the whole was asked for")]
    Part { from: Origin },
    /// The web server names another place, which is none on the web.
    #[error("{from} answered {status} with a redirect to no address of http or https, and others are not followed")]
    Redirect { from: Origin, status: u16 },
    /// The web server does not send it.
    #[error(transparent)]
    Web(FetchError),
    /// There is no room for what was fetched.
    #[error("more than {SPOOL_BYTES_MAX} bytes were fetched from the web")]
    SpoolFull,
    /// The file in which it is kept meanwhile.
    #[error("cannot keep what was fetched: {0}")]
    Spool(#[source] std::io::Error),
    /// The work was given up.
    #[error("the reading was given up")]
    Ended,
}

/// Addresses at which a client asks the machine's surroundings for credentials, where the environment has none.
const METADATA_SERVERS: [&str; 3] = ["169.254.169.254", "169.254.170.2", "metadata.google.internal"];

impl ReadFault {
    /// True where credentials may be missing or wrong.
    fn is_for_want_of_credentials(&self) -> bool {
        match self {
            Self::Denied { .. } => true,
            Self::Failed { words } => METADATA_SERVERS.iter().any(|server| words.0.contains(server)),
            _ => false,
        }
    }

    /// True where the client reads no object of such a key.
    fn is_of_a_key(&self) -> bool {
        matches!(self, Self::Failed { words } if words.0.contains("invalid path"))
    }

    /// The fault in an error of the client of the web.
    pub(crate) fn of_web(error: FetchError) -> Self {
        match error {
            FetchError::Status { from, status: 206, .. } => Self::Part { from },
            // The client follows the redirects to other addresses of the web.
            FetchError::Status { from, status: status @ (301 | 302 | 303 | 307 | 308), .. } => {
                Self::Redirect { from, status }
            }
            error => Self::Web(error),
        }
    }

    /// The fault in an error of the store's client.
    pub(crate) fn of(error: &object_store::Error) -> Self {
        use object_store::Error;
        match error {
            Error::NotFound { .. } => Self::Missing,
            Error::Precondition { .. } | Error::NotModified { .. } => Self::Changed,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied { words: Words::of(error) },
            _ => {
                let words = Words::of(error);
                // Of a listing the client names no kind.
                match words.0.starts_with("403 ") || words.0.starts_with("401 ") {
                    true => Self::Denied { words },
                    false => Self::Failed { words },
                }
            }
        }
    }
}

/// Another party's words, on one line and not without end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Box<str>);

impl Words {
    /// The text of a client's error, or code and message of the document in it.
    fn of(error: &dyn std::error::Error) -> Self {
        let text = error.to_string();
        let between = |tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            Some(rest.split_once(&format!("</{tag}>"))?.0)
        };
        let status = text.split_once("status code: ").map(|(_, rest)| rest.split(':').next().unwrap_or(rest));
        let told = match (status, between("Code"), between("Message")) {
            (Some(status), Some(code), message) => {
                format!("{status}, {code}{}", message.map(|message| format!(": {message}")).unwrap_or_default())
            }
            _ => text,
        };
        let told = OneLine(told.trim()).to_string();
        let mut words: String = told.chars().take(WORDS_MAX).collect();
        if words.len() < told.len() {
            words.push('…');
        }
        Self(words.into())
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_that_looks_for_credentials_elsewhere_leads_to_the_variables() {
        let hint = |text: &str| {
            let error = object_store::Error::Generic { store: "S3", source: text.into() };
            let (name, kind) = ("s3://bucket/".to_owned(), Some(StoreKind::S3));
            RemoteError::Store { name, kind, fault: ReadFault::of(&error) }.hint()
        };
        let asked = hint("Error performing PUT http://169.254.169.254/latest/api/token in 1s").unwrap().to_string();
        assert!(asked.contains("AWS_ACCESS_KEY_ID"), "{asked}");
        assert!(hint("Error performing GET http://127.0.0.1:9000/bucket in 1s").is_none());
    }
}
