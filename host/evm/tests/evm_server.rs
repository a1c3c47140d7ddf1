//! The evm-server's bytes for real mainnet blocks, by the hashes that operators agreed on.

// Clippy takes what tests call for something else than a test.
#![allow(clippy::unwrap_used)]

use refiner_evm::{EmbeddedExecutor, Era, ExecuteError, ResultFormat, Unsupported};
use refiner_specimen::sha256;
use refiner_testblocks::shared;

#[track_caller]
fn check(height: u64, era: Era, expected: &str) {
    let Some(specimen) = shared::specimen(height) else { return };
    let executor = EmbeddedExecutor::default();
    for run in ["cold", "warm"] {
        let execution = executor.execute(&specimen, ResultFormat::EvmServer(era)).expect("an execution");
        assert_eq!(
            const_hex::encode(sha256(&execution.block_result(&specimen).unwrap())),
            expected,
            "{height}, {run} code cache"
        );
    }
}

#[test]
fn published_results_are_reproduced() {
    check(15_892_728, Era::A, "69e766c58a827f3c7548b5c00d043b464a69384e746cbaf73d771881b4dc053a");
    check(16_791_900, Era::A, "3e1cec6d91c3e4329bd72382f3917c5e7d85ad865fa575968320b10bcdafc557");
    check(17_090_940, Era::B, "6932af5a47240b59288d56614d2546da5d482d0f29be4d1a3ce541c99a722ffd");
    check(19_434_485, Era::C, "4bb6dcf767011c8ac64f78740078dcb0d9a680751a07030957418f8ab6c5d619");
    check(22_433_670, Era::E, "5e03995b049ef11c9c98f6fe4c6d4ad72b6a98ffd59b76326b79dd6084006d44");
}

#[test]
fn results_of_an_independent_implementation_are_reproduced() {
    check(19_434_520, Era::C, "47f3f23dee03de7a8e9ef63288abe11975cba69bbd7f716c5470adc9c34c2d10");
    check(19_529_630, Era::D, "0063b50f811fb44ee1c27cde8918204e86fefea5f09650cf8303e33cb5bf1aef");
}

/// An independent implementation names 9f0453942097a1e30231122a31d28a3765404d43305c1355210b53a95408b29a for this block,
/// and there is no published hash. The block lacks no code, hash or account; its receipts and transactions are the header's;
/// and revm over an in-memory database of its own ends in the same state. So the difference is held to be theirs, and this
/// is our own figure.
#[test]
fn a_block_that_leaves_nothing_to_interpretation_keeps_its_bytes() {
    let expected = "b673fa496cd3c89e338597df04b5a1c154bc4f4ea6e4a7cb721faf573c17dbd5";
    check(16_792_200, Era::A, expected);
    let Some(specimen) = shared::specimen(16_792_200) else { return };
    let execution = EmbeddedExecutor::default().execute(&specimen, ResultFormat::EvmServer(Era::A)).unwrap();
    let failed: Vec<_> = execution.checks.iter().filter(|check| check.failed()).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn checks_inform_and_do_not_refuse() {
    // Code of which only the size was used is empty to the evm-server, so its receipts are not the chain's.
    let Some(specimen) = shared::specimen(16_791_900) else { return };
    let execution = EmbeddedExecutor::default().execute(&specimen, ResultFormat::EvmServer(Era::A)).unwrap();
    let failed: Vec<_> =
        execution.checks.iter().filter(|check| check.failed()).map(|check| check.name.as_str()).collect();
    assert_eq!(failed, ["gasUsed", "receiptsRoot", "producerReceipts"]);
}

#[test]
fn a_type_4_transaction_is_unsupported_before_era_e() {
    let Some(specimen) = shared::specimen(22_433_670) else { return };
    for era in [Era::C, Era::D] {
        let format = ResultFormat::EvmServer(era);
        let error = EmbeddedExecutor::default().execute(&specimen, format).unwrap_err();
        let expected = Unsupported::TransactionType { transaction: 46, tx_type: 4, format: format.as_str() };
        assert_eq!(error, ExecuteError::Unsupported(expected));
    }
}
