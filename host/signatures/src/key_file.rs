//! Files in place of a key, and the command that makes one of each.

use std::{fmt, path::Path};

/// Label of a private key in PEM (RFC 5958).
pub(crate) const PRIVATE: &str = "PRIVATE KEY";
/// Label of a public key in PEM (RFC 5280).
pub(crate) const PUBLIC: &str = "PUBLIC KEY";

/// The key that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// One that signs.
    Private,
    /// One that a signature is checked by.
    Public,
    /// The same, of an algorithm that signatures are checked for.
    PublicOfKnownAlgorithm,
}

/// The content of a file that holds no key of the kind that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// A public key.
    Public,
    /// A private key in PKCS #8, of another curve or algorithm or damaged.
    Private,
    /// A private key in the form of `openssl ecparam -genkey` (RFC 5915).
    Sec1,
    /// A private key in PKCS #8 behind a password.
    Encrypted,
    /// A private key as cosign keeps it, behind a password and in a form that no other program reads.
    Sigstore,
    /// PEM with another label.
    OtherPem,
    /// Text without PEM.
    Text,
    /// Bytes that are no text.
    Binary,
    /// No bytes.
    Empty,
}

impl KeyFile {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let Ok(text) = str::from_utf8(bytes) else { return Self::Binary };
        let has = |label: &str| text.contains(&format!("-----BEGIN {label}-----"));
        if has(PUBLIC) {
            Self::Public
        } else if has(PRIVATE) {
            Self::Private
        } else if has("EC PRIVATE KEY") {
            Self::Sec1
        } else if has("ENCRYPTED PRIVATE KEY") {
            Self::Encrypted
        } else if has("ENCRYPTED SIGSTORE PRIVATE KEY") || has("ENCRYPTED COSIGN PRIVATE KEY") {
            Self::Sigstore
        } else if text.contains("-----BEGIN ") {
            Self::OtherPem
        } else if text.is_empty() {
            Self::Empty
        } else {
            Self::Text
        }
    }

    /// The way from the file at `path` to a key of the kind that is needed.
    pub(crate) fn remedy(self, needed: KeyKind, path: &Path) -> String {
        const KEYGEN: &str = "`refiner rule keygen FILE` makes a key pair";
        let path = path.display();
        match (needed, self) {
            (KeyKind::Private, Self::Sec1) => {
                format!("`openssl pkcs8 -topk8 -nocrypt -in {path} -out signing.pem` writes it in PKCS #8")
            }
            (KeyKind::Private, Self::Encrypted) => {
                format!("`openssl pkey -in {path} -out signing.pem` asks for the password and writes it without")
            }
            (KeyKind::Private, Self::Sigstore) => {
                format!("only cosign reads it; {KEYGEN}, and cosign takes that by `cosign import-key-pair --key FILE`")
            }
            (KeyKind::Private, Self::Public) => format!("name the private key that goes with it; {KEYGEN}"),
            (KeyKind::Public | KeyKind::PublicOfKnownAlgorithm, Self::Sigstore) => {
                format!("`cosign public-key --key {path}` prints its public key")
            }
            (KeyKind::Public | KeyKind::PublicOfKnownAlgorithm, Self::Private | Self::Sec1 | Self::Encrypted) => {
                format!("`openssl pkey -in {path} -pubout -out signing.pub` writes its public key")
            }
            (KeyKind::Private, Self::Private)
            | (KeyKind::Public | KeyKind::PublicOfKnownAlgorithm, Self::Public)
            | (_, Self::OtherPem | Self::Text | Self::Binary | Self::Empty) => KEYGEN.to_owned(),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "a P-256 key in PKCS #8, between BEGIN PRIVATE KEY and END PRIVATE KEY",
            Self::Public => "a public key, between BEGIN PUBLIC KEY and END PUBLIC KEY",
            Self::PublicOfKnownAlgorithm => "a public key of a known algorithm",
        })
    }
}

impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public key that cannot be used here",
            Self::Private => "a private key that cannot be used here",
            Self::Sec1 => "a private key in SEC1, as `openssl ecparam -genkey` writes it",
            Self::Encrypted => "an encrypted private key",
            Self::Sigstore => "a private key of cosign, which is encrypted in a form of its own",
            Self::OtherPem => "PEM with something else than a key",
            Self::Text => "text that is no PEM",
            Self::Binary => "bytes that are no text",
            Self::Empty => "nothing",
        })
    }
}
