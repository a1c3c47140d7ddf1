//! References and digests, as registries write them.

use oci_client::Reference;
use refiner_content::Excerpt;

use super::error::OciError;
use crate::Sha256;

/// Prefix of a sha256 in a registry.
pub(super) const ALGORITHM: &str = "sha256:";

/// The digest that a registry states.
pub(super) fn sha256(digest: &str, reference: &Reference) -> Result<Sha256, OciError> {
    let sha256 = digest.strip_prefix(ALGORITHM).and_then(|digits| digits.parse().ok());
    sha256.ok_or_else(|| OciError::Digest { reference: shown(reference), digest: Excerpt::of(digest.as_bytes()) })
}

/// A reference for a message.
pub(super) fn shown(reference: &Reference) -> String {
    format!("oci://{}", reference.whole())
}
