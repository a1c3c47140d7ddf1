//! Proofs that the contract does not take, and nonces that others use.

use std::{sync::Arc, time::Duration};

use refiner_journal::{State, Step};
use refiner_proofchain::{Revert, Sent, SignError};
use tokio::time::sleep;

use super::{
    super::sign::stored,
    Proving, TERMS,
    fake::{self, FIRST_NONCE, FakeChain, GAS_PRICE, Others},
};
use crate::{observe::remedy, state::targets::Targets, testbed::Testbed};

/// One result, of which the contract says this when it is prepared; after some time.
async fn refused(revert: Revert, seconds: u64) -> (Proving, State) {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    chain.account().refusals.push_back(revert);
    let proving = Proving::of(bed, chain, TERMS);
    proving.for_s(seconds).await;
    let state = proving.state(&item);
    (proving, state)
}

#[tokio::test(start_paused = true)]
async fn proof_that_is_on_chain_or_never_will_be_is_skipped_for_free() {
    for revert in [Revert::AlreadySubmitted, Revert::SubmissionsUsed, Revert::SessionClosed, Revert::Height] {
        let (proving, state) = refused(revert.clone(), 1).await;
        assert_eq!(state, State::Skipped, "{revert}");
        assert!(proving.chain.account().sent.is_empty(), "{revert}");
    }
}

#[tokio::test(start_paused = true)]
async fn proof_that_may_be_taken_later_is_prepared_again() {
    let (proving, state) = refused(Revert::OutOfGas, 0).await;
    assert_eq!(state, State::Pinned, "nothing happened yet");
    proving.for_s(9).await;
    assert_eq!(proving.chain.account().prepared.len(), 2);
    let (proving, state) = refused(Revert::SessionRunning, 59).await;
    assert_eq!(state, State::ProofIntent);
    assert_eq!(proving.chain.account().prepared.len(), 1, "a person or a block has to come first");
    proving.for_s(70).await;
    assert_eq!(proving.chain.account().sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn result_whose_url_the_contract_does_not_take_is_pinned_again() {
    let (_proving, state) = refused(Revert::StorageUrl, 1).await;
    assert_eq!(state, State::Produced);
}

#[tokio::test(start_paused = true)]
async fn contract_that_takes_nothing_pauses_proving_until_it_does() {
    let (proving, state) = refused(Revert::ValidatorDisabled, 1).await;
    assert_eq!(state, State::ProofIntent);
    assert!(proving.paused().unwrap().contains("not enabled"));
    proving.for_s(58).await;
    assert_eq!(proving.chain.account().prepared.len(), 1);
    proving.for_s(10).await;
    assert_eq!(proving.paused(), None);
    assert_eq!(proving.chain.account().sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn proof_that_reverts_is_tried_three_times_in_all() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    for _ in 0..12 {
        proving.for_s(7).await;
        proving.chain.mine_with(Some(&Revert::OutOfGas));
        proving.chain.grow(TERMS.proof_depth);
    }
    let item = proving.bed.item(item.id);
    assert_eq!((item.state, item.reason.as_deref()), (State::Quarantined, Some("3 transactions failed")));
    assert_eq!(proving.chain.account().mined.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn proof_that_reverts_because_it_is_on_chain_is_done() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.mine_with(Some(&Revert::AlreadySubmitted));
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    let item = proving.bed.item(item.id);
    assert_eq!(item.state, State::Skipped);
    assert!(item.reason.unwrap().starts_with("on chain already"));
}

#[tokio::test(start_paused = true)]
async fn nonce_that_another_transaction_used_is_given_anew_and_the_key_s_other_user_named() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    let proving = Proving::of(bed, chain, TERMS);
    proving.for_s(1).await;
    {
        let mut account = proving.chain.account();
        let ours = account.pool.pop().unwrap();
        let theirs = refiner_proofchain::Signed { hash: alloy_primitives::B256::repeat_byte(1), ..ours };
        account.head += 1;
        let head = account.head;
        account.mined.insert(FIRST_NONCE, (theirs, head, None));
        account.head += TERMS.proof_depth;
    }
    proving.for_s(12).await;
    assert!(proving.bed.status.now().foreign.is_some());
    assert_eq!(proving.state(&item), State::Broadcast);
    assert_eq!(proving.chain.account().pool[0].nonce, FIRST_NONCE + 1);
}

#[tokio::test(start_paused = true)]
async fn nonce_that_the_node_counts_already_is_settled_and_not_sent_again() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    chain.account().sends.push_back(Sent::NonceTooLow);
    let proving = Proving::of(bed, chain, TERMS);
    proving.for_s(1).await;
    assert_eq!(proving.chain.account().sent.len(), 2, "nowhere on chain, so it is sent as a dropped one is");
    assert_eq!(proving.state(&item), State::Signed);
}

#[tokio::test(start_paused = true)]
async fn gap_before_the_open_nonces_is_closed_by_empty_transactions_once_it_has_lasted() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let later = fake::signed(FIRST_NONCE + 2, GAS_PRICE);
    bed.advance(&item, [Step::ProofIntent, Step::Signed(stored(&later))]);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    let nonces = || proving.chain.account().sent.iter().map(|signed| signed.nonce).collect::<Vec<_>>();
    proving.for_s(59).await;
    assert_eq!(nonces(), [FIRST_NONCE + 2]);
    assert!(proving.bed.status.now().waits_for["nonce"].what.contains("nonce 1 is used by nothing"));
    proving.for_s(10).await;
    assert_eq!(nonces(), [2, 0, 1].map(|after| FIRST_NONCE + after));
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    assert_eq!(proving.state(&item), State::Final);
    assert!(proving.bed.status.now().waits_for.is_empty());
}

#[tokio::test(start_paused = true)]
async fn result_of_a_rule_that_is_not_served_any_more_is_not_proved_again() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = Arc::new(FakeChain::default());
    let proving = Proving::serving(Targets::default(), bed, chain, TERMS, Others::default());
    proving.for_s(1).await;
    proving.chain.mine_with(Some(&Revert::OutOfGas));
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    let item = proving.bed.item(item.id);
    assert_eq!((item.state, item.reason.as_deref()), (State::Skipped, Some("superseded: rule block-result changed")));
}

