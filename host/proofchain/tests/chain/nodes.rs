//! Several nodes, of which not each is what it should be.

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use refiner_proofchain::{
    BlockRef, ChainError, KeySource, NodeReport, NonceAt, ProofChain, Prover, Rpc, RpcError, Secret, SetAside,
    Settlement, Signer,
};
use refiner_testchain::{
    Fault, FaultyRpc, OPERATOR_KEY, OtherChain, OtherReceipts, Out, Outage, Setup, Stale, TestChain,
};
use tokio::time::{Instant, sleep};

use crate::{HEIGHT, LIMITS, network, proof, prove, start};

/// Time limit for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A chain, two proxies before it, and a prover that knows both.
pub struct Scene {
    pub chain: TestChain,
    pub first: FaultyRpc,
    pub second: FaultyRpc,
}

impl Scene {
    pub async fn new() -> Option<Self> {
        let chain = start(&Setup::default()).await?;
        let first = FaultyRpc::start(chain.url()).await.unwrap();
        let second = FaultyRpc::start(chain.url()).await.unwrap();
        Some(Self { chain, first, second })
    }

    pub async fn contracts(&self) -> Result<ProofChain, ChainError> {
        let urls = [&self.first, &self.second].map(|proxy| proxy.url().parse().unwrap());
        ProofChain::connect(Rpc::new(urls, LIMITS).unwrap(), network(&self.chain)).await
    }

    pub async fn prover(&self) -> Prover {
        let signer = Signer::load(&KeySource::Value(Secret::new(OPERATOR_KEY.to_owned()))).await.unwrap();
        Prover::new(self.contracts().await.unwrap(), signer, Default::default())
    }
}

fn reports(prover: &Prover) -> Vec<NodeReport> {
    prover.chain().rpc().nodes()
}

fn reason(prover: &Prover, node: usize) -> Option<SetAside> {
    reports(prover)[node].set_aside.clone()
}

/// Asks for the nonce until `seen`.
async fn until(prover: &Prover, what: &str, mut seen: impl FnMut() -> bool) {
    let started = Instant::now();
    while !seen() {
        assert!(started.elapsed() < PATIENCE, "{what}: not so, {:?}", reports(prover));
        let _ = prover.nonce(NonceAt::Latest).await;
        sleep(Duration::from_millis(5)).await;
    }
}

/// What an operator's transaction rests on, none of which a node of another chain is asked.
const SENSITIVE: [&str; 6] = [
    "eth_getTransactionCount",
    "eth_maxPriorityFeePerGas",
    "eth_getTransactionReceipt",
    "eth_getLogs",
    "eth_call",
    "eth_sendRawTransaction",
];

fn sensitive(proxy: &FaultyRpc) -> u64 {
    SENSITIVE.iter().map(|method| proxy.asked(method)).sum()
}

#[tokio::test]
async fn node_of_another_chain_is_named_and_asked_for_nothing_that_a_proof_rests_on() {
    for position in [0, 1] {
        let Some(scene) = Scene::new().await else { return };
        let stranger = if position == 0 { &scene.first } else { &scene.second };
        stranger.behave(&Arc::new(OtherChain { chain_id: 1, nonce: 50 }));
        let prover = scene.prover().await;
        let expected = SetAside::OtherChain { expected: scene.chain.chain_id(), found: 1 };
        assert_eq!(reason(&prover, position), Some(expected));
        let signed = prove(&scene.chain, &prover, &proof(HEIGHT)).await;
        assert_eq!(signed.nonce, 0);
        let outlook = prover.outlook().await.unwrap();
        let settled = prover.settlement(&outlook, &[signed.hash], 0, 0).await.unwrap();
        assert!(matches!(settled, Settlement::Final { .. }), "one node of the chain is enough: {settled:?}");
        // Nor when it is the only one that answers.
        let good = if position == 0 { &scene.second } else { &scene.first };
        good.behave(&Arc::new(Out(Outage::Forbidden)));
        let error = prover.nonce(NonceAt::Latest).await.unwrap_err();
        assert!(error.to_string().contains("HTTP 403"), "{error}");
        assert_eq!(sensitive(stranger), 0, "position {position}");
    }
}

