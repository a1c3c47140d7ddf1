//! Bytecode that is decoded when somebody looks.

use alloy_primitives::{B256, Bytes};
use refiner_specimen::{CodeRead, Codes, Layout, Specimen, decode_shared, encode};

use crate::random;

/// A specimen with several pieces of code, and the same as it comes out of its bytes undecoded.
fn two_ways() -> (Specimen, Specimen) {
    let some = |seed| random::specimen(Layout::V0_38, seed);
    let whole = (0..).map(some).find(|specimen| specimen.block.state.codes.len() > 2).unwrap();
    let bytes = Bytes::from(encode(&whole, Layout::V0_38).unwrap());
    let shared = decode_shared(&bytes).unwrap();
    (whole, shared)
}

#[test]
fn undecoded_code_is_counted_compared_and_walked_as_if_it_were_decoded() {
    let (whole, shared) = two_ways();
    let codes = &shared.block.state.codes;
    assert_eq!(codes.len(), whole.block.state.codes.len());
    assert!(!codes.is_empty());
    assert_eq!(codes.clone(), whole.block.state.codes);
    assert!(std::iter::zip(codes, &whole.block.state.codes).all(|(shared, whole)| shared == whole));
    assert_eq!(format!("{codes:?}"), format!("{:?}", whole.block.state.codes));
}

#[test]
fn undecoded_code_can_be_added_to_and_emptied() {
    let (mut whole, mut shared) = two_ways();
    let more = CodeRead { hash: B256::ZERO, code: Bytes::from_static(b"more") };
    for specimen in [&mut whole, &mut shared] {
        specimen.block.state.codes.push(more.clone());
    }
    assert_eq!(whole.block.state.codes, shared.block.state.codes);
    assert_eq!(shared.block.state.codes.last(), Some(&more));
    shared.block.state.codes.clear();
    assert_eq!(shared.block.state.codes, Codes::default());
    assert_eq!(shared.block.state.codes.len(), 0);
}
