//! Sessions: where they stand, who finalizes them, and the results that others proved.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::B256;
use refiner_proofchain::{OpenedSession, OpenedSessions, PeerProofs, Preparation, Revert, SessionPhase};
use refiner_testchain::{Behaviour, Fault, FaultyRpc, OPERATOR_KEY, Question, Request, STRANGER, Setup};

use crate::{HEIGHT, LIMITS, connect, proof, prove, prover, prover_with, start};

/// Blocks of a session.
const BLOCKS: u64 = 5;

fn short() -> Setup {
    Setup { session_blocks: BLOCKS, ..Setup::default() }
}

#[tokio::test]
async fn finalizer_is_refused_in_the_contract_s_words_until_the_deadline_and_after_the_end() {
    let Some(chain) = start(&short()).await else { return };
    let prover = prover(&chain).await;
    let refusal = || async {
        match prover.prepare_finalize(1, HEIGHT).await.unwrap() {
            Preparation::Refused(revert) => Some(revert),
            Preparation::Ready(_) => None,
        }
    };
    let phase = || async { prover.chain().session(1, HEIGHT).await.unwrap().phase };
    assert_eq!((refusal().await, phase().await), (Some(Revert::SessionNotStarted), SessionPhase::NotStarted));
    prove(&chain, &prover, &proof(HEIGHT)).await;
    assert_eq!((refusal().await, phase().await), (Some(Revert::SessionRunning), SessionPhase::Open));
    chain.mine(BLOCKS + 1).await.unwrap();
    assert_eq!((refusal().await, phase().await), (None, SessionPhase::Finalizable));
    chain.finalize_result(1, HEIGHT).await.unwrap();
    assert_eq!((refusal().await, phase().await), (Some(Revert::SessionFinalized), SessionPhase::Finalized));
}

#[tokio::test]
async fn session_shows_its_deadline_proofs_and_winner() {
    let Some(chain) = start(&short()).await else { return };
    chain.add_operator(STRANGER, 3).await.unwrap();
    let prover = prover(&chain).await;
    let ours = proof(HEIGHT);
    prove(&chain, &prover, &ours).await;
    let opened_in = prover.chain().head().await.unwrap();
    chain.prove_result(STRANGER, 1, HEIGHT, ours.specimen_hash, ours.result_hash).await.unwrap();
    let opened = OpenedSession { chain_id: 1, height: HEIGHT, deadline: opened_in + BLOCKS };
    assert_eq!(OpenedSessions::new(prover.chain().clone()).read().await.unwrap(), [opened]);
    chain.mine(BLOCKS + 1).await.unwrap();
    chain.finalize_result(1, HEIGHT).await.unwrap();

    let view = prover.chain().session(1, HEIGHT).await.unwrap();
    assert_eq!(view.deadline, Some(opened.deadline));
    let pair = (ours.specimen_hash, ours.result_hash);
    assert_eq!(view.proofs.into_iter().collect::<Vec<_>>(), [(pair, 2)]);
    let (specimen, result, validators) = view.quorum.unwrap();
    assert_eq!(((specimen, result), validators.count_ones(), view.without_quorum), (pair, 2, false));
}

#[tokio::test]
async fn session_that_ended_without_a_majority_says_so() {
    let Some(chain) = start(&short()).await else { return };
    let prover = prover(&chain).await;
    prove(&chain, &prover, &proof(HEIGHT)).await;
    chain.mine(BLOCKS + 1).await.unwrap();
    chain.require_submissions(2).await.unwrap();
    chain.finalize_result(1, HEIGHT).await.unwrap();
    let view = prover.chain().session(1, HEIGHT).await.unwrap();
    assert_eq!((view.phase, view.quorum, view.without_quorum), (SessionPhase::Finalized, None, true));
}

#[tokio::test]
async fn proofs_of_others_are_read_whatever_range_the_node_takes() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.add_operator(STRANGER, 3).await.unwrap();
    chain.mine(150).await.unwrap();
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    proxy.fail(
        "eth_getLogs",
        Fault::LongestRange { blocks: 30, code: -32000, message: "range 1000 exceeds limit of 30".to_owned() },
    );
    let specimens = [1, 2].map(B256::repeat_byte);
    let results = [3, 4].map(B256::repeat_byte);
    let mut peers = PeerProofs::new(connect(&chain, proxy.url(), LIMITS).await);
    chain.prove_result(STRANGER, 1, HEIGHT, specimens[0], results[0]).await.unwrap();
    peers.read().await.unwrap();
    assert_eq!(peers.of(specimens[0]).into_iter().collect::<Vec<_>>(), [(results[0], 1)]);
    chain.prove_result(STRANGER, 1, HEIGHT + 1, specimens[1], results[1]).await.unwrap();
    let prover = prover_with(&chain, chain.url(), OPERATOR_KEY).await;
    let second =
        refiner_proofchain::Proof { specimen_hash: specimens[1], result_hash: results[1], ..proof(HEIGHT + 1) };
    prove(&chain, &prover, &second).await;
    peers.read().await.unwrap();
    peers.read().await.unwrap();
    assert_eq!(peers.of(specimens[0]).len(), 1, "what was read is kept");
    assert_eq!(peers.of(specimens[1]).into_iter().collect::<Vec<_>>(), [(results[1], 2)], "and nothing counted twice");
}

