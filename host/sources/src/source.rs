//! The reference by which a user names a rule.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use oci_client::Reference;
use refiner_content::{ContentId, IdError};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use url::{Host, Url};

use crate::{Sha256, Sha256Error};

/// Prefix of a digest in a URL.
const FRAGMENT: &str = "sha256=";

/// Where a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSource {
    /// A file on this machine.
    File(PathBuf),
    /// `https://…#sha256=<64 hex>`.
    Url {
        /// Without the fragment.
        url: Url,
        /// The digest that its bytes must have.
        sha256: Option<Sha256>,
    },
    /// `ipfs://<content id>`, which is its own pin.
    Ipfs(ContentId),
    /// `oci://registry/repository[:tag]@sha256:<64 hex>`, where the digest is the manifest's.
    Oci(Reference),
}

/// Text that names no source.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableSource {
    /// Not a URL.
    #[error("{text}: {source}")]
    Url {
        /// The text as it was typed.
        text: String,
        /// The cause of the failure.
        source: url::ParseError,
    },
    /// A scheme that is not fetched from.
    #[error("{scheme}:// is no source of rules; there are https://, ipfs:// and oci://, and paths")]
    Scheme {
        /// Scheme of the URL.
        scheme: String,
    },
    /// http, and not to this machine.
    #[error("{url}: only https:// is fetched from other machines")]
    Insecure {
        /// The URL as it was typed.
        url: Url,
    },
    /// A password would end up in logs and in the lock.
    #[error("the URL of a rule holds a user name or password, and those are not sent")]
    Credentials,
    /// The fragment after `#` is no digest.
    #[error("#{fragment}: after the URL of a rule comes #sha256=<digest>")]
    Fragment {
        /// The fragment as typed.
        fragment: String,
        /// The reason why it is none.
        source: Sha256Error,
    },
    /// Not a content id.
    #[error("{text}: {source}")]
    ContentId {
        /// The text as it was typed.
        text: String,
        /// The cause of the failure.
        source: IdError,
    },
    /// Not a reference to a registry.
    #[error("{text}: {source}; one looks like oci://ghcr.io/owner/rule:1.0.0@sha256:<digest>")]
    Reference {
        /// The text as it was typed.
        text: String,
        /// The cause of the failure.
        source: oci_client::ParseError,
    },
}

impl Diagnostic for UnreadableSource {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

impl RuleSource {
    /// The same without its pin: what the lock knows it by.
    pub fn unpinned(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url { url, .. } => url.to_string(),
            Self::Ipfs(id) => format!("ipfs://{id}"),
            Self::Oci(reference) => {
                let tag = reference.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
                format!("oci://{}/{}{tag}", reference.registry(), reference.repository())
            }
        }
    }
}

impl fmt::Display for RuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unpinned())?;
        match self {
            Self::Url { sha256: Some(sha256), .. } => write!(f, "#{FRAGMENT}{sha256}"),
            Self::Oci(reference) => reference.digest().map_or(Ok(()), |digest| write!(f, "@{digest}")),
            Self::Url { sha256: None, .. } | Self::File(_) | Self::Ipfs(_) => Ok(()),
        }
    }
}

impl FromStr for RuleSource {
    type Err = UnreadableSource;

    fn from_str(text: &str) -> Result<Self, UnreadableSource> {
        match text.split_once("://") {
            None => Ok(Self::File(text.into())),
            Some(("https" | "http", _)) => web(text),
            Some(("ipfs", id)) => match id.parse() {
                Ok(id) => Ok(Self::Ipfs(id)),
                Err(source) => Err(UnreadableSource::ContentId { text: text.to_owned(), source }),
            },
            Some(("oci", reference)) => match reference.parse() {
                Ok(reference) => Ok(Self::Oci(reference)),
                Err(source) => Err(UnreadableSource::Reference { text: text.to_owned(), source }),
            },
            Some((scheme, _)) => Err(UnreadableSource::Scheme { scheme: scheme.to_owned() }),
        }
    }
}

fn web(text: &str) -> Result<RuleSource, UnreadableSource> {
    let mut url = Url::parse(text).map_err(|source| UnreadableSource::Url { text: text.to_owned(), source })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UnreadableSource::Credentials);
    }
    let sha256 = url.fragment().map(pin).transpose()?;
    url.set_fragment(None);
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(UnreadableSource::Insecure { url });
    }
    Ok(RuleSource::Url { url, sha256 })
}

fn pin(fragment: &str) -> Result<Sha256, UnreadableSource> {
    let digest = fragment.strip_prefix(FRAGMENT).ok_or(Sha256Error).and_then(str::parse);
    digest.map_err(|source| UnreadableSource::Fragment { fragment: fragment.to_owned(), source })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// True for a registry on this machine, which is spoken to without encryption.
pub(crate) fn is_loopback_registry(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn source_is_read_and_written_with_and_without_its_pin() {
        let check = |text: &str, unpinned: &str| {
            let source: RuleSource = text.parse().expect(text);
            assert_eq!((source.to_string().as_str(), source.unpinned().as_str()), (text, unpinned));
        };
        check("rules/a.wasm", "rules/a.wasm");
        check("https://example.org/a.wasm", "https://example.org/a.wasm");
        check(&format!("https://example.org/a.wasm#sha256={DIGEST}"), "https://example.org/a.wasm");
        check("http://127.0.0.1:8080/a.wasm", "http://127.0.0.1:8080/a.wasm");
        let id = "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu";
        check(&format!("ipfs://{id}"), &format!("ipfs://{id}"));
        check("oci://ghcr.io/o/rule:1.0.0", "oci://ghcr.io/o/rule:1.0.0");
        check(&format!("oci://ghcr.io/o/rule:1.0.0@sha256:{DIGEST}"), "oci://ghcr.io/o/rule:1.0.0");
    }

    #[test]
    fn text_that_is_no_source_says_why() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<RuleSource>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("ftp://example.org/a.wasm", "ftp:// is no source");
        check("http://example.org/a.wasm", "only https://");
        check("http://127.0.0.1.example.org/a.wasm", "only https://");
        check("https://user:secret@example.org/a.wasm", "not sent");
        check("https://", "empty host");
        check("https://example.org/a.wasm#sha256=ab", "#sha256=<digest>");
        check(&format!("https://example.org/a.wasm#{DIGEST}"), "#sha256=<digest>");
        check("ipfs://hello", "hello");
        check("oci://", "looks like");
        let error = "https://user:secret@example.org/".parse::<RuleSource>().expect_err("credentials");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn registry_on_this_machine_is_told_from_others() {
        for (registry, expected) in [
            ("127.0.0.1:5000", true),
            ("localhost:5000", true),
            ("localhost", true),
            ("ghcr.io", false),
            ("127.example.org", false),
        ] {
            assert_eq!(is_loopback_registry(registry), expected, "{registry}");
        }
    }
}
