//! The reference by which a user names a rule.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use oci_client::Reference;
use refiner_content::{ContentId, IdError};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use url::{Host, Url};

use crate::{
    Sha256, Sha256Error, beside,
    reference::{self, ReferenceFault},
};

/// Prefix of a component's digest after a URL.
const COMPONENT_PIN: &str = "sha256=";
/// Prefix of the pin of the manifest beside it: a digest after a URL, a content id after another.
const MANIFEST_PIN: &str = "manifest=";
/// In place of a query, which can be a secret.
pub(crate) const HIDDEN_QUERY: &str = "?…";

/// Where a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSource {
    /// A file on this machine.
    File(PathBuf),
    /// `https://…/rule.wasm#sha256=<64 hex>`, with `&manifest=<64 hex>` where the manifest lies beside it as `rule.toml`.
    Url {
        /// Without the fragment.
        url: Url,
        /// The digest that its bytes must have.
        sha256: Option<Sha256>,
        /// The digest of the manifest beside it.
        manifest: Option<Sha256>,
    },
    /// `ipfs://<content id>`, which is its own pin, with `#manifest=<content id>` where the component holds none.
    Ipfs {
        /// The component.
        id: ContentId,
        /// The manifest.
        manifest: Option<ContentId>,
    },
    /// `oci://registry/repository[:tag]@sha256:<64 hex>`, where the digest is the manifest's.
    Oci(Reference),
}

/// Text that names no source.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableSource {
    /// Not a URL.
    #[error("the URL of a rule cannot be read: {source}")]
    Url {
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
    #[error("{address}: only https:// is fetched from other machines")]
    Insecure {
        /// The address, without what may be secret.
        address: Address,
    },
    /// A password would end up in logs and in the lock.
    #[error("{scheme}://…: the source of a rule holds a user name or password, and those are not sent")]
    Credentials {
        /// Scheme of the source.
        scheme: &'static str,
    },
    /// The fragment after `#` is no digest.
    #[error(
        "#{fragment}: after the URL of a rule comes #sha256=<digest>, with &manifest=<digest> for a manifest beside it"
    )]
    Fragment {
        /// The fragment as typed.
        fragment: String,
        /// The reason why it is none.
        source: Sha256Error,
    },
    /// A path below a content id.
    #[error("ipfs://{text}: a rule is named by the content id of its own bytes, and this is a path below another")]
    IpfsPath {
        /// The text after the scheme.
        text: String,
    },
    /// Something else than a manifest's id after a content id.
    #[error(
        "#{fragment}: after ipfs://<content id> comes nothing, or #manifest=<content id> for a component that holds no manifest"
    )]
    IpfsFragment {
        /// The fragment as typed.
        fragment: String,
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
    #[error("{text}: {fault}; one looks like oci://ghcr.io/owner/rule:1.0.0@sha256:<digest>")]
    Reference {
        /// The text as it was typed, without what may be a password.
        text: String,
        /// The part that is not as it should be.
        fault: ReferenceFault,
    },
}

impl Diagnostic for UnreadableSource {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::IpfsPath { text } => Some(
                format!("`ipfs resolve -r /ipfs/{text}` prints the id that the path stands for today; name it as ipfs://<id>").into(),
            ),
            Self::Credentials { scheme: "oci" } => Some(
                "name the registry alone, and log in to it by `docker login` or `podman login`: their logins are read".into(),
            ),
            Self::Scheme { .. } | Self::Url { .. } | Self::Insecure { .. } | Self::Credentials { .. } => None,
            Self::Fragment { .. } | Self::IpfsFragment { .. } | Self::ContentId { .. } | Self::Reference { .. } => None,
        }
    }
}

impl RuleSource {
    /// The same without its pin: what the lock knows it by.
    pub fn unpinned(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url { url, .. } => url.to_string(),
            Self::Ipfs { id, manifest: None } => format!("ipfs://{id}"),
            Self::Ipfs { id, manifest: Some(manifest) } => format!("ipfs://{id}#{MANIFEST_PIN}{manifest}"),
            Self::Oci(reference) => {
                let tag = reference.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
                format!("oci://{}/{}{tag}", reference.registry(), reference.repository())
            }
        }
    }

    /// The place of a manifest beside the component, for messages; `None` where nothing can be beside it.
    pub fn manifest_place(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(path.with_extension("toml").display().to_string()),
            Self::Url { url, .. } => Some(without_secrets(&beside::manifest_of(url))),
            Self::Ipfs { .. } | Self::Oci(_) => None,
        }
    }

    /// The same for messages: of a URL its scheme, host, port and path, because queries can be secrets.
    pub fn shown(&self) -> String {
        match self {
            Self::Url { url, .. } => without_secrets(url),
            Self::File(_) | Self::Ipfs { .. } | Self::Oci(_) => self.unpinned(),
        }
    }

    /// The whole for messages, without the query of a URL.
    pub(crate) fn shown_with_pin(&self) -> String {
        format!("{}{}", self.shown(), Pins(self))
    }
}

