//! Several questions in one request, and nodes that do not take them.

use alloy_primitives::B256;
use refiner_proofchain::{Fees, Preparation, Proof, Prover, RpcError, Sent, Session, Settlement, Signed};
use refiner_testchain::{Fault, FaultyRpc, OPERATOR, OPERATOR_KEY, Setup, TRIAL, TestChain};
use serde_json::json;

use crate::{HEIGHT, LIMITS, market, proof, prove, prover_with, ready, specimen, start};

async fn watched(chain: &TestChain) -> (FaultyRpc, Prover) {
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let prover = prover_with(chain, proxy.url(), OPERATOR_KEY).await;
    (proxy, prover)
}

fn proofs(count: u64) -> Vec<Proof> {
    (HEIGHT..HEIGHT + count).map(proof).collect()
}

/// Prepares so many proofs, all of which the contract takes, and counts the requests.
async fn prepares(proxy: &FaultyRpc, prover: &Prover, count: u64) -> u64 {
    let before = proxy.requests();
    let prepared = prover.prepare_all(&proofs(count)).await.unwrap();
    assert_eq!(prepared.len() as u64, count);
    for (proof, prepared) in proofs(count).iter().zip(prepared) {
        let Ok(Preparation::Ready(prepared)) = prepared else { panic!("{prepared:?}") };
        assert_eq!(prepared.calldata, proof.calldata());
    }
    proxy.requests() - before
}

#[tokio::test]
async fn questions_go_together_and_each_has_its_own_answer() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    assert_eq!(prepares(&proxy, &prover, 40).await, 2);
    let mut some = proofs(3);
    some[1].chain_id = 2;
    let prepared = prover.prepare_all(&some).await.unwrap();
    assert!(
        matches!(prepared[..], [Ok(Preparation::Ready(_)), Ok(Preparation::Refused(_)), Ok(Preparation::Ready(_))]),
        "{prepared:?}"
    );
    assert!(prover.prepare_all(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_node_that_takes_few_questions_at_once_gets_few_from_then_on() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    proxy.take_together(3);
    // Eight and four are refused, two are taken.
    assert_eq!(prepares(&proxy, &prover, 8).await, 2 + 4);
    assert_eq!(prepares(&proxy, &prover, 8).await, 4);
    proxy.take_together(1);
    assert_eq!(prepares(&proxy, &prover, 8).await, 1 + 8);
    assert_eq!(prepares(&proxy, &prover, 8).await, 8);
}

#[tokio::test]
async fn what_is_put_off_or_left_out_among_others_is_asked_again_alone() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    assert_eq!(prepares(&proxy, &prover, 1).await, 1);
    let later = Fault::Refuse { code: 429, message: "slow down".to_owned() };
    proxy.fail_times(TRIAL, 3, later);
    assert_eq!(prepares(&proxy, &prover, 8).await, 1 + 3);
    let strange =
        r#"[{"jsonrpc":"2.0","id":1,"result":"0x5208"},{"id":99,"result":"0x1"},{"id":2,"error":{"code":429}}]"#;
    for reply in ["[]", strange] {
        proxy.fail_times(TRIAL, 1, Fault::Bytes(reply.into()));
        let answered = if reply == strange { 1 } else { 0 };
        assert_eq!(prepares(&proxy, &prover, 4).await, 1 + 4 - answered, "{reply}");
    }
    let (proxy, prover) = watched(&chain).await;
    proxy.fail_times("eth_estimateGas", 1, Fault::Answer(json!("no number")));
    let prepared = prover.prepare_all(&proofs(2)).await.unwrap();
    assert!(matches!(prepared[..], [Err(RpcError::Malformed { .. }), Ok(Preparation::Ready(_))]), "{prepared:?}");
}

#[tokio::test]
async fn a_whole_request_is_tried_again_and_then_given_up() {
    let Some(chain) = start(&Setup::default()).await else { return };
    for fault in [Fault::Status(429), Fault::Status(500)] {
        let (proxy, prover) = watched(&chain).await;
        proxy.fail("eth_estimateGas", fault.clone());
        let before = proxy.requests();
        let error = prover.prepare_all(&proofs(8)).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert_eq!(proxy.requests() - before, LIMITS.retries as u64 + 1);
        // One refusal for all of them, as some providers word it.
        let later = br#"{"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"slow down"}}"#;
        for fault in [fault, Fault::Bytes(later.to_vec())] {
            let (proxy, prover) = watched(&chain).await;
            proxy.fail_times("eth_estimateGas", 1, fault.clone());
            assert_eq!(prepares(&proxy, &prover, 8).await, 2, "{fault:?}");
            assert_eq!(prepares(&proxy, &prover, 8).await, 1, "{fault:?} is not about the number of questions");
        }
    }
}

