//! The signers that an operator demands, and whether a component is signed by one of them.

use std::{
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
    str,
};

use sigstore_verify::{
    Policy, PublicKeyVerificationPolicy, VerificationPolicy, Verifier, trust_root::TrustedRoot, types::Bundle,
};

use crate::{PublicKey, SignError, SignatureError, provider, signatures};

/// Longest trust root. Sigstore's own has 6 KiB.
const TRUST_ROOT_BYTES_MAX: u64 = 1 << 20;
/// A trust root without any authority, under which signatures by keys are checked.
const NO_AUTHORITIES: &str = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;

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
pub struct Signers {
    signers: Vec<(String, Box<dyn Policy>)>,
    verifier: Verifier,
}

impl Signers {
    /// Reads the keys and the trust root.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is of another kind, or an identity is named without a trust root.
    pub fn read(required: &[RequiredSigner], trust_root: Option<&Path>) -> Result<Self, SignatureError> {
        provider::install();
        let is_identity = |signer: &RequiredSigner| matches!(signer, RequiredSigner::Identity { .. });
        if trust_root.is_none() && required.iter().any(is_identity) {
            return Err(SignatureError::NoTrustRoot);
        }
        let text = match trust_root {
            Some(path) => file(path)?,
            None => NO_AUTHORITIES.to_owned(),
        };
        let refuse = |source| SignatureError::TrustRoot {
            path: trust_root.unwrap_or(Path::new("")).to_owned(),
            source: Box::new(source),
        };
        let root = TrustedRoot::from_json(&text).map_err(|error| refuse(error.into()))?;
        let verifier = Verifier::new(&root).map_err(refuse)?;
        let signers = required.iter().map(policy).collect::<Result<_, _>>()?;
        Ok(Self { signers, verifier })
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
        let mut others = Vec::new();
        for bundle in bundles {
            let read = str::from_utf8(bundle).ok().and_then(|text| Bundle::from_json(text).ok());
            let Some(bundle) = read else {
                others.push("not a Sigstore bundle".to_owned());
                continue;
            };
            for (shown, policy) in &self.signers {
                match self.verifier.verify(signed, &bundle, policy.as_ref()) {
                    Ok(_) => return Ok(shown),
                    Err(error) => others.push(format!("{shown}: {error}")),
                }
            }
        }
        Err(SignatureError::OfOthers(others))
    }
}

fn policy(required: &RequiredSigner) -> Result<(String, Box<dyn Policy>), SignatureError> {
    let policy: Box<dyn Policy> = match required {
        RequiredSigner::Key(path) => {
            let key = PublicKey::read(path).map_err(|error| SignatureError::Signer(Box::new(error)))?;
            // A key pair answers for itself; a log of signatures is what makes keys of certificates accountable.
            Box::new(PublicKeyVerificationPolicy::new(key.0).skip_tlog_unsafe())
        }
        RequiredSigner::Identity { identity, issuer } => {
            Box::new(VerificationPolicy::new(identity.as_str(), issuer.as_str()))
        }
    };
    Ok((required.to_string(), policy))
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
        f.debug_list().entries(self.signers.iter().map(|(shown, _)| shown)).finish()
    }
}