/// An address for messages: scheme, host, port and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    pub(crate) fn of_content(id: &ContentId) -> Self {
        Self(format!("ipfs://{id}"))
    }

    pub(crate) fn of(url: &Url) -> Self {
        Self(without_secrets(url))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The part of a URL that can stand in a message.
fn without_secrets(url: &Url) -> String {
    let mut bare = url.clone();
    // Neither can fail for a URL that has a host.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let query = url.query().map_or("", |_| HIDDEN_QUERY);
    bare.set_query(None);
    bare.set_fragment(None);
    format!("{bare}{query}")
}

/// The pins of a source as they follow its name.
struct Pins<'a>(&'a RuleSource);

impl fmt::Display for Pins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            RuleSource::Url { sha256: Some(sha256), manifest, .. } => {
                write!(f, "#{COMPONENT_PIN}{sha256}")?;
                manifest.map_or(Ok(()), |manifest| write!(f, "&{MANIFEST_PIN}{manifest}"))
            }
            RuleSource::Oci(reference) => reference.digest().map_or(Ok(()), |digest| write!(f, "@{digest}")),
            RuleSource::Url { sha256: None, .. } | RuleSource::File(_) | RuleSource::Ipfs { .. } => Ok(()),
        }
    }
}

impl fmt::Display for RuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.unpinned(), Pins(self))
    }
}

impl FromStr for RuleSource {
    type Err = UnreadableSource;

    fn from_str(text: &str) -> Result<Self, UnreadableSource> {
        match text.split_once("://") {
            None => Ok(Self::File(text.into())),
            Some(("https" | "http", _)) => web(text),
            Some(("ipfs", rest)) => ipfs(rest),
            Some(("oci", text)) => oci(text),
            Some((scheme, _)) => Err(UnreadableSource::Scheme { scheme: scheme.to_owned() }),
        }
    }
}

fn web(text: &str) -> Result<RuleSource, UnreadableSource> {
    let mut url = Url::parse(text).map_err(|source| UnreadableSource::Url { source })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UnreadableSource::Credentials { scheme: "https" });
    }
    let (sha256, manifest) = url.fragment().map(pins).transpose()?.unwrap_or_default();
    url.set_fragment(None);
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(UnreadableSource::Insecure { address: Address::of(&url) });
    }
    Ok(RuleSource::Url { url, sha256, manifest })
}

/// The digests after a URL: the component's, and the manifest's where there is one.
fn pins(fragment: &str) -> Result<(Option<Sha256>, Option<Sha256>), UnreadableSource> {
    let (component, manifest) = match fragment.split_once('&') {
        Some((component, manifest)) => (component, Some(manifest)),
        None => (fragment, None),
    };
    let digest = |text: &str, prefix: &str| -> Result<Sha256, UnreadableSource> {
        let digest = text.strip_prefix(prefix).ok_or(Sha256Error).and_then(str::parse);
        digest.map_err(|source| UnreadableSource::Fragment { fragment: fragment.to_owned(), source })
    };
    let manifest = manifest.map(|text| digest(text, MANIFEST_PIN)).transpose()?;
    Ok((Some(digest(component, COMPONENT_PIN)?), manifest))
}

fn oci(text: &str) -> Result<RuleSource, UnreadableSource> {
    reference::read(text).map(RuleSource::Oci).map_err(|fault| match fault {
        ReferenceFault::Credentials => UnreadableSource::Credentials { scheme: "oci" },
        // Before an `@` that no digest follows may stand a password.
        ReferenceFault::Digest => {
            let digest = text.rsplit_once('@').map_or("", |(_, digest)| digest);
            UnreadableSource::Reference { text: format!("oci://…@{digest}"), fault }
        }
        ReferenceFault::Registry
        | ReferenceFault::NoRepository
        | ReferenceFault::UpperCase
        | ReferenceFault::Repository
        | ReferenceFault::Tag => UnreadableSource::Reference { text: format!("oci://{text}"), fault },
    })
}

