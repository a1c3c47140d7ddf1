//! Bytecode that is decoded when it is needed.

use alloy_primitives::{B256, Bytes};
use refiner_specimen::{BytecodeTable, CodeRead, Layout, NotBase64, Specimen, check, decode, decode_shared, encode};

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
    assert_eq!(shared.block.state.codes, BytecodeTable::default());
    assert_eq!(shared.block.state.codes.len(), 0);
}

#[test]
fn code_whose_text_is_no_base64_is_told_by_whoever_looks() {
    let (whole, _) = two_ways();
    let mut bytes = encode(&whole, Layout::V0_38).unwrap();
    let code = whole.block.state.codes.iter().find(|read| read.code.len() > 8).unwrap();
    let text = base64_simd::STANDARD.encode_to_string(&code.code).into_bytes();
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes[at] = b'*';

    let error = decode(&bytes).unwrap_err().to_string();
    assert!(error.contains(&format!("byte {at}")), "{error}");
    let shared = decode_shared(&bytes.into()).unwrap();
    let codes = &shared.block.state.codes;
    let wrong: Vec<_> = codes.pieces().filter_map(|piece| piece.to_bytes().err()).collect();
    assert_eq!(wrong, [NotBase64 { hash: code.hash }]);
    assert!(check::code_hashes(&shared).failed());
    assert!(codes.iter().any(|read| read.hash == code.hash && read.code.is_empty()));
}
