//! Prices, bounds of spending and the pool's demands.

use refiner_journal::State;
use refiner_proofchain::Sent;

use super::{
    ProveTerms, Proving, TERMS,
    fake::{FakeChain, GAS, GAS_PRICE},
};
use crate::testbed::Testbed;

#[tokio::test(start_paused = true)]
async fn nothing_is_signed_while_gas_costs_more_than_is_allowed() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    let cap = chain.account().cap;
    chain.account().gas_price = cap + 1;
    let proving = Proving::of(bed, chain, TERMS);
    proving.for_s(59).await;
    assert_eq!(proving.state(&item), State::ProofIntent);
    assert!(proving.paused().unwrap().contains("gas costs"));
    assert_eq!(proving.chain.account().prepared.len(), 1, "it is looked once a minute whether it can go on");
    proving.chain.account().gas_price = GAS_PRICE;
    proving.for_s(10).await;
    assert_eq!(proving.state(&item), State::Broadcast);
    assert_eq!(proving.paused(), None);
}

#[tokio::test(start_paused = true)]
async fn proof_that_waits_too_long_is_sent_with_higher_fees_at_the_same_nonce() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let proving = Proving::of(bed, FakeChain::default(), TERMS);
    proving.for_s(TERMS.bump_after.as_secs() - 7).await;
    assert_eq!(proving.chain.account().sent.len(), 1);
    proving.for_s(20).await;
    {
        let account = proving.chain.account();
        let sent: Vec<_> = account.sent.iter().map(|signed| (signed.nonce, signed.fees.most_wei())).collect();
        assert_eq!(sent, [(1, GAS_PRICE), (1, GAS_PRICE * 9 / 8)]);
        assert_eq!(account.pool.len(), 1);
    }
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(12).await;
    assert_eq!(proving.state(&item), State::Final);
}

#[tokio::test(start_paused = true)]
async fn fees_are_raised_at_once_where_the_pool_asks_for_more() {
    let bed = Testbed::new();
    let item = bed.pinned(1);
    let chain = FakeChain::default();
    chain.account().sends.push_back(Sent::Underpriced);
    let proving = Proving::of(bed, chain, TERMS);
    proving.for_s(7).await;
    assert_eq!(proving.state(&item), State::Broadcast);
    let account = proving.chain.account();
    let prices: Vec<_> = account.sent.iter().map(|signed| signed.fees.most_wei()).collect();
    assert_eq!(prices, [GAS_PRICE, GAS_PRICE * 9 / 8]);
}

#[tokio::test(start_paused = true)]
async fn account_without_money_pauses_proving_and_keeps_what_is_signed() {
    let bed = Testbed::new();
    let items: Vec<_> = [1, 2].map(|height| bed.pinned(height)).into();
    let chain = FakeChain::default();
    chain.account().sends.extend([Sent::InsufficientFunds, Sent::InsufficientFunds]);
    let proving = Proving::of(bed, chain, TERMS);
    proving.for_s(1).await;
    assert_eq!(proving.states(&items), [State::Signed; 2]);
    assert!(proving.paused().unwrap().contains("cannot pay for gas"));
    proving.for_s(6).await;
    assert_eq!(proving.states(&items), [State::Broadcast; 2]);
    assert_eq!(proving.paused(), None);
}

#[tokio::test(start_paused = true)]
async fn day_s_bound_of_spending_leaves_the_rest_for_the_next_day() {
    let bed = Testbed::new();
    let items: Vec<_> = [1, 2, 3].map(|height| bed.pinned(height)).into();
    let poll = std::time::Duration::from_secs(300);
    let terms = ProveTerms { poll, max_spend_wei: Some(2 * GAS * GAS_PRICE), ..TERMS };
    let proving = Proving::of(bed, FakeChain::default(), terms);
    proving.for_s(1).await;
    assert_eq!(proving.states(&items), [State::Broadcast, State::Broadcast, State::ProofIntent]);
    proving.chain.mine();
    proving.chain.grow(TERMS.proof_depth);
    proving.for_s(600).await;
    assert_eq!(proving.states(&items), [State::Final, State::Final, State::ProofIntent]);
    assert!(proving.paused().unwrap().contains("max-spend-per-day"));
    proving.for_s(24 * 3_600 + 600).await;
    assert_eq!(proving.state(&items[2]), State::Broadcast);
}