/// A node that refuses logs of this block and later ones, and remembers the lowest one that it was asked for.
#[derive(Debug)]
struct RefusesFrom {
    block: AtomicU64,
    lowest: AtomicU64,
}

impl Behaviour for RefusesFrom {
    fn fault(&self, _: &Request, question: &Question<'_>) -> Option<Fault> {
        let (first, last) = question.range()?;
        self.lowest.fetch_min(first, Ordering::Relaxed);
        (last >= self.block.load(Ordering::Relaxed)).then_some(Fault::Status(503))
    }
}

#[tokio::test]
async fn reading_that_failed_goes_on_where_it_failed() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.add_operator(STRANGER, 3).await.unwrap();
    let (specimen, result) = (B256::repeat_byte(1), B256::repeat_byte(3));
    chain.prove_result(STRANGER, 1, HEIGHT, specimen, result).await.unwrap();
    chain.mine(150).await.unwrap();
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    proxy.fail("eth_getLogs", Fault::LongestRange { blocks: 30, code: -32000, message: "limit of 30".to_owned() });
    let mut peers = PeerProofs::new(connect(&chain, proxy.url(), LIMITS).await);
    let node = Arc::new(RefusesFrom { block: AtomicU64::new(100), lowest: AtomicU64::new(u64::MAX) });
    proxy.behave(&node);
    peers.read().await.unwrap_err();
    assert_eq!((node.lowest.load(Ordering::Relaxed), peers.of(specimen).len()), (0, 0), "nothing counts as read yet");

    node.block.store(u64::MAX, Ordering::Relaxed);
    node.lowest.store(u64::MAX, Ordering::Relaxed);
    peers.read().await.unwrap();
    assert!(node.lowest.load(Ordering::Relaxed) > 50, "{node:?}");
    assert_eq!(peers.of(specimen).into_iter().collect::<Vec<_>>(), [(result, 1)]);
}

#[tokio::test]
async fn node_that_is_busy_or_refuses_the_client_is_asked_for_no_shorter_range() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.mine(150).await.unwrap();
    for fault in [
        Fault::Status(429),
        Fault::Status(401),
        Fault::Status(503),
        Fault::refuse(-32005, "too many requests"),
        Fault::refuse(-32000, "header not found"),
    ] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let mut peers = PeerProofs::new(connect(&chain, proxy.url(), LIMITS).await);
        proxy.fail("eth_getLogs", fault.clone());
        peers.read().await.unwrap_err();
        proxy.heal("eth_getLogs");
        let before = proxy.asked("eth_getLogs");
        while peers.read().await.is_err() {
            tokio::time::sleep(LIMITS.look_again).await;
        }
        assert_eq!(proxy.asked("eth_getLogs") - before, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn range_that_a_node_shortened_grows_back() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.mine(40).await.unwrap();
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    proxy.fail("eth_getLogs", Fault::LongestRange { blocks: 2, code: -32000, message: "limit of 2".to_owned() });
    let mut peers = PeerProofs::new(connect(&chain, proxy.url(), LIMITS).await);
    peers.read().await.unwrap();
    proxy.heal("eth_getLogs");
    chain.mine(600).await.unwrap();
    let before = proxy.asked("eth_getLogs");
    peers.read().await.unwrap();
    let asked = proxy.asked("eth_getLogs") - before;
    assert!(asked < 60, "{asked} questions for 600 blocks");
}

#[tokio::test]
async fn proofs_of_an_operator_are_found_by_the_senders_of_their_transactions() {
    let Some(chain) = start(&short()).await else { return };
    chain.add_operator(STRANGER, 3).await.unwrap();
    let prover = prover(&chain).await;
    let ours = proof(HEIGHT);
    prove(&chain, &prover, &ours).await;
    let block = prover.chain().head().await.unwrap();
    chain.prove_result(STRANGER, 1, HEIGHT, ours.specimen_hash, ours.result_hash).await.unwrap();
    let head = prover.chain().head().await.unwrap();

    let found = async |operator, first, last| {
        let found = prover.chain().proofs_of(operator, first, last, |_| true).await.unwrap();
        found
            .iter()
            .map(|proof| (proof.block, proof.height, proof.specimen_hash, proof.result_hash))
            .collect::<Vec<_>>()
    };
    let one = |block| vec![(block, HEIGHT, ours.specimen_hash, ours.result_hash)];
    assert_eq!(found(prover.address(), 0, head).await, one(block));
    assert_eq!(found(STRANGER, 0, head).await, one(head));
    assert_eq!(found(prover.address(), block + 1, head).await, []);
    let unwanted = prover.chain().proofs_of(prover.address(), 0, head, |_| false).await.unwrap();
    assert_eq!(unwanted, [], "transactions of other specimens' proofs are not asked for");
}
