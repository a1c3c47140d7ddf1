//! Bytes against an announcement and their own canonical form.

use alloy_primitives::B256;
use refiner_specimen::{
    Layout,
    check::{self, Outcome, Quantity},
    encode, sha256, specimen_hash,
};

use crate::random;

#[test]
fn bytes_are_checked_against_an_announced_hash_and_its_other_form_is_no_failure() {
    let outcome = |announced| check::specimen_hash(b"a specimen", announced).outcome;
    assert_eq!(outcome(specimen_hash(b"a specimen")), Outcome::Passed);
    assert!(matches!(outcome(sha256(b"a specimen")), Outcome::NotApplicable(_)));
    assert!(matches!(outcome(B256::ZERO), Outcome::Failed { .. }));
}

#[test]
fn bytes_that_are_not_the_canonical_encoding_are_found_with_the_first_that_differs() {
    let specimen = random::specimen(Layout::V0_38, 1);
    let mut bytes = encode(&specimen, specimen.layout).unwrap();
    assert_eq!(check::canonical_encoding(&bytes, &specimen).outcome, Outcome::Passed);
    bytes[9] ^= 1;
    let Outcome::Failed { stated, .. } = check::canonical_encoding(&bytes, &specimen).outcome else { panic!() };
    assert_eq!(stated, Quantity::Byte { offset: 9, byte: bytes[9] });
}
