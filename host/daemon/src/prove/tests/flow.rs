//! From pinned results to final proofs, and what takes them back.

use std::time::Duration;

use refiner_config::FinalizePolicy;
use refiner_journal::{SessionKey, State};
use refiner_proofchain::{RpcError, Sent};
use tokio::time::sleep;

use super::{
    Proving, TERMS,
    fake::{FIRST_NONCE, FakeChain},
};
use crate::testbed::{Testbed, lock};

#[tokio::test(start_paused = true)]
async fn pinned_results_are_proved_in_their_order_until_they_are_final() {
    let bed = Testbed::new();
    let items: Vec<_> = [1, 2, 3].map(|height| bed.pinned(height)).into();
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    assert_eq!(proving.states(&items), [State::Broadcast; 3]);
    let proofs: Vec<_> =
        proving.chain.account().prepared.iter().map(|proof| (proof.height, proof.url.clone())).collect();
    assert_eq!(proofs, [1, 2, 3].map(|height| (height, format!("ipfs://cid-{height}"))));
    let nonces: Vec<_> = proving.chain.account().sent.iter().map(|signed| signed.nonce).collect();
    assert_eq!(nonces, [0, 1, 2].map(|number| FIRST_NONCE + number));
    proving.chain.mine();
    proving.for_s(6).await;
    assert_eq!(proving.states(&items), [State::Mined; 3]);
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(6).await;
    assert_eq!(proving.states(&items), [State::Final; 3]);
    assert_eq!(proving.chain.account().sent.len(), 3, "each is sent once");
    assert_eq!(proving.paused(), None);
}

#[tokio::test(start_paused = true)]
async fn transaction_is_in_the_journal_before_it_is_sent_and_sent_as_it_was_after_a_crash() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    chain.account().sends.push_back(Sent::Unreachable(RpcError::NoEndpoint));
    let proving = Proving::of(bed, chain, TERMS);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(proving.state(&item), State::Signed);
    assert!(proving.bed.status.now().waits_for.contains_key("prove"));
    let (bed, chain) = proving.ends().await;
    let bed = Testbed { stop: tokio_util::sync::CancellationToken::new(), ..bed };
    let proving = Proving::beside(bed, chain, TERMS, super::Others::default());
    proving.for_s(1).await;
    assert_eq!(proving.state(&item), State::Broadcast);
    let account = proving.chain.account();
    assert_eq!(account.sent[0], account.sent[1]);
    assert_eq!(account.prepared.len(), 1, "what is signed is not prepared again");
}

#[tokio::test(start_paused = true)]
async fn result_that_is_pinned_later_is_proved_without_waiting_for_the_next_poll() {
    let proving = Proving::of(Testbed::new(), FakeChain::default(), TERMS);
    proving.for_s(100).await;
    let item = proving.bed.pinned(1);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(proving.state(&item), State::Broadcast);
}

#[tokio::test(start_paused = true)]
async fn no_more_transactions_wait_at_once_than_are_allowed() {
    let bed = Testbed::new();
    let items: Vec<_> = (1..6).map(|height| bed.pinned(height)).collect();
    let terms = super::ProveTerms { unsettled: 2, ..TERMS };
    let proving = Proving::of(bed, FakeChain::default(), terms);
    proving.for_s(60).await;
    assert_eq!(proving.chain.account().pool.len(), 2);
    for _ in 0..12 {
        proving.chain.mine();
        proving.chain.grow(TERMS.proof_depth);
        proving.for_s(6).await;
    }
    assert_eq!(proving.states(&items), [State::Final; 5]);
}

#[tokio::test(start_paused = true)]
async fn proof_that_a_reorganisation_puts_back_into_the_pool_is_waited_for() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.mine();
    proving.for_s(6).await;
    assert_eq!(proving.state(&item), State::Mined);
    proving.chain.reorganise(FIRST_NONCE, true);
    proving.for_s(6).await;
    assert_eq!(proving.state(&item), State::Broadcast);
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    assert_eq!(proving.state(&item), State::Final);
    assert_eq!(proving.chain.account().sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn proof_that_the_pool_lost_is_sent_again() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.account().pool.clear();
    proving.for_s(6).await;
    let account = proving.chain.account();
    assert_eq!((account.sent.len(), account.pool.len()), (2, 1));
    assert_eq!(account.sent[0], account.sent[1], "the very same bytes");
    drop(account);
    assert_eq!(proving.state(&item), State::Broadcast);
}

#[tokio::test(start_paused = true)]
async fn final_proof_that_a_deep_reorganisation_took_away_is_taken_up_again() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(6).await;
    assert_eq!(proving.state(&item), State::Final);
    proving.chain.reorganise(FIRST_NONCE, false);
    proving.for_s(3 * TERMS.policy.recheck.as_secs()).await;
    assert_eq!(proving.state(&item), State::Broadcast);
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    assert_eq!(proving.state(&item), State::Final);
}