fn ipfs(text: &str) -> Result<RuleSource, UnreadableSource> {
    let (name, fragment) = match text.split_once('#') {
        Some((name, fragment)) => (name, Some(fragment)),
        None => (text, None),
    };
    if name.split('/').next().is_some_and(|id| id.contains('@')) {
        return Err(UnreadableSource::Credentials { scheme: "ipfs" });
    }
    if name.trim_end_matches('/').contains('/') {
        return Err(UnreadableSource::IpfsPath { text: name.to_owned() });
    }
    let id = |text: &str| -> Result<ContentId, UnreadableSource> {
        text.parse().map_err(|source| UnreadableSource::ContentId { text: text.to_owned(), source })
    };
    let manifest = fragment.map(|fragment| {
        let unreadable = || UnreadableSource::IpfsFragment { fragment: fragment.to_owned() };
        id(fragment.strip_prefix(MANIFEST_PIN).ok_or_else(unreadable)?)
    });
    let manifest = manifest.transpose()?;
    Ok(RuleSource::Ipfs { id: id(name)?, manifest })
}

/// True for an address on this machine, which is spoken to without encryption.
pub(crate) fn is_loopback(url: &Url) -> bool {
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
        let both = format!("https://example.org/a.wasm#sha256={DIGEST}&manifest={DIGEST}");
        check(&both, "https://example.org/a.wasm");
        let id = "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu";
        check(&format!("ipfs://{id}"), &format!("ipfs://{id}"));
        check(&format!("ipfs://{id}#manifest={id}"), &format!("ipfs://{id}#manifest={id}"));
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
        check(&format!("https://example.org/a.wasm#sha256={DIGEST}&{DIGEST}"), "&manifest=<digest>");
        check("ipfs://hello", "hello");
        check("ipfs://hello/rule.wasm", "the content id of its own bytes");
        check("ipfs://hello#rule", "#manifest=<content id>");
        check("oci://", "looks like");
    }

    #[test]
    fn password_of_a_source_is_in_no_error() {
        let pinned = format!("oci://user:secret@r.example/rule:1@sha256:{DIGEST}");
        for text in [
            "https://user:secret@example.org/",
            "http://example.org/a?token=secret",
            "https://u:secret@[/",
            "ipfs://user:secret@gateway/bafy",
            "ftp://user:secret@example.org/a.wasm",
            "oci://user:secret@r.example:5443/a/rule:1",
            "oci://user:secret@r.example:5443",
            "oci://user:sec@secret@r.example/rule",
            "oci://user:secret/more@r.example/rule",
            "oci://user:secret/more@r.example",
            &pinned,
        ] {
            let error = text.parse::<RuleSource>().expect_err(text);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
        let error = "oci://user:secret@r.example/rule:1".parse::<RuleSource>().expect_err("a password");
        assert!(matches!(error, UnreadableSource::Credentials { scheme: "oci" }), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("`docker login`")), "{:?}", error.hint());
    }

    #[test]
    fn unreadable_reference_names_the_part_that_is_at_fault() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<RuleSource>().expect_err(text).to_string();
            assert_eq!(error.split_once("; one looks like ").expect("an example").0, expected);
        };
        check(
            "oci://r.example/Rule:1",
            "oci://r.example/Rule:1: found a capital letter in the repository's name, expected a-z",
        );
        check("oci://r.example/", "oci://r.example/: no repository is named");
        check("oci://", "oci://: no repository is named");
        check("oci://r.example:port/rule", "oci://r.example:port/rule: the registry is not HOST or HOST:PORT");
        check(
            "oci://r.example/rule:1 0",
            "oci://r.example/rule:1 0: the tag is not 1 to 128 letters, digits, '_', '.' and '-'",
        );
        check(
            "oci://r.example/a//b",
            "oci://r.example/a//b: the repository is not names of a-z, 0-9, '.', '_' and '-' between '/'",
        );
        let wrong_digest = "oci://…@sha256:ab: the digest is not sha256: and 64 hex digits";
        check("oci://r.example/rule:1@sha256:ab", wrong_digest);
    }

    #[test]
    fn query_of_a_url_is_part_of_its_name_and_of_no_message() {
        let text = format!("https://example.org/a/b.wasm?token=secret#sha256={DIGEST}");
        let source: RuleSource = text.parse().expect("a source");
        assert_eq!(source.unpinned(), "https://example.org/a/b.wasm?token=secret");
        assert_eq!(source.shown(), "https://example.org/a/b.wasm?…");
        assert_eq!(source.shown_with_pin(), format!("https://example.org/a/b.wasm?…#sha256={DIGEST}"));
    }

    #[test]
    fn path_below_a_content_id_comes_with_the_command_that_resolves_it() {
        let error = "ipfs://bafy/dist/rule.wasm".parse::<RuleSource>().expect_err("a path");
        let hint = error.hint().expect("there is a way").to_string();
        assert!(hint.contains("`ipfs resolve -r /ipfs/bafy/dist/rule.wasm`"), "{hint}");
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