#[tokio::test(start_paused = true)]
async fn transaction_that_every_node_refuses_is_signed_anew_at_its_nonce_once_the_signer_is_mended() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    chain.account().signs_badly = true;
    let proving = Proving::of(bed, chain, TERMS);
    let transactions = || proving.bed.journal.with(|journal| journal.transactions(item.id)).unwrap();
    proving.for_s(130).await;
    assert_eq!((proving.state(&item), transactions().len()), (State::Signed, 1), "the key gave the same bytes again");
    assert!(proving.paused().unwrap().contains("invalid sender"));
    proving.chain.account().signs_badly = false;
    proving.for_s(70).await;
    assert_eq!((proving.state(&item), transactions().len(), proving.paused()), (State::Broadcast, 2, None));
    let nonces: Vec<_> = transactions().iter().map(|transaction| transaction.nonce).collect();
    assert_eq!(nonces, [FIRST_NONCE; 2], "at most one of them is mined");
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    assert_eq!(proving.state(&item), State::Final);
}

#[tokio::test(start_paused = true)]
async fn signer_that_does_not_sign_is_named_with_its_own_remedy() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    chain.account().sign_errors.push_back(SignError::NotTransaction);
    let proving = Proving::of(bed, chain, TERMS);
    sleep(Duration::from_millis(500)).await;
    {
        let now = proving.bed.status.now();
        let waiting = &now.waits_for["prove"];
        assert!(waiting.what.starts_with("the Web3Signer") && waiting.hint == remedy::SIGNER, "{waiting:?}");
    }
    proving.for_s(10).await;
    assert_eq!(proving.state(&item), State::Broadcast);
    assert!(proving.bed.status.now().waits_for.is_empty());
}

#[tokio::test(start_paused = true)]
async fn gap_that_a_node_left_far_ahead_is_filled_a_few_nonces_at_a_time() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let far = FIRST_NONCE + 100;
    bed.advance(&item, [Step::ProofIntent, Step::Signed(stored(&fake::signed(far, GAS_PRICE)))]);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(70).await;
    let fillers = proving.chain.account().sent.iter().filter(|signed| signed.nonce < far).count();
    assert_eq!(fillers, 32);
}
