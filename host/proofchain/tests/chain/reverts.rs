//! Every way in which the contract refuses a proof, provoked.

use std::sync::Arc;

use alloy_primitives::B256;
use refiner_proofchain::{Preparation, Proof, Prover, Reaction, Revert, Session, Settlement, Side, Signed};
use refiner_testchain::{FaultyRpc, OPERATOR_KEY, Pruned, STRANGER_KEY, Setup, TestChain};

use crate::{HEIGHT, market, nodes::Scene, proof, prove, prover, prover_with, ready, settlement, start};

async fn refusal(prover: &Prover, proof: &Proof) -> Revert {
    match prover.prepare(proof).await.unwrap() {
        Preparation::Refused(revert) => revert,
        Preparation::Ready(_) => panic!("accepted"),
    }
}

async fn check(prover: &Prover, proof: &Proof, expected: Revert, reaction: Reaction) {
    let revert = refusal(prover, proof).await;
    assert_eq!(revert, expected);
    assert_eq!(revert.reaction(), reaction, "{revert}");
}

#[tokio::test]
async fn hashes_of_zero_and_an_empty_url_are_refused() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let proof = proof(HEIGHT);
    let zero = B256::ZERO;
    check(&prover, &Proof { specimen_hash: zero, ..proof.clone() }, Revert::SpecimenHash, Reaction::Skip).await;
    check(&prover, &Proof { result_hash: zero, ..proof.clone() }, Revert::ResultHash, Reaction::Skip).await;
    let without_url = Proof { url: String::new(), ..proof };
    check(&prover, &without_url, Revert::StorageUrl, Reaction::Retry { slow: false }).await;
}

#[tokio::test]
async fn a_key_without_the_role_stops_proving() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let stranger = prover_with(&chain, chain.url(), STRANGER_KEY).await;
    check(&stranger, &proof(HEIGHT), Revert::Role, Reaction::Stop).await;
    assert!(!stranger.chain().is_enabled(stranger.address()).await.unwrap());
    let operator = prover_with(&chain, chain.url(), OPERATOR_KEY).await;
    assert!(operator.chain().is_enabled(operator.address()).await.unwrap());
}

#[tokio::test]
async fn an_unknown_chain_stops_proving_and_another_divisor_skips() {
    let Some(chain) = start(&Setup { nth_block: 35, ..Setup::default() }).await else { return };
    let prover = prover(&chain).await;
    check(&prover, &Proof { chain_id: 5, ..proof(HEIGHT) }, Revert::ChainId, Reaction::Stop).await;
    check(&prover, &proof(HEIGHT + 1), Revert::Height, Reaction::Skip).await;
    ready(&prover, &proof(HEIGHT)).await;
}

#[tokio::test]
async fn sync_data_that_was_never_set_is_waited_for() {
    let Some(chain) = start(&Setup { source_height: None, ..Setup::default() }).await else { return };
    let division = Revert::Arithmetic { code: 0x12 };
    check(&prover(&chain).await, &proof(HEIGHT), division, Reaction::Retry { slow: true }).await;
}

#[tokio::test]
async fn a_height_out_of_bounds_is_too_old_or_too_new() {
    let setup = Setup { threshold: 4_000, source_block_seconds: 12, ..Setup::default() };
    let Some(chain) = start(&setup).await else { return };
    let prover = prover(&chain).await;
    let bound = prover.chain().live_sync(1).await.unwrap().unwrap();
    assert_eq!(bound.reach, 2_000);
    let old = Revert::OutOfBounds { side: Some(Side::TooOld) };
    check(&prover, &proof(bound.estimate - 2_001), old, Reaction::Skip).await;
    // The estimate is made for the next block already, in which it may be one more.
    let new = Revert::OutOfBounds { side: Some(Side::TooNew) };
    check(&prover, &proof(bound.estimate + 2_002), new, Reaction::Retry { slow: true }).await;
    ready(&prover, &proof(bound.estimate)).await;
    ready(&prover, &proof(bound.estimate + 2_000)).await;
}

#[tokio::test]
async fn a_disabled_validator_stops_proving_in_a_new_session_and_in_an_open_one() {
    let Some(chain) = start(&Setup { max_submissions: 3, ..Setup::default() }).await else { return };
    let prover = prover(&chain).await;
    prove(&chain, &prover, &proof(HEIGHT)).await;
    chain.set_operator_enabled(false).await.unwrap();
    check(&prover, &proof(HEIGHT + 1), Revert::ValidatorDisabled, Reaction::Stop).await;
    let other = Proof { specimen_hash: B256::repeat_byte(7), ..proof(HEIGHT) };
    check(&prover, &other, Revert::ValidatorDisabled, Reaction::Stop).await;
    chain.set_operator_enabled(true).await.unwrap();
    ready(&prover, &proof(HEIGHT + 1)).await;
}