#[tokio::test(start_paused = true)]
async fn node_that_fails_is_asked_again_and_proving_resumes() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.account().errors.extend([RpcError::NoEndpoint, RpcError::NoEndpoint]);
    proving.for_s(6).await;
    assert!(proving.bed.status.now().waits_for.contains_key("prove"));
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    assert!(proving.bed.status.now().waits_for.is_empty());
    assert_eq!(proving.state(&item), State::Final);
}

#[tokio::test(start_paused = true)]
async fn result_that_others_deny_is_held_back_until_one_agrees() {
    let bed = Testbed::new();
    let items: Vec<_> = [1, 2].map(|height| bed.pinned(height)).into();
    let others = super::Others::default();
    let other = alloy_primitives::B256::repeat_byte(9);
    for item in &items {
        lock(&others.0).insert(item.specimen_hash, [(other, 2)].into());
    }
    let terms = super::ProveTerms { max_differences: 2, ..TERMS };
    let proving = Proving::beside(bed, FakeChain::default().into(), terms, others.clone());
    // The first was sent, which shows that something can be.
    proving.for_s(7).await;
    assert_eq!(proving.states(&items), [State::Broadcast, State::ProofIntent]);
    assert!(proving.paused().unwrap().contains("2 results in a row differ"));
    // The others agree with the next one.
    let third = proving.bed.pinned(3);
    let ours = crate::testbed::artifact(3).sha256;
    lock(&others.0).insert(third.specimen_hash, [(ours, 2)].into());
    proving.for_s(2 * TERMS.policy.recheck.as_secs() + 10).await;
    assert_eq!(proving.state(&third), State::Broadcast);
    assert_eq!(proving.paused(), None);
}

#[tokio::test(start_paused = true)]
async fn proof_that_the_node_cannot_settle_holds_up_no_other() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.account().unsettled.insert(FIRST_NONCE);
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    let later = proving.bed.pinned(2);
    proving.for_s(1).await;
    assert_eq!(proving.states(&[item.clone(), later.clone()]), [State::Broadcast; 2]);
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    assert_eq!(proving.state(&later), State::Final);
    let found = proving.bed.item(item.id);
    assert!(found.attempts > 0 && found.last_error.unwrap().contains("missing trie node"), "{}", found.state);
    // The node has the state again.
    proving.chain.account().unsettled.clear();
    proving.for_s(600).await;
    assert_eq!(proving.state(&item), State::Final);
}

#[tokio::test(start_paused = true)]
async fn proof_that_the_node_cannot_try_holds_up_no_other() {
    let bed = Testbed::new();
    let items: Vec<_> = [1, 2].map(|height| bed.pinned(height)).into();
    let chain = FakeChain::default();
    chain.account().untried.insert(1);
    let proving = Proving::of(bed, chain, TERMS);
    proving.for_s(1).await;
    assert_eq!(proving.states(&items), [State::ProofIntent, State::Broadcast]);
    assert!(proving.bed.item(items[0].id).last_error.unwrap().contains("header not found"));
    assert!(proving.bed.status.now().waits_for.is_empty());
    proving.chain.account().untried.clear();
    proving.for_s(60).await;
    assert_eq!(proving.state(&items[0]), State::Broadcast);
}

#[tokio::test(start_paused = true)]
async fn session_that_the_node_cannot_try_holds_up_no_other() {
    let bed = Testbed::new();
    let session = |height| (SessionKey { chain: 1, height }, height);
    bed.journal.with(|journal| journal.follow_sessions(&[1, 2].map(session))).unwrap();
    let chain = FakeChain::default();
    chain.account().untried.insert(1);
    let terms = super::ProveTerms { finalize: FinalizePolicy::Own, ..TERMS };
    let proving = Proving::of(bed, chain, terms);
    proving.for_s(1).await;
    assert_eq!(proving.chain.account().sessions, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn final_proofs_that_the_node_cannot_settle_hold_up_no_second_look_at_others() {
    let bed = Testbed::new();
    let items: Vec<_> = [1, 2].map(|height| bed.pinned(height)).into();
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(6).await;
    assert_eq!(proving.states(&items), [State::Final; 2]);
    proving.chain.account().unsettled.insert(FIRST_NONCE);
    proving.chain.reorganise(FIRST_NONCE + 1, false);
    proving.for_s(3 * TERMS.policy.recheck.as_secs()).await;
    assert_eq!(proving.states(&items), [State::Final, State::Broadcast]);
}

#[tokio::test(start_paused = true)]
async fn second_look_comes_to_its_end_however_often_results_are_pinned() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(1).await;
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(6).await;
    assert_eq!(proving.state(&item), State::Final);
    proving.chain.reorganise(FIRST_NONCE, false);
    proving.chain.account().settlement_takes = Duration::from_millis(300);
    for _ in 0..20 * TERMS.policy.recheck.as_secs() {
        proving.bed.journal.notify(State::Pinned);
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(proving.state(&item), State::Broadcast);
}
