//! Signatures inside a component: custom sections after everything that is signed.

use std::{fs, io::Read as _, path::Path};

use sigstore_verify::types::{
    Bundle, DigestBytes, HashAlgorithm, MediaType, SignatureBytes, SignatureContent,
    bundle::{MessageDigest, MessageSignature, PublicKeyIdentifier, VerificationMaterial, VerificationMaterialContent},
};
use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{BinaryReader, BinaryReaderError};

use crate::{BUNDLE_BYTES_MAX, SIGNATURES_MAX, SignError, SignatureError, SigningKey, provider};

/// Name of the custom section of one signature.
pub const SECTION: &str = "refiner:rule-signature";

/// Number of custom sections.
const CUSTOM_SECTION_ID: u8 = 0;
/// Magic number, version and layer.
const PREAMBLE_BYTES: usize = 8;

/// A component and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures<'c> {
    /// What is signed: the component without signatures.
    pub signed: &'c [u8],
    /// Bundles, unchecked, in the order in which they were put inside.
    pub bundles: Vec<&'c [u8]>,
}

/// Finds the signatures of a component. Only headers of its outermost sections are read.
///
/// # Errors
///
/// The component cannot be read, a signature is too long, there are too many, or something follows them.
pub fn signatures(component: &[u8]) -> Result<Signatures<'_>, SignatureError> {
    let mut reader = BinaryReader::new(component, 0);
    reader.read_bytes(PREAMBLE_BYTES)?;
    let mut found = Signatures { signed: component, bundles: Vec::new() };
    while !reader.eof() {
        let offset = reader.original_position();
        let id = reader.read_u8()?;
        let mut section = reader.read_reader()?;
        if id != CUSTOM_SECTION_ID || section.read_string()? != SECTION {
            if !found.bundles.is_empty() {
                return Err(SignatureError::NotLast { offset });
            }
            continue;
        }
        if found.bundles.is_empty() {
            found.signed = &component[..offset];
        }
        let bytes = section.bytes_remaining();
        if bytes > BUNDLE_BYTES_MAX {
            return Err(SignatureError::TooLong { found: bytes });
        }
        if found.bundles.len() == SIGNATURES_MAX {
            return Err(SignatureError::TooMany);
        }
        found.bundles.push(section.read_bytes(bytes)?);
    }
    Ok(found)
}

/// The component without its signatures, wherever they stand, and their number.
///
/// # Errors
///
/// The component cannot be read.
pub fn without(component: &[u8]) -> Result<(Vec<u8>, usize), SignatureError> {
    let mut reader = BinaryReader::new(component, 0);
    let mut rest = reader.read_bytes(PREAMBLE_BYTES)?.to_vec();
    let mut found = 0;
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        let mut section = reader.read_reader()?;
        if id == CUSTOM_SECTION_ID && section.read_string()? == SECTION {
            found += 1;
        } else {
            rest.extend_from_slice(&component[start..reader.original_position()]);
        }
    }
    Ok((rest, found))
}

/// The component with a signature of the key after what it holds.
///
/// # Errors
///
/// Those of [`signatures`], or the cryptographic library refuses.
pub fn sign(component: &[u8], key: &SigningKey) -> Result<Vec<u8>, SignError> {
    provider::install();
    let signed = signatures(component)?.signed;
    let digest = ring::digest::digest(&ring::digest::SHA256, signed);
    let digest = MessageDigest::new(HashAlgorithm::Sha2256, DigestBytes::new(digest.as_ref().to_vec()));
    let signature = MessageSignature::new(SignatureBytes::new(key.signature(signed)?)).with_message_digest(digest);
    let hint = PublicKeyIdentifier::new(key.public().fingerprint());
    let bundle = Bundle::new(
        MediaType::Bundle0_3,
        VerificationMaterial::new(VerificationMaterialContent::PublicKey(hint)),
        SignatureContent::MessageSignature(signature),
    );
    let text =
        bundle.to_json().map_err(|source| SignError::Bundle { path: SECTION.into(), source: Box::new(source) })?;
    Ok(with(component, text.as_bytes())?)
}

/// The component with the bundle of a file after what it holds. Whose signature it is, is not checked.
///
/// # Errors
///
/// The file is no bundle, or those of [`signatures`].
pub fn attach(component: &[u8], path: &Path) -> Result<Vec<u8>, SignError> {
    let refuse = |source| SignError::File { path: path.to_owned(), source };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(refuse)?;
    file.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(refuse)?;
    Bundle::from_json(&text).map_err(|source| SignError::Bundle { path: path.to_owned(), source: Box::new(source) })?;
    Ok(with(component, text.trim_end().as_bytes())?)
}

fn with(component: &[u8], bundle: &[u8]) -> Result<Vec<u8>, SignatureError> {
    let held = signatures(component)?.bundles.len();
    if bundle.len() > BUNDLE_BYTES_MAX {
        return Err(SignatureError::TooLong { found: bundle.len() });
    }
    if held == SIGNATURES_MAX {
        return Err(SignatureError::TooMany);
    }
    let mut whole = component.to_vec();
    CustomSection { name: SECTION.into(), data: bundle.into() }.append_to_component(&mut whole);
    Ok(whole)
}

impl From<BinaryReaderError> for SignatureError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed { offset: error.offset() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn component_without_signatures_is_what_was_signed_with_what_followed() {
        let key = SigningKey::generate().expect("random bytes");
        assert_eq!(without(COMPONENT).expect("readable sections"), (COMPONENT.to_vec(), 0));
        let once = sign(COMPONENT, &key).expect("a component");
        let twice = sign(&once, &key).expect("a component");
        assert_eq!(without(&twice).expect("readable sections"), (COMPONENT.to_vec(), 2));
        let more = [0, 2, 1, b'x'];
        let spoilt = [&twice[..], &more].concat();
        assert!(matches!(sign(&spoilt, &key), Err(SignError::Component(SignatureError::NotLast { .. }))));
        let rest = [COMPONENT, &more].concat();
        assert_eq!(without(&spoilt).expect("readable sections"), (rest.clone(), 2));
        assert_eq!(signatures(&sign(&rest, &key).expect("a component")).expect("readable sections").signed, rest);
        assert!(without(&spoilt[..spoilt.len() - 1]).is_err());
        assert!(without(b"").is_err());
    }
}