#[tokio::test]
async fn a_node_to_which_many_questions_are_always_too_many_gets_fewer_the_next_time() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    proxy.tire_of(3);
    // 8 of at most 32, 16 and 8, then 4: every one is given up, and halves what comes next.
    for _ in 0..4 {
        assert!(prover.prepare_all(&proofs(8)).await.unwrap_err().is_transient());
    }
    assert_eq!(prepares(&proxy, &prover, 8).await, 4);
    assert_eq!(prepares(&proxy, &prover, 8).await, 4, "and keeps to it");
}

#[tokio::test]
async fn gas_is_estimated_until_it_is_known_what_is_enough() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    let first = ready(&prover, &proof(HEIGHT)).await;
    for _ in 0..2 {
        prepares(&proxy, &prover, 8).await;
    }
    assert_eq!(ready(&prover, &proof(HEIGHT)).await, first);
    assert_eq!(proxy.asked("eth_estimateGas"), 1);
    // What it does not take, or not with so little gas, is estimated: that tells which.
    let mut strange = proof(HEIGHT);
    strange.chain_id = 2;
    let refused = prover.prepare(&strange).await.unwrap();
    assert!(matches!(refused, Preparation::Refused(_)), "{refused:?}");
    assert_eq!(proxy.asked("eth_estimateGas"), 2);
    let mut long = proof(HEIGHT);
    long.url = "ipfs://".to_owned() + &"b".repeat(2_000);
    let dearer = ready(&prover, &long).await;
    assert!(dearer.gas_limit > 2 * first.gas_limit, "{}", dearer.gas_limit);
    assert_eq!(ready(&prover, &proof(HEIGHT)).await.gas_limit, dearer.gas_limit);
    assert_eq!(proxy.asked("eth_estimateGas"), 3);
    // And what was enough is enough on chain.
    prove(&chain, &prover, &long).await;
}

#[tokio::test]
async fn several_proofs_are_sent_in_one_request() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    chain.set_automine(false).await.unwrap();
    let (good, meagre) = (market(&prover).await, Fees::Legacy { gas_price_wei: 1 });
    let mut signed: Vec<Signed> = Vec::new();
    for (nonce, (proof, fees)) in (0..).zip(proofs(3).iter().zip([good, meagre, good])) {
        let prepared = ready(&prover, proof).await;
        signed.push(prover.sign(&prepared, nonce, &fees).await.unwrap());
    }
    let before = proxy.requests();
    let sent = prover.send_all(&signed).await.unwrap();
    assert_eq!(proxy.requests() - before, 1);
    assert!(matches!(sent[..], [Sent::Accepted, Sent::Underpriced, Sent::Accepted]), "{sent:?}");
    let again = prover.send_all(&signed).await.unwrap();
    assert!(matches!(again[..], [Sent::AlreadyKnown, Sent::Underpriced, Sent::AlreadyKnown]), "{again:?}");
}

#[tokio::test]
async fn receipts_are_looked_at_together_and_again_before_a_nonce_counts_as_another_s() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    let mut proved = Vec::new();
    for proof in proofs(3) {
        proved.push(prove(&chain, &prover, &proof).await);
    }
    // For the last, the node answers at first that it knows nothing.
    let hashes: Vec<B256> = proved.iter().map(|signed| signed.hash).collect();
    let mut outlook = prover.outlook().await.unwrap();
    let before = proxy.requests();
    prover.look_at(&mut outlook, &hashes[..2]).await.unwrap();
    proxy.fail_times("eth_getTransactionReceipt", 1, Fault::Answer(json!(null)));
    prover.look_at(&mut outlook, &hashes[2..]).await.unwrap();
    assert_eq!(proxy.requests() - before, 2);
    for signed in &proved {
        let settled = prover.settlement(&outlook, &[signed.hash], signed.nonce, 0).await.unwrap();
        assert!(matches!(settled, Settlement::Final { hash, .. } if hash == signed.hash), "{settled:?}");
    }
    assert_eq!(proxy.asked("eth_getTransactionReceipt"), 3 + 1);
}

#[tokio::test]
async fn where_specimens_are_and_whether_they_may_be_proved_is_one_question() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (proxy, prover) = watched(&chain).await;
    let specimens = [HEIGHT, HEIGHT + 1, HEIGHT + 2].map(specimen);
    chain.announce_all(&specimens).await.unwrap();
    prove(&chain, &prover, &proof(HEIGHT)).await;
    let session = |height| Session { chain_id: 1, height, operator: OPERATOR };
    let mut asked: Vec<_> =
        specimens.iter().map(|specimen| (specimen.specimen_hash, Some(session(specimen.height)))).collect();
    asked[1].1 = None;
    let before = proxy.requests();
    let answers = prover.chain().urls_and_sessions(&asked).await.unwrap();
    assert_eq!(proxy.requests() - before, 1);
    // The one submission of the first is used, and the second's was not asked about.
    for ((specimen, open), answer) in specimens.iter().zip([false, true, true]).zip(answers) {
        assert_eq!(answer.unwrap(), (vec![specimen.url.clone()], open), "{}", specimen.height);
    }
}
