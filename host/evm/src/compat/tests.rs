use std::{fs, path::PathBuf};

use alloy_primitives::hex;

use super::*;

/// sha256 of an era's result for a real block, published by the network where `published`, else by an independent
/// implementation.
#[track_caller]
fn check(height: u64, era: Era, sha256: &str) {
    let shared = std::env::var_os("REFINER_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), Into::into);
    let path = shared.join(format!("specimens/1-{height}.avro"));
    let Ok(bytes) = fs::read(path) else {
        println!("skipped: ../shared/specimens not present");
        return;
    };
    let specimen = refiner_specimen::decode(&bytes).unwrap();
    let chain = ChainSpec::builtin(1).unwrap();
    let execution = execute(&specimen, &chain, era, &CodeCache::default()).unwrap();
    assert_eq!(hex::encode(refiner_specimen::sha256(&execution.block_result)), sha256);
}

#[test]
fn published_results_are_reproduced() {
    check(15_892_728, Era::A, "69e766c58a827f3c7548b5c00d043b464a69384e746cbaf73d771881b4dc053a");
    check(16_791_900, Era::A, "3e1cec6d91c3e4329bd72382f3917c5e7d85ad865fa575968320b10bcdafc557");
    check(17_090_940, Era::B, "6932af5a47240b59288d56614d2546da5d482d0f29be4d1a3ce541c99a722ffd");
    check(19_434_485, Era::C, "4bb6dcf767011c8ac64f78740078dcb0d9a680751a07030957418f8ab6c5d619");
}

#[test]
fn results_of_an_independent_implementation_are_reproduced() {
    check(19_434_520, Era::C, "47f3f23dee03de7a8e9ef63288abe11975cba69bbd7f716c5470adc9c34c2d10");
    check(19_529_630, Era::D, "0063b50f811fb44ee1c27cde8918204e86fefea5f09650cf8303e33cb5bf1aef");
}
