//! A proof's way: prepared, signed, sent, mined, final; and what can come between.

use alloy_primitives::B256;
use refiner_proofchain::{FeePolicy, Fees, KeySource, NonceAt, Prover, Secret, Sent, Settlement, Signed, Signer};
use refiner_testchain::{Fault, FaultyRpc, OPERATOR, OPERATOR_KEY, Setup};
use serde_json::json;

use crate::{
    HEIGHT, LIMITS, connect, market, proof, prove, prover, prover_with, ready, send, settlement, signed, start,
};

#[tokio::test]
async fn a_proof_is_mined_and_then_final() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let signed = prove(&chain, &prover, &proof(HEIGHT)).await;
    for depth in 0..2 {
        match settlement(&prover, &[signed.hash], signed.nonce, 2).await {
            Settlement::Mined { hash, depth: found, .. } => assert_eq!((hash, found), (signed.hash, depth)),
            other => panic!("{other:?}"),
        }
        chain.mine(1).await.unwrap();
    }
    let settled = settlement(&prover, &[signed.hash], signed.nonce, 2).await;
    assert!(matches!(settled, Settlement::Final { hash, .. } if hash == signed.hash), "{settled:?}");
    let urls = prover.chain().result_urls(proof(HEIGHT).result_hash).await.unwrap();
    assert_eq!(urls, [proof(HEIGHT).url]);
}

#[tokio::test]
async fn the_same_arguments_give_the_same_bytes_and_bytes_tell_everything() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let prepared = ready(&prover, &proof(HEIGHT)).await;
    for fees in
        [Fees::Dynamic { max_fee_wei: 5_000_000_000, tip_wei: 7 }, Fees::Legacy { gas_price_wei: 5_000_000_000 }]
    {
        let signed = prover.sign(&prepared, 4, &fees).await.unwrap();
        assert_eq!(prover.sign(&prepared, 4, &fees).await.unwrap(), signed);
        assert_eq!(Signed::read(&signed.raw).unwrap(), signed);
        assert_eq!((signed.nonce, signed.fees, &signed.prepared), (4, fees, &prepared));
        assert!(Signed::read(&signed.raw[1..]).is_err());
    }
}

#[tokio::test]
async fn a_legacy_transaction_is_accepted_too() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let prepared = ready(&prover, &proof(HEIGHT)).await;
    let signed = prover.sign(&prepared, 0, &Fees::Legacy { gas_price_wei: 5_000_000_000 }).await.unwrap();
    assert!(matches!(prover.send(&signed).await, Sent::Accepted));
    chain.mined(signed.hash).await.unwrap();
    assert!(matches!(settlement(&prover, &[signed.hash], 0, 0).await, Settlement::Final { .. }));
}

#[tokio::test]
async fn a_chain_without_a_base_fee_gets_a_gas_price() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let prover = prover_with(&chain, proxy.url(), OPERATOR_KEY).await;
    let header =
        json!({"number": format!("{:#x}", chain.head().await.unwrap()), "hash": B256::ZERO, "timestamp": "0x1"});
    proxy.fail("eth_getBlockByNumber", Fault::Answer(header));
    proxy.fail("eth_gasPrice", Fault::Answer(json!("0x77359400")));
    assert_eq!(market(&prover).await, Fees::Legacy { gas_price_wei: 2_000_000_000 });
}

#[tokio::test]
async fn sending_again_does_no_harm() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    chain.set_automine(false).await.unwrap();
    let signed = signed(&prover, &proof(HEIGHT)).await;
    assert!(matches!(prover.send(&signed).await, Sent::Accepted));
    assert!(matches!(prover.send(&signed).await, Sent::AlreadyKnown));
    assert_eq!(settlement(&prover, &[signed.hash], signed.nonce, 0).await, Settlement::Pending);
    assert_eq!((prover.nonce(NonceAt::Latest).await.unwrap(), prover.nonce(NonceAt::Pending).await.unwrap()), (0, 1));
    chain.mine(1).await.unwrap();
    assert!(matches!(prover.send(&signed).await, Sent::NonceTooLow));
    assert!(matches!(settlement(&prover, &[signed.hash], signed.nonce, 0).await, Settlement::Final { .. }));
}

