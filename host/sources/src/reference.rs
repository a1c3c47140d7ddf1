//! Names of rules in registries, as users type them.

use std::fmt;

use oci_client::Reference;

/// Most characters of a tag, by the distribution specification.
const TAG_CHARS_MAX: usize = 128;

/// The part of a name in a registry that is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceFault {
    /// A user name or a password before the registry.
    Credentials,
    /// The registry is no host.
    Registry,
    /// A registry alone, or nothing.
    NoRepository,
    /// A capital letter in the repository.
    UpperCase,
    /// Other characters in the repository.
    Repository,
    /// Other characters in the tag.
    Tag,
    /// A digest of another form.
    Digest,
}

impl fmt::Display for ReferenceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials => f.write_str("it holds a user name or password"),
            Self::Registry => f.write_str("the registry is not HOST or HOST:PORT"),
            Self::NoRepository => f.write_str("no repository is named"),
            Self::UpperCase => f.write_str("found a capital letter in the repository's name, expected a-z"),
            Self::Repository => f.write_str("the repository is not names of a-z, 0-9, '.', '_' and '-' between '/'"),
            Self::Tag => write!(f, "the tag is not 1 to {TAG_CHARS_MAX} letters, digits, '_', '.' and '-'"),
            Self::Digest => f.write_str("the digest is not sha256: and 64 hex digits"),
        }
    }
}

/// Reads `registry/repository[:tag][@digest]`.
pub(crate) fn read(text: &str) -> Result<Reference, ReferenceFault> {
    // The parser's own error names no part.
    text.parse().map_err(|_| fault(text))
}

/// The first fault of a text that is no reference.
fn fault(text: &str) -> ReferenceFault {
    let (name, digest) = match text.rsplit_once('@') {
        // No digest has a `/`, which what follows a password has.
        Some((_, rest)) if rest.contains('/') => return ReferenceFault::Credentials,
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    if name.contains('@') {
        return ReferenceFault::Credentials;
    }
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return ReferenceFault::Digest;
    }
    let (registry, rest) = name.split_once('/').map_or((None, name), |(registry, rest)| (Some(registry), rest));
    if registry.is_some_and(|registry| !is_host(registry)) {
        return ReferenceFault::Registry;
    }
    let (repository, tag) = rest.split_once(':').map_or((rest, None), |(repository, tag)| (repository, Some(tag)));
    if repository.is_empty() {
        ReferenceFault::NoRepository
    } else if repository.contains(|character: char| character.is_ascii_uppercase()) {
        ReferenceFault::UpperCase
    } else if tag.is_some_and(|tag| !is_tag(tag)) {
        ReferenceFault::Tag
    } else {
        ReferenceFault::Repository
    }
}

fn is_digest(text: &str) -> bool {
    let is_hex = |digits: &str| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.strip_prefix("sha256:").is_some_and(is_hex)
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.split('.').all(is_label) && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_tag(text: &str) -> bool {
    let plain = |character: char| character.is_alphanumeric() || "_.-".contains(character);
    (1..=TAG_CHARS_MAX).contains(&text.chars().count()) && text.chars().all(plain) && !text.starts_with(['.', '-'])
}