#[tokio::test]
async fn node_of_another_chain_is_no_mistake_while_another_node_may_be_the_right_one() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let stranger = FaultyRpc::start(chain.url()).await.unwrap();
    let second = FaultyRpc::start(chain.url()).await.unwrap();
    stranger.behave(&Arc::new(OtherChain { chain_id: 7, nonce: 0 }));
    second.behave(&Arc::new(Out(Outage::Forbidden)));
    let urls = [&stranger, &second].map(|proxy| proxy.url().parse().unwrap());
    let rpc = Rpc::new(urls, LIMITS).unwrap();
    for round in 0..5 {
        let error = ProofChain::connect(rpc.clone(), network(&chain)).await.unwrap_err();
        assert!(matches!(error, ChainError::Rpc(_)), "round {round}: {error}");
    }
    second.behave_well();
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = ProofChain::connect(rpc.clone(), network(&chain)).await {
        assert!(Instant::now() < deadline, "{error}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn node_that_became_one_of_another_chain_while_it_was_away_is_not_asked() {
    let Some(scene) = Scene::new().await else { return };
    let prover = scene.prover().await;
    assert_eq!(prover.nonce(NonceAt::Latest).await.unwrap(), 0);
    scene.first.behave(&Arc::new(Out(Outage::NotFound)));
    assert_eq!(prover.nonce(NonceAt::Latest).await.unwrap(), 0);
    scene.first.behave_well();
    scene.first.behave(&Arc::new(OtherChain { chain_id: 7, nonce: 50 }));
    let before = sensitive(&scene.first);
    until(&prover, "it is found out", || reason(&prover, 0).is_some_and(|reason| reason.is_identity())).await;
    assert_eq!(prover.nonce(NonceAt::Latest).await.unwrap(), 0);
    assert_eq!(sensitive(&scene.first), before);
    // Its operator mends it, and it is the first again.
    scene.first.behave_well();
    until(&prover, "it is asked again", || sensitive(&scene.first) > before).await;
    assert_eq!(reason(&prover, 0), None);
}

#[tokio::test]
async fn no_usable_answer_moves_on_to_the_next_node_and_back_when_the_first_is_well() {
    let Some(chain) = start(&Setup::default()).await else { return };
    for outage in Outage::ALL {
        let first = FaultyRpc::start(chain.url()).await.unwrap();
        let second = FaultyRpc::start(chain.url()).await.unwrap();
        let urls = [&first, &second].map(|proxy| proxy.url().parse().unwrap());
        let contracts = ProofChain::connect(Rpc::new(urls, LIMITS).unwrap(), network(&chain)).await.unwrap();
        let operator = refiner_testchain::OPERATOR;
        assert!(contracts.is_enabled(operator).await.unwrap());
        assert_eq!((first.asked("eth_call"), second.asked("eth_call")), (1, 0));
        first.behave(&Arc::new(Out(outage)));
        for _ in 0..3 {
            assert!(contracts.is_enabled(operator).await.unwrap(), "{outage:?}");
            assert_eq!(contracts.head().await.unwrap(), chain.head().await.unwrap());
        }
        assert_eq!(second.asked("eth_call"), 3, "{outage:?}");
        first.behave_well();
        let (started, before) = (Instant::now(), first.asked("eth_call"));
        while first.asked("eth_call") == before {
            assert!(started.elapsed() < PATIENCE, "{outage:?}: {:?}", contracts.rpc().nodes());
            contracts.is_enabled(operator).await.unwrap();
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn node_behind_is_passed_over_for_the_nonce_and_set_aside_when_far() {
    for (blocks, is_set_aside) in [(1, false), (2, false), (3, true), (40, true)] {
        let Some(scene) = Scene::new().await else { return };
        let prover = scene.prover().await;
        prove(&scene.chain, &prover, &proof(HEIGHT)).await;
        scene.chain.mine(50).await.unwrap();
        let head = scene.chain.head().await.unwrap();
        assert_eq!(prover.nonce(NonceAt::Latest).await.unwrap(), 1);
        let stale = Arc::new(Stale::at(head - blocks, 0));
        scene.first.behave(&stale);
        for _ in 0..3 {
            assert_eq!(prover.nonce(NonceAt::Latest).await.unwrap(), 1, "{blocks} blocks");
        }
        let reason = || reason(&prover, 0);
        assert_eq!(reason().is_some(), is_set_aside, "{blocks} blocks: {:?}", reason());
        if is_set_aside {
            assert!(reason().unwrap().is_behind(), "{:?}", reason());
            stale.set_head(u64::MAX);
            until(&prover, "it caught up", || reason().is_none()).await;
        }
    }
}

#[tokio::test]
async fn single_node_that_is_behind_what_it_had_is_not_believed() {
    let Some(scene) = Scene::new().await else { return };
    let prover = crate::prover_with(&scene.chain, scene.first.url(), OPERATOR_KEY).await;
    prove(&scene.chain, &prover, &proof(HEIGHT)).await;
    assert_eq!(prover.nonce(NonceAt::Latest).await.unwrap(), 1);
    let head = scene.chain.head().await.unwrap();
    scene.first.behave(&Arc::new(Stale::at(head - 1, 0)));
    let error = prover.nonce(NonceAt::Latest).await.unwrap_err();
    let expected = SetAside::Behind { head: head - 1, seen: head };
    assert!(matches!(&error, RpcError::SetAside { reason, .. } if *reason == expected), "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn node_whose_head_stands_still_while_the_other_goes_on_is_set_aside() {
    let Some(scene) = Scene::new().await else { return };
    let head = scene.chain.head().await.unwrap();
    scene.second.behave(&Arc::new(Stale::at(head, 0)));
    let prover = scene.prover().await;
    scene.chain.mine(1).await.unwrap();
    let stands = || matches!(reason(&prover, 1), Some(SetAside::StandsStill { head: still, .. }) if still == head);
    until(&prover, "the second stands still", stands).await;
}

#[tokio::test]
async fn head_is_not_that_of_a_node_which_fell_behind_while_nothing_else_was_asked() {
    let Some(scene) = Scene::new().await else { return };
    let contracts = scene.contracts().await.unwrap();
    let before = contracts.head().await.unwrap();
    scene.first.behave(&Arc::new(Stale::at(before, 0)));
    scene.chain.mine(10).await.unwrap();
    let started = Instant::now();
    while contracts.head().await.unwrap() != before + 10 {
        assert!(started.elapsed() < PATIENCE, "{:?}", contracts.rpc().nodes());
        sleep(Duration::from_millis(5)).await;
    }
    assert!(contracts.rpc().nodes()[0].set_aside.as_ref().is_some_and(SetAside::is_behind));
}

#[tokio::test]
async fn node_without_the_contracts_or_with_another_block_is_set_aside() {
    let Some(scene) = Scene::new().await else { return };
    scene.second.fail("eth_getCode", Fault::Answer("0x".into()));
    let prover = scene.prover().await;
    assert!(matches!(reason(&prover, 1), Some(SetAside::NoContract { role: "specimen", .. })));
    // A block that was scanned, and that the first does not have.
    scene.second.heal("eth_getCode");
    let other = BlockRef { number: 1, hash: B256::repeat_byte(1) };
    prover.chain().remember(other);
    let error = prover.nonce(NonceAt::Latest).await.unwrap_err();
    assert!(matches!(&error, RpcError::SetAside { reason: SetAside::OtherBlock { number: 1, .. }, .. }), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn proof_is_final_only_when_two_nodes_have_the_same_receipt() {
    for of_another_block in [false, true] {
        let Some(scene) = Scene::new().await else { return };
        let prover = scene.prover().await;
        let signed = prove(&scene.chain, &prover, &proof(HEIGHT)).await;
        let liar = Arc::new(OtherReceipts::new(of_another_block));
        scene.second.behave(&liar);
        for together in [false, true] {
            let mut outlook = prover.outlook().await.unwrap();
            if together {
                prover.look_at(&mut outlook, &[signed.hash]).await.unwrap();
            }
            let settled = prover.settlement(&outlook, &[signed.hash], 0, 0).await.unwrap();
            assert!(matches!(settled, Settlement::Mined { hash, .. } if hash == signed.hash), "{settled:?}");
            assert_eq!(outlook.disputed(), 1);
        }
        liar.end();
        let settled = crate::settlement(&prover, &[signed.hash], 0, 0).await;
        assert!(matches!(settled, Settlement::Final { .. }), "{settled:?}");
    }
}

#[tokio::test]
async fn receipts_of_a_tick_cost_one_request_more_with_a_second_node() {
    let Some(scene) = Scene::new().await else { return };
    let prover = scene.prover().await;
    let mut hashes = Vec::new();
    for height in 0..3 {
        hashes.push(prove(&scene.chain, &prover, &proof(HEIGHT + height)).await.hash);
    }
    let before =
        (scene.first.requests_for("eth_getTransactionReceipt"), scene.second.requests_for("eth_getTransactionReceipt"));
    let mut outlook = prover.outlook().await.unwrap();
    prover.look_at(&mut outlook, &hashes).await.unwrap();
    for (nonce, hash) in (0..).zip(&hashes) {
        let settled = prover.settlement(&outlook, &[*hash], nonce, 0).await.unwrap();
        assert!(matches!(settled, Settlement::Final { .. }), "{settled:?}");
    }
    let after =
        (scene.first.requests_for("eth_getTransactionReceipt"), scene.second.requests_for("eth_getTransactionReceipt"));
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
}
