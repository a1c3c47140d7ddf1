//! The signers that an operator demands, and whether a component is signed by one of them.

use std::{
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
    str,
    sync::Arc,
};

use sigstore_verify::{
    VerificationPolicy, Verifier,
    crypto::VerificationKey,
    trust_root::TrustedRoot,
    types::{Bundle, HashAlgorithm, SignatureContent},
};

use crate::{KeyFile, KeyKind, PublicKey, SignError, SignatureError, error::Reasons, provider, signatures};

/// Longest trust root. Sigstore's own has 6 KiB.
const TRUST_ROOT_BYTES_MAX: u64 = 1 << 20;

/// A signer, as the operator names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequiredSigner {
    /// The owner of a key, by the file with the public key.
    Key(PathBuf),
    /// An identity that an issuer attested when the certificate was made.
    Identity {
        /// Mail address, or URI of a workflow.
        identity: String,
        /// URL of the OpenID Connect issuer.
        issuer: String,
    },
}

/// Signers of which one must have signed.
pub struct Signers(Vec<Signer>);

/// A signer whose key or authorities were read.
struct Signer {
    shown: String,
    check: Check,
}

/// The way to check a signature.
enum Check {
    /// With a key. A key pair answers for itself, so its signature needs no entry in a log.
    Key(VerificationKey),
    /// With a certificate: its chain, its time by the log or an authority of time, and the identity in it.
    Certificate(Arc<Verifier>, Box<VerificationPolicy>),
}

impl Signers {
    /// Reads the keys and the trust root.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is of another kind, or an identity is named without a trust root.
    pub fn read(required: &[RequiredSigner], trust_root: Option<&Path>) -> Result<Self, SignatureError> {
        provider::install();
        let verifier = trust_root.map(verifier).transpose()?.map(Arc::new);
        let signers = required.iter().map(|required| {
            let check = match required {
                RequiredSigner::Key(path) => Check::Key(key(path)?),
                RequiredSigner::Identity { identity, issuer } => {
                    let verifier = verifier.clone().ok_or(SignatureError::NoTrustRoot)?;
                    Check::Certificate(verifier, Box::new(VerificationPolicy::new(identity.as_str(), issuer.as_str())))
                }
            };
            Ok(Signer { shown: required.to_string(), check })
        });
        Ok(Self(signers.collect::<Result<_, SignatureError>>()?))
    }

    /// Checks that a component is signed by one of the signers, and returns which.
    ///
    /// # Errors
    ///
    /// It has no signature of theirs, or its manifest lies outside of what is signed.
    pub fn check(&self, component: &[u8], manifest_is_beside: bool) -> Result<&str, SignatureError> {
        let found = signatures(component)?;
        if found.bundles.is_empty() {
            return Err(SignatureError::Unsigned);
        }
        if manifest_is_beside {
            return Err(SignatureError::ManifestBeside);
        }
        self.check_bundles(found.signed, &found.bundles)
    }

    /// The same for bytes of any kind and their bundles.
    ///
    /// # Errors
    ///
    /// No bundle is of these signers and for these bytes.
    pub fn check_bundles(&self, signed: &[u8], bundles: &[&[u8]]) -> Result<&str, SignatureError> {
        let mut others = Reasons::default();
        for bundle in bundles {
            let read = str::from_utf8(bundle).ok().and_then(|text| Bundle::from_json(text).ok());
            let Some(bundle) = read else {
                others.push("not a Sigstore bundle".to_owned());
                continue;
            };
            for signer in &self.0 {
                match signer.check.verify(signed, &bundle) {
                    Ok(()) => return Ok(&signer.shown),
                    Err(reason) => others.push(format!("{}: {reason}", signer.shown)),
                }
            }
        }
        Err(SignatureError::OfOthers(others))
    }
}

impl Check {
    /// Verifies a bundle over bytes; the error is its reason.
    fn verify(&self, signed: &[u8], bundle: &Bundle) -> Result<(), Reason> {
        match self {
            Self::Certificate(verifier, policy) => verifier
                .verify(signed, bundle, policy.as_ref())
                .map(drop)
                .map_err(|error| Reason::Sigstore(Box::new(error))),
            Self::Key(key) => {
                let SignatureContent::MessageSignature(message) = &bundle.content else {
                    return Err(Reason::OtherContent);
                };
                // The digest is what a reader of the bundle goes by; the signature is over the bytes whatever it states.
                let digest = ring::digest::digest(&ring::digest::SHA256, signed);
                let states_another = message.message_digest.as_ref().is_some_and(|stated| {
                    stated.algorithm == HashAlgorithm::Sha2256 && stated.digest.as_bytes() != digest.as_ref()
                });
                if states_another {
                    return Err(Reason::OtherBytes);
                }
                key.verify(signed, &message.signature).map_err(|_| Reason::OtherKey)
            }
        }
    }
}

/// Reasons for which a bundle is not of a signer.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("the signature is over other bytes")]
    OtherBytes,
    #[error("the signature is of another key")]
    OtherKey,
    #[error("the bundle holds an attestation, expected a signature")]
    OtherContent,
    #[error(transparent)]
    Sigstore(Box<sigstore_verify::Error>),
}

fn key(path: &Path) -> Result<VerificationKey, SignatureError> {
    let signer = |error| SignatureError::Signer(Box::new(error));
    let key = PublicKey::read(path).map_err(signer)?;
    let refuse = |_| {
        let (expected, found) = (KeyKind::PublicOfKnownAlgorithm, KeyFile::Public);
        signer(SignError::NotAKey { path: path.to_owned(), expected, found })
    };
    VerificationKey::from_spki(&key.0).map_err(refuse)
}

fn verifier(trust_root: &Path) -> Result<Verifier, SignatureError> {
    let refuse = |source| SignatureError::TrustRoot { path: trust_root.to_owned(), source: Box::new(source) };
    let root = TrustedRoot::from_json(&file(trust_root)?).map_err(|error| refuse(error.into()))?;
    Verifier::new(&root).map_err(refuse)
}

fn file(path: &Path) -> Result<String, SignatureError> {
    let refuse = |source| SignatureError::Signer(Box::new(SignError::File { path: path.to_owned(), source }));
    let mut text = String::new();
    fs::File::open(path).map_err(refuse)?.take(TRUST_ROOT_BYTES_MAX).read_to_string(&mut text).map_err(refuse)?;
    Ok(text)
}

impl fmt::Display for RequiredSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(path) => write!(f, "key {}", path.display()),
            Self::Identity { identity, issuer } => write!(f, "{identity} by {issuer}"),
        }
    }
}

impl fmt::Debug for Signers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|signer| &signer.shown)).finish()
    }
}
