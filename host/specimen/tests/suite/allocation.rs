//! How much memory decoding takes, whatever the bytes claim.
// Counting allocations takes an allocator, and an allocator takes `unsafe`; it only forwards.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, System},
    cell::Cell,
};

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

/// What a decoder may use for whatever it has not looked at: one chunk of its arena and an error.
const FIXED_BYTES: usize = 80 << 10;

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
    let transactions = |count| with(|specimen| specimen.block.transactions = vec![Transaction::default(); count]);
    let sidecars = |count| with(|specimen| specimen.block.blob_sidecars = Some(vec![BlobSidecar::default(); count]));
    let blobs = |count| {
        let sidecar = BlobSidecar { blobs: vec![Default::default(); count], ..BlobSidecar::default() };
        with(|specimen| specimen.block.blob_sidecars = Some(vec![sidecar]))
    };
    for (name, bytes, times) in
        [("transactions", transactions(10_000), 20), ("sidecars", sidecars(100_000), 25), ("blobs", blobs(100_000), 11)]
    {
        assert!(decode(&bytes).is_ok(), "{name}");
        let peak = peak_of_decoding(&bytes);
        assert!(peak < times * bytes.len() + FIXED_BYTES, "{name}: {peak} bytes for {}", bytes.len());
    }
}

/// Items that take much more memory than input are counted against a bound of their own.
#[test]
fn more_transactions_than_a_block_can_have_are_refused() {
    let with_transactions = |count| with(|specimen| specimen.block.transactions = vec![Transaction::default(); count]);
    assert!(decode(&with_transactions(1 << 17)).is_ok());
    let error = decode(&with_transactions((1 << 17) + 1)).unwrap_err();
    assert!(error.to_string().ends_with("Transactions: 131073 items, and there can be at most 131072"), "{error}");
}

#[test]
fn more_sidecars_than_a_block_can_have_transactions_are_refused() {
    let sidecars = |count| with(|specimen| specimen.block.blob_sidecars = Some(vec![BlobSidecar::default(); count]));
    assert!(decode(&sidecars(1 << 17)).is_ok());
    let error = decode(&sidecars((1 << 17) + 1)).unwrap_err();
    assert!(error.to_string().ends_with("BlobTxSidecars: 131073 items, and there can be at most 131072"), "{error}");
}

fn with(change: impl FnOnce(&mut Specimen)) -> Vec<u8> {
    let mut specimen = small(Layout::V0_38, 0);
    change(&mut specimen);
    encode(&specimen, Layout::V0_38).unwrap()
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
