//! The signers that the signatures of a component name, unchecked.

use std::fmt;

use sigstore_verify::types::{Bundle, bundle::VerificationMaterialContent};

use crate::{SignatureError, signatures};

/// The signer that a bundle names. Whoever made the bundle could write anything there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimedSigner {
    /// A key, by the SHA-256 of its public half in base64, as [`PublicKey::fingerprint`](crate::PublicKey::fingerprint) gives it.
    Key(String),
    /// The identity in a certificate.
    Certificate,
    /// None: the bundle cannot be read.
    Unreadable,
}

impl ClaimedSigner {
    fn of(bundle: &[u8]) -> Self {
        let bundle = std::str::from_utf8(bundle).ok().and_then(|text| Bundle::from_json(text).ok());
        match bundle.map(|bundle| bundle.verification_material.content) {
            Some(VerificationMaterialContent::PublicKey(key)) => Self::Key(key.hint),
            Some(
                VerificationMaterialContent::Certificate(_) | VerificationMaterialContent::X509CertificateChain { .. },
            ) => Self::Certificate,
            Some(_) | None => Self::Unreadable,
        }
    }
}

/// The signers that the component's signatures name, in the order of the signatures.
///
/// # Errors
///
/// Those of [`signatures`].
pub fn claimed_signers(component: &[u8]) -> Result<Vec<ClaimedSigner>, SignatureError> {
    Ok(signatures(component)?.bundles.into_iter().map(ClaimedSigner::of).collect())
}

impl fmt::Display for ClaimedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(hint) => write!(f, "key {hint}"),
            Self::Certificate => f.write_str("certificate"),
            Self::Unreadable => f.write_str("unreadable bundle"),
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ComponentSection as _, CustomSection};

    use super::*;
    use crate::{SECTION, SigningKey, sign};

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn signers_are_those_whom_the_bundles_name_in_their_order() {
        assert_eq!(claimed_signers(COMPONENT).expect("readable sections"), []);
        let keys = [(); 2].map(|()| SigningKey::generate().expect("random bytes"));
        let mut signed =
            keys.iter().fold(COMPONENT.to_vec(), |component, key| sign(&component, key).expect("a component"));
        CustomSection { name: SECTION.into(), data: b"{}".as_slice().into() }.append_to_component(&mut signed);
        let named = claimed_signers(&signed).expect("readable sections");
        let [first, second] = keys.map(|key| ClaimedSigner::Key(key.public().fingerprint()));
        assert_eq!(named, [first.clone(), second, ClaimedSigner::Unreadable]);
        assert!(first.to_string().starts_with("key "), "{first}");
        assert_eq!(ClaimedSigner::Unreadable.to_string(), "unreadable bundle");
    }
}
