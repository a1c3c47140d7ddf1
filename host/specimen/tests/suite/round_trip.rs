//! Round trips through the decoder and back, for every layout and any content.

use proptest::prelude::*;
use refiner_specimen::{
    DecodeError, HeaderPeek, Layout, Specimen, check, decode, decode_as, decode_shared, encode, from_json, peek_header,
    to_json,
};

use crate::{oracle, random, real};

fn layouts() -> impl Strategy<Value = Layout> {
    prop::sample::select(Layout::NEWEST_FIRST.to_vec())
}

/// The newest layout by which the bytes of `specimen` can be read: what its own layout adds may not show.
fn newest_reading(specimen: &Specimen) -> Layout {
    match specimen.layout {
        Layout::V0_33 | Layout::V0_34 if specimen.block.uncles.iter().flatten().next().is_none() => Layout::V0_35,
        Layout::V0_33 => Layout::V0_34,
        Layout::V0_3 if specimen.block.state.block_hashes.is_empty() => Layout::V0_31,
        layout => layout,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn specimen_of_any_content_comes_back_from_its_bytes(layout in layouts(), seed: u64) {
        let specimen = random::specimen(layout, seed);
        let bytes = encode(&specimen, layout).unwrap();
        prop_assert_eq!(&decode_as(&bytes, layout).unwrap(), &specimen);
        prop_assert_eq!(&oracle::specimen(&bytes, layout), &specimen);

        let newest = decode(&bytes).unwrap();
        prop_assert_eq!(&decode_shared(&bytes.clone().into()).unwrap(), &newest);
        prop_assert_eq!(newest.layout, newest_reading(&specimen));
        prop_assert_eq!(&encode(&newest, newest.layout).unwrap(), &bytes);
        prop_assert_eq!(&from_json(&to_json(&bytes).unwrap(), newest.layout).unwrap(), &bytes);
    }

    #[test]
    fn bytes_that_decode_mean_the_same_after_encoding(layout in layouts(), seed: u64, at: prop::sample::Index, to: u8) {
        let mut bytes = encode(&random::specimen(layout, seed), layout).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        match (decode_shared(&bytes.clone().into()), decode(&bytes)) {
            (Ok(shared), Ok(whole)) => prop_assert_eq!(shared, whole),
            // Past code whose text is wrong, the one that does not look at it may find something else first.
            (Err(_), Err(_)) => {}
            (Ok(shared), Err(_)) => {
                prop_assert!(shared.block.state.codes.pieces().any(|piece| piece.to_bytes().is_err()));
            }
            (Err(error), Ok(_)) => prop_assert!(false, "only the stricter one reads it: {error}"),
        }
        if let Ok(specimen) = decode(&bytes) {
            let canonical = encode(&specimen, specimen.layout).unwrap();
            prop_assert_eq!(&decode_as(&canonical, specimen.layout).unwrap(), &specimen);
            prop_assert!(to_json(&bytes).is_ok());
            prop_assert_eq!(check::all(&specimen).len(), 9);
        }
    }

    #[test]
    fn bytes_cut_short_are_refused(layout in layouts(), seed: u64, at: prop::sample::Index) {
        let bytes = encode(&random::specimen(layout, seed), layout).unwrap();
        prop_assert!(decode_as(&bytes[..at.index(bytes.len())], layout).is_err());
    }

    #[test]
    fn heading_is_that_of_the_layout_whose_header_has_the_stated_hash(layout in layouts(), seed: u64) {
        let mut specimen = random::specimen(layout, seed);
        specimen.block.hash = specimen.block.header.hash_slow();
        let bytes = encode(&specimen, layout).unwrap();
        let block = specimen.block;
        let (network_id, hash, header) = (block.network_id, block.hash, block.header);
        prop_assert_eq!(peek_header(&bytes).unwrap(), HeaderPeek { network_id, hash, header, header_hash: hash });
    }

    #[test]
    fn heading_is_readable_where_the_specimen_is(layout in layouts(), seed: u64, at: prop::sample::Index, to: u8) {
        let mut bytes = encode(&random::specimen(layout, seed), layout).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let peek_header = peek_header(&bytes);
        if let Ok(peek_header) = &peek_header {
            prop_assert_eq!(peek_header.header_hash, peek_header.header.hash_slow());
        }
        if decode(&bytes).is_ok() {
            prop_assert!(peek_header.is_ok());
        }
    }

    #[test]
    fn random_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
        prop_assert!(decode(&bytes).is_err());
        let _ = peek_header(&bytes);
    }
}

#[test]
fn heading_of_nothing_says_what_is_missing() {
    let Err(DecodeError::Malformed(misfit)) = peek_header(&[]) else { panic!("it has none") };
    assert_eq!(misfit.to_string(), "layout 0.38 fits up to byte 0, at replicaEvent: 1 bytes are needed and 0 are left");
    let Err(DecodeError::Malformed(misfit)) = peek_header(&[0]) else { panic!("it has none") };
    assert_eq!(misfit.to_string(), "layout 0.38 fits up to byte 0, at replicaEvent: the segment holds no block");
}

#[test]
fn real_specimens_mean_what_an_independent_reading_says() {
    for specimen in real::specimens() {
        let decoded = decode(&specimen.bytes).unwrap();
        assert!(oracle::specimen(&specimen.bytes, decoded.layout) == decoded, "{} differs", specimen.name);
    }
}