#[tokio::test]
async fn a_session_past_its_deadline_is_closed_and_stays_so() {
    let Some(chain) = start(&Setup { session_blocks: 3, ..Setup::default() }).await else { return };
    let prover = prover(&chain).await;
    let session = Session { chain_id: 1, height: HEIGHT, operator: prover.address() };
    let open = || prover.chain().is_session_open(&session);
    assert!(open().await.unwrap(), "one that never began counts as open");
    prove(&chain, &prover, &proof(HEIGHT)).await;
    assert!(!open().await.unwrap(), "the one submission is used");
    chain.mine(4).await.unwrap();
    check(&prover, &proof(HEIGHT), Revert::SessionClosed, Reaction::Skip).await;
    chain.finalize_result(1, HEIGHT).await.unwrap();
    check(&prover, &proof(HEIGHT), Revert::SessionClosed, Reaction::Skip).await;
    assert!(!open().await.unwrap());
}

#[tokio::test]
async fn what_was_proven_before_is_done() {
    for (max_submissions, expected) in [(1, Revert::SubmissionsUsed), (3, Revert::AlreadySubmitted)] {
        let Some(chain) = start(&Setup { max_submissions, ..Setup::default() }).await else { return };
        let prover = prover(&chain).await;
        prove(&chain, &prover, &proof(HEIGHT)).await;
        check(&prover, &proof(HEIGHT), expected, Reaction::Done).await;
    }
}

#[tokio::test]
async fn a_transaction_that_reverts_in_its_block_says_why() {
    let Some(chain) = start(&Setup { max_submissions: 3, ..Setup::default() }).await else { return };
    let prover = prover(&chain).await;
    let [first, second] = proved_twice_in_a_block(&chain, &prover).await;
    assert!(matches!(settlement(&prover, &[first.hash], 0, 0).await, Settlement::Final { .. }));
    match settlement(&prover, &[second.hash], 1, 0).await {
        Settlement::Reverted { hash, revert, .. } => {
            assert_eq!((hash, revert), (second.hash, Revert::AlreadySubmitted));
        }
        other => panic!("{other:?}"),
    }
}

/// Two transactions with one proof, of which the second reverts. Both are prepared while the contract would take either.
async fn proved_twice_in_a_block(chain: &TestChain, prover: &Prover) -> [Signed; 2] {
    let (prepared, fees) = (ready(prover, &proof(HEIGHT)).await, market(prover).await);
    chain.set_automine(false).await.unwrap();
    let first = prover.sign(&prepared, 0, &fees).await.unwrap();
    let second = prover.sign(&prepared, 1, &fees).await.unwrap();
    prover.send(&first).await;
    prover.send(&second).await;
    chain.mine(1).await.unwrap();
    [first, second]
}

#[tokio::test]
async fn revert_is_settled_without_its_reason_where_the_node_lost_the_state() {
    let Some(chain) = start(&Setup { max_submissions: 3, ..Setup::default() }).await else { return };
    let [_, reverted] = proved_twice_in_a_block(&chain, &prover(&chain).await).await;
    for node in Pruned::ALL {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let prover = prover_with(&chain, proxy.url(), OPERATOR_KEY).await;
        let met = proxy.behave(&Arc::new(node));
        match settlement(&prover, &[reverted.hash], 1, 0).await {
            Settlement::Reverted { hash, revert, paid_wei, .. } => {
                assert_eq!((hash, revert), (reverted.hash, Revert::Unexplained), "{node:?}");
                assert!(paid_wei.is_some(), "{node:?}");
            }
            other => panic!("{node:?}: {other:?}"),
        }
        assert!(met.times() >= 2, "{node:?} is asked for both blocks");
    }
}

#[tokio::test]
async fn reason_that_one_node_lost_comes_from_the_other() {
    for (position, node) in [(0, Pruned::Substrate), (1, Pruned::Geth)] {
        let Some(scene) = Scene::new().await else { return };
        let prover = scene.prover().await;
        let [_, reverted] = proved_twice_in_a_block(&scene.chain, &prover).await;
        let pruned = if position == 0 { &scene.first } else { &scene.second };
        pruned.behave(&Arc::new(node));
        match settlement(&prover, &[reverted.hash], 1, 0).await {
            Settlement::Reverted { revert, .. } => {
                // The default contract takes one submission of a height.
                assert_eq!(revert, Revert::SubmissionsUsed, "{node:?}");
            }
            other => panic!("{node:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_transaction_with_too_little_gas_says_so() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let mut prepared = ready(&prover, &proof(HEIGHT)).await;
    prepared.gas_limit = 60_000;
    let signed = prover.sign(&prepared, 0, &market(&prover).await).await.unwrap();
    prover.send(&signed).await;
    chain.mined(signed.hash).await.unwrap();
    match settlement(&prover, &[signed.hash], 0, 0).await {
        Settlement::Reverted { revert, .. } => assert_eq!(revert, Revert::OutOfGas),
        other => panic!("{other:?}"),
    }
}
