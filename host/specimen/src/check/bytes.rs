//! The file's bytes against what was announced and against their own canonical form.

use alloy_primitives::B256;

use super::{Check, CheckName, Outcome, Quantity};
use crate::{Specimen, encode, sha256, specimen_hash as quoted_base64_hash};

/// The bytes hash to the announced specimen hash, by the network's form (quoted base64).
///
/// An announcement that is the sha256 of the raw bytes names the same bytes, so it is reported as not applicable and
/// does not fail (docs/specimen-format.md, section 6).
pub fn specimen_hash(bytes: &[u8], announced: B256) -> Check {
    let name = CheckName::SpecimenHash;
    let computed = quoted_base64_hash(bytes);
    if computed != announced && sha256(bytes) == announced {
        let outcome = Outcome::NotApplicable("the announced hash is of the raw bytes, not of their quoted base64");
        return Check { name, outcome };
    }
    Check::compare(name, Quantity::Hash(announced), Quantity::Hash(computed))
}

/// The bytes are what encoding the decoded specimen gives. A failure shows the offset of the first byte that differs.
pub fn canonical_encoding(bytes: &[u8], specimen: &Specimen) -> Check {
    let name = CheckName::CanonicalEncoding;
    let Ok(encoded) = encode(specimen, specimen.layout) else {
        return Check { name, outcome: Outcome::NotApplicable("its layout cannot represent the specimen") };
    };
    if bytes == encoded {
        return Check { name, outcome: Outcome::Passed };
    }
    let same = std::iter::zip(bytes, &encoded).take_while(|(stated, computed)| stated == computed).count();
    let byte =
        |bytes: &[u8]| bytes.get(same).map_or(Quantity::Absent, |&byte| Quantity::Byte { offset: same as u64, byte });
    Check::compare(name, byte(bytes), byte(&encoded))
}
