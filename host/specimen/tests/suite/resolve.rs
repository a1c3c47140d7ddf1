//! Values that a layout cannot express, found by the hashes that cover them.

use alloy_consensus::{Header, proofs::calculate_ommers_root};
use alloy_primitives::{B256, Bytes, U256};
use refiner_specimen::{Layout, Specimen, check, decode_as, decode_shared, encode, peek_header};

use crate::random;

/// Difficulties that doubles of 0.2 are off by one from, and by two: 2^53 + 1, and beside 2^54 as mainnet's came to be.
const ROUNDED: [u64; 6] =
    [(1 << 53) + 1, (1 << 53) + 3, 11_512_956_333_563_599, 11_512_956_333_563_597, (1 << 54) + 2, (1 << 54) + 6];

/// A specimen whose header is as given, with the hash of it, and whose uncles are those of its `sha3Uncles`.
fn of(layout: Layout, change: impl Fn(&mut Header), uncles: &[Header]) -> Specimen {
    let mut specimen = random::specimen(layout, 11);
    let block = &mut specimen.block;
    change(&mut block.header);
    block.header.ommers_hash = calculate_ommers_root(uncles);
    block.uncles = Some(uncles.to_vec());
    block.hash = block.header.hash_slow();
    specimen
}

/// The specimen out of its bytes, after a look that every way of decoding gives the same header, and the bytes come back.
#[track_caller]
fn decoded(specimen: &Specimen) -> Specimen {
    let bytes = encode(specimen, specimen.layout).unwrap();
    let decoded = decode_as(&bytes, specimen.layout).unwrap();
    assert!(encode(&decoded, specimen.layout).unwrap() == bytes, "{} changed", specimen.layout);
    // The newest layout that fits can be another, with null for no uncles.
    let shared = decode_shared(&Bytes::from(bytes.clone())).unwrap().block;
    assert_eq!(shared.header, decoded.block.header);
    assert!(shared.uncles.iter().flatten().eq(decoded.block.uncles.iter().flatten()));
    let peek_header = peek_header(&bytes).unwrap();
    assert_eq!(
        (&peek_header.header, peek_header.header_hash),
        (&decoded.block.header, decoded.block.header.hash_slow())
    );
    decoded
}

#[test]
fn base_fee_of_zero_is_absent_where_the_block_hash_covers_none() {
    for layout in Layout::NEWEST_FIRST {
        for base_fee in [None, Some(0), Some(7)] {
            let specimen = of(layout, |header| header.base_fee_per_gas = base_fee, &[]);
            let decoded = decoded(&specimen);
            assert_eq!(decoded.block.header, specimen.block.header, "{layout}");
            assert!(!check::block_hash(&decoded).failed());
        }
    }
}

#[test]
fn rounded_difficulty_is_the_one_that_the_block_hash_covers() {
    for difficulty in ROUNDED.map(U256::from) {
        for base_fee in [None, Some(0), Some(7)] {
            let change = |header: &mut Header| (header.difficulty, header.base_fee_per_gas) = (difficulty, base_fee);
            let specimen = of(Layout::V0_2, change, &[]);
            let decoded = decoded(&specimen);
            assert_eq!(decoded.block.header, specimen.block.header, "{difficulty}");
            assert!(!check::block_hash(&decoded).failed());
        }
    }
}

#[test]
fn header_that_no_reading_gives_its_hash_stays_as_it_stands_on_the_wire() {
    for layout in Layout::NEWEST_FIRST {
        let change =
            |header: &mut Header| (header.difficulty, header.base_fee_per_gas) = (U256::from(1u64 << 53), None);
        let mut specimen = of(layout, change, &[]);
        specimen.block.hash = B256::ZERO;
        let decoded = decoded(&specimen);
        assert_eq!(decoded.block.header.base_fee_per_gas, Some(0));
        assert_eq!(decoded.block.header.difficulty, U256::from(1u64 << 53));
        assert!(check::block_hash(&decoded).failed());
    }
    let mut specimen = of(Layout::V0_2, |header| header.difficulty = U256::from(ROUNDED[0]), &[]);
    specimen.block.hash = B256::ZERO;
    assert_eq!(decoded(&specimen).block.header.difficulty, U256::from(1u64 << 53));
}

#[test]
fn uncles_are_read_so_that_they_have_the_hash_that_the_header_states() {
    for layout in Layout::NEWEST_FIRST {
        let difficulties = if layout == Layout::V0_2 { ROUNDED } else { [7; 6] };
        let uncle = |base_fee_per_gas, difficulty: u64, seed| {
            let header = random::specimen(layout, seed).block.header;
            Header { base_fee_per_gas, difficulty: U256::from(difficulty), ..header }
        };
        // The first block with a base fee can have an uncle from before.
        for [first, second] in [[None, None], [None, Some(0)], [Some(0), None], [Some(0), Some(0)], [Some(7), None]] {
            for (of_first, of_second) in std::iter::zip(difficulties, difficulties.into_iter().rev()) {
                let uncles = [uncle(first, of_first, 3), uncle(second, of_second, 4)];
                for uncles in [&uncles[..], &uncles[..1]] {
                    let specimen = of(layout, |_| (), uncles);
                    assert_eq!(decoded(&specimen).block, specimen.block, "{layout}");
                }
            }
        }
    }
}

#[test]
fn uncles_that_are_not_what_the_header_states_or_too_many_stay_as_they_stand() {
    let uncle = Header { base_fee_per_gas: None, ..Header::default() };
    let mut specimen = of(Layout::V0_31, |_| (), std::slice::from_ref(&uncle));
    specimen.block.header.ommers_hash = B256::ZERO;
    let base_fees = |specimen: &Specimen| -> Vec<_> {
        decoded(specimen).block.uncles.iter().flatten().map(|uncle| uncle.base_fee_per_gas).collect()
    };
    assert_eq!(base_fees(&specimen), [Some(0)]);
    assert_eq!(base_fees(&of(Layout::V0_31, |_| (), &vec![uncle; 3])), [Some(0); 3]);
}

/// Otherwise two ommers of megabytes would be hashed a hundred times.
#[test]
fn header_of_more_extra_data_than_any_chain_has_is_not_hashed_for_its_readings() {
    for (extra_bytes, expected) in [(1 << 14, None), ((1 << 14) + 1, Some(0))] {
        let extra_data = Bytes::from(vec![1; extra_bytes]);
        let long = Header { extra_data: extra_data.clone(), base_fee_per_gas: None, ..Header::default() };
        let short = Header { base_fee_per_gas: None, ..Header::default() };
        let change = |header: &mut Header| {
            header.base_fee_per_gas = None;
            header.extra_data = extra_data.clone();
        };
        let decoded = decoded(&of(Layout::V0_31, change, &[short, long])).block;
        assert_eq!(decoded.header.base_fee_per_gas, expected);
        assert!(decoded.uncles.iter().flatten().all(|uncle| uncle.base_fee_per_gas == expected));
    }
}