#[tokio::test]
async fn a_replacement_needs_a_bump_and_settles_under_its_own_hash() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    chain.set_automine(false).await.unwrap();
    let first = send(&prover, &proof(HEIGHT)).await;
    let Fees::Dynamic { max_fee_wei, tip_wei } = first.fees else { panic!("{:?}", first.fees) };
    let meagre = Fees::Dynamic { max_fee_wei: max_fee_wei - 1, tip_wei: tip_wei - 1 };
    let meagre = prover.sign(&first.prepared, first.nonce, &meagre).await.unwrap();
    assert!(matches!(prover.send(&meagre).await, Sent::Underpriced));
    let fees = prover.bump(&first).await.unwrap().unwrap();
    let second = prover.sign(&first.prepared, first.nonce, &fees).await.unwrap();
    assert!(matches!(prover.send(&second).await, Sent::Accepted));
    chain.mine(1).await.unwrap();
    let settled = settlement(&prover, &[first.hash, second.hash], first.nonce, 0).await;
    assert!(matches!(settled, Settlement::Final { hash, .. } if hash == second.hash), "{settled:?}");
}

#[tokio::test]
async fn a_nonce_that_another_transaction_used_is_replaced_once_that_is_deep() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let signed = signed(&prover, &proof(HEIGHT)).await;
    chain.transact(OPERATOR, OPERATOR, Default::default()).await.unwrap();
    assert_eq!(settlement(&prover, &[signed.hash], signed.nonce, 1).await, Settlement::Pending);
    chain.mine(1).await.unwrap();
    assert_eq!(settlement(&prover, &[signed.hash], signed.nonce, 1).await, Settlement::Replaced);
}

#[tokio::test]
async fn a_dropped_transaction_is_found_out_and_the_same_bytes_go_out_again() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let prover = prover_with(&chain, proxy.url(), OPERATOR_KEY).await;
    proxy.fail_times("eth_sendRawTransaction", 1, Fault::Swallow);
    let signed = send(&prover, &proof(HEIGHT)).await;
    assert_eq!(settlement(&prover, &[signed.hash], signed.nonce, 0).await, Settlement::Dropped);
    assert!(matches!(prover.send(&signed).await, Sent::Accepted));
    chain.mined(signed.hash).await.unwrap();
    assert!(matches!(settlement(&prover, &[signed.hash], signed.nonce, 0).await, Settlement::Final { .. }));
}

#[tokio::test]
async fn a_proof_that_a_reorganisation_took_away_is_not_final() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let signed = prove(&chain, &prover, &proof(HEIGHT)).await;
    chain.mine(1).await.unwrap();
    chain.reorganise(2).await.unwrap();
    let settled = settlement(&prover, &[signed.hash], signed.nonce, 0).await;
    assert!(matches!(settled, Settlement::Dropped | Settlement::Pending), "{settled:?}");
}

#[tokio::test]
async fn an_account_without_money_is_told_from_a_price_that_is_too_low() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let prover = prover_with(&chain, proxy.url(), OPERATOR_KEY).await;
    let signed = signed(&prover, &proof(HEIGHT)).await;
    // As Moonbeam does for a low price.
    let refuse = Fault::Refuse { code: -32000, message: "insufficient funds for gas * price + value".to_owned() };
    proxy.fail_times("eth_sendRawTransaction", 1, refuse);
    assert!(matches!(prover.send(&signed).await, Sent::Underpriced));
    chain.rpc("anvil_setBalance", json!([OPERATOR, "0x1"])).await.unwrap();
    assert_eq!(prover.balance().await.unwrap().to::<u64>(), 1);
    assert!(matches!(prover.send(&signed).await, Sent::InsufficientFunds));
}

#[tokio::test]
async fn a_price_below_the_base_fee_is_underpriced() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prover = prover(&chain).await;
    let prepared = ready(&prover, &proof(HEIGHT)).await;
    chain.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x77359400"])).await.unwrap();
    chain.mine(1).await.unwrap();
    let signed = prover.sign(&prepared, 0, &Fees::Legacy { gas_price_wei: 1 }).await.unwrap();
    assert!(matches!(prover.send(&signed).await, Sent::Underpriced));
}

#[tokio::test]
async fn gas_beyond_the_policy_is_refused_before_it_is_paid() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let signer = Signer::load(&KeySource::Value(Secret::new(OPERATOR_KEY.to_owned()))).await.unwrap();
    let policy = FeePolicy { gas_cap: 100_000, ..FeePolicy::default() };
    let prover = Prover::new(connect(&chain, chain.url(), LIMITS).await, signer, policy);
    let prepared = prover.prepare(&proof(HEIGHT)).await.unwrap();
    assert!(matches!(prepared, refiner_proofchain::Preparation::Refused(_)), "{prepared:?}");
}
