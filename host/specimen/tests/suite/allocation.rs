//! Bounds of the memory that decoding takes, whatever the bytes claim.
// Counting allocations takes an allocator, and an allocator takes `unsafe`; it only forwards.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, System},
    cell::Cell,
};

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::Bytes;
use refiner_specimen::{BlobSidecar, Layout, Specimen, Transaction, decode, encode};

use crate::{random, real};

/// Bytes in use and the most there were, by the thread that asked: tests run side by side.
struct Counting;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: std::alloc::Layout) {
        count(-layout.size().cast_signed());
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: isize) {
    IN_USE.set(IN_USE.get() + bytes);
    PEAK.set(PEAK.get().max(IN_USE.get()));
}

/// The most bytes that decoding had in use at once, its result included.
fn peak_of_decoding(bytes: &[u8]) -> usize {
    let before = IN_USE.get();
    PEAK.set(before);
    let _ = decode(bytes);
    (PEAK.get() - before).try_into().unwrap()
}

/// Bytes that a decoder may use beside the input: an error and its path.
const FIXED_BYTES: usize = 4 << 10;

#[test]
fn real_specimen_takes_at_most_one_and_a_half_times_its_size() {
    for specimen in real::specimens() {
        let peak = peak_of_decoding(&specimen.bytes);
        assert!(peak < specimen.bytes.len() * 3 / 2, "{} takes {peak} of {}", specimen.name, specimen.bytes.len());
    }
}

#[test]
fn every_byte_turned_into_a_huge_length_costs_no_more_than_the_input_allows() {
    for layout in Layout::NEWEST_FIRST {
        let bytes = encode(&small(layout, 3), layout).unwrap();
        // As a count: 2^62 items; and as many with a byte size to follow.
        for lie in [[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0xff; 9]] {
            for at in 0..bytes.len() {
                let mut lying = bytes.clone();
                lying.splice(at..=at, lie);
                let peak = peak_of_decoding(&lying);
                assert!(peak < 4 * lying.len() + FIXED_BYTES, "{layout}: a lie at byte {at} takes {peak} bytes");
            }
        }
    }
}

#[test]
fn densest_items_take_a_small_multiple_of_the_input() {
    for (name, bytes, times) in [
        ("transactions", transactions(LIMITS[0].1), 20),
        ("sidecars", sidecars(LIMITS[1].1), 25),
        ("blobs", blobs(LIMITS[2].1), 11),
    ] {
        assert!(decode(&bytes).is_ok(), "{name}");
        let peak = peak_of_decoding(&bytes);
        assert!(peak < times * bytes.len() + FIXED_BYTES, "{name}: {peak} bytes for {}", bytes.len());
    }
}

type Items = fn(usize) -> Vec<u8>;

/// Items that take much more memory or time than input, and how many there can be.
const LIMITS: [(&str, usize, Items); 4] = [
    ("Transactions", 12_288, transactions),
    ("BlobTxSidecars", 256, sidecars),
    ("BlobTxSidecars[0].Blobs", 2_048, blobs),
    ("Withdrawals", 1 << 16, withdrawals),
];

#[test]
fn more_items_than_a_block_can_have_are_refused() {
    for (name, limit, items) in LIMITS {
        assert!(decode(&items(limit)).is_ok(), "{name}");
        let error = decode(&items(limit + 1)).unwrap_err().to_string();
        let expected = format!("{name}: {} items, and there can be at most {limit}", limit + 1);
        assert!(error.ends_with(&expected), "{error}");
    }
}

fn transactions(count: usize) -> Vec<u8> {
    repeated(count, |specimen, count| specimen.block.transactions = vec![Transaction::default(); count])
}

fn sidecars(count: usize) -> Vec<u8> {
    repeated(count, |specimen, count| specimen.block.blob_sidecars = Some(vec![BlobSidecar::default(); count]))
}

fn withdrawals(count: usize) -> Vec<u8> {
    repeated(count, |specimen, count| specimen.block.withdrawals = Some(vec![Withdrawal::default(); count]))
}

fn blobs(count: usize) -> Vec<u8> {
    repeated(count, |specimen, count| {
        let sidecar = BlobSidecar { blobs: vec![Bytes::new(); count], ..BlobSidecar::default() };
        specimen.block.blob_sidecars = Some(vec![sidecar]);
    })
}

/// A specimen with `count` times the item that `fill` puts in, without encoding them one by one.
fn repeated(count: usize, fill: impl Fn(&mut Specimen, usize)) -> Vec<u8> {
    let with = |count| {
        let mut specimen = small(Layout::V0_38, 0);
        fill(&mut specimen, count);
        encode(&specimen, Layout::V0_38).unwrap()
    };
    // They part at the array's first count, 0 in one and 1 in the other; the item and the closing 0 follow.
    let (none, one) = (with(0), with(1));
    let array = std::iter::zip(&none, &one).take_while(|(none, one)| none == one).count();
    let item = &one[array + 1..][..one.len() - none.len() - 1];
    [&none[..array], &varint(count), &item.repeat(count), &none[array..]].concat()
}

/// A positive number in zigzag.
fn varint(number: usize) -> Vec<u8> {
    let mut rest = number << 1;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap());
    bytes
}

/// A random specimen of at most three kilobytes.
fn small(layout: Layout, first_seed: u64) -> Specimen {
    let sized = |seed| {
        let specimen = random::specimen(layout, seed);
        let bytes = encode(&specimen, layout).unwrap().len();
        (bytes < 3 << 10).then_some(specimen)
    };
    (first_seed..).find_map(sized).unwrap()
}
