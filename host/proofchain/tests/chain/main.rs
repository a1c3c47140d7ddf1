//! The crate against our own contracts on a real anvil, in part through a proxy that misbehaves. Each test has a chain of
//! its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up its scene shall stop there")]

mod batches;
mod contracts;
mod faults;
mod hostile_answers;
mod keys;
mod lagging;
mod limits;
mod limits_of_nodes;
mod nodes;
mod proving;
mod requests;
mod reverts;
mod scanning;
mod sessions;

use std::time::Duration;

use alloy_primitives::B256;
use refiner_proofchain::{
    FeePolicy, FeeQuote, Fees, KeySource, LeastSpeed, Network, NonceAt, Preparation, Prepared, Proof, ProofChain,
    Prover, Rpc, RpcLimits, Secret, Sent, Settlement, Signed, Signer,
};
use refiner_testchain::{OPERATOR_KEY, Setup, Specimen, TestChain};

/// Quick to give up, so that faults take no time; patient enough for a busy machine.
const LIMITS: RpcLimits = RpcLimits {
    timeout: Duration::from_secs(20),
    body_bytes: 1 << 20,
    speed: LeastSpeed::DEFAULT,
    retries: 3,
    first_pause: Duration::from_millis(1),
    questions_per_second: None,
    look_again: Duration::from_millis(100),
    longest_wait: Duration::from_secs(3_600),
};

/// A height that the default setup takes.
const HEIGHT: u64 = 22_433_670;

/// A chain, or `None` after saying why this machine has none.
async fn start(setup: &Setup) -> Option<TestChain> {
    TestChain::start_or_skip(setup).await.unwrap()
}

/// The contracts, seen through `url`.
async fn connect(chain: &TestChain, url: &str, limits: RpcLimits) -> ProofChain {
    ProofChain::connect(Rpc::new([url.parse().unwrap()], limits).unwrap(), network(chain)).await.unwrap()
}

fn network(chain: &TestChain) -> Network {
    Network {
        chain_id: chain.chain_id(),
        specimen_contract: chain.specimen_contract(),
        result_contract: chain.result_contract(),
    }
}

/// A prover with `key`, seeing the chain through `url`.
async fn prover_with(chain: &TestChain, url: &str, key: &str) -> Prover {
    let signer = Signer::load(&KeySource::Value(Secret::new(key.to_owned()))).await.unwrap();
    Prover::new(connect(chain, url, LIMITS).await, signer, FeePolicy::default())
}

/// A prover with the operator's key.
async fn prover(chain: &TestChain) -> Prover {
    prover_with(chain, chain.url(), OPERATOR_KEY).await
}

fn specimen(height: u64) -> Specimen {
    Specimen {
        chain_id: 1,
        height,
        block_hash: B256::repeat_byte(0xb1),
        specimen_hash: B256::from(alloy_primitives::U256::from(height)),
        url: format!("ipfs://specimen-{height}"),
    }
}

fn proof(height: u64) -> Proof {
    Proof {
        chain_id: 1,
        height,
        specimen_hash: B256::repeat_byte(0x5e),
        result_hash: B256::repeat_byte(0x4e),
        url: "ipfs://bafybeica3v7gpy25q6p5qegcm5rnbhf5fapsis55wklhtcry4l24hkw5py".to_owned(),
    }
}

async fn ready(prover: &Prover, proof: &Proof) -> Prepared {
    match prover.prepare(proof).await.unwrap() {
        Preparation::Ready(prepared) => prepared,
        Preparation::Refused(revert) => panic!("refused: {revert}"),
    }
}

async fn market(prover: &Prover) -> Fees {
    match prover.fees().await.unwrap() {
        FeeQuote::Fees(fees) => fees,
        above @ FeeQuote::AboveCap { .. } => panic!("{above:?}"),
    }
}

async fn signed(prover: &Prover, proof: &Proof) -> Signed {
    let prepared = ready(prover, proof).await;
    let nonce = prover.nonce(NonceAt::Pending).await.unwrap();
    prover.sign(&prepared, nonce, &market(prover).await).await.unwrap()
}

/// Sends a proof that is accepted.
async fn send(prover: &Prover, proof: &Proof) -> Signed {
    let signed = signed(prover, proof).await;
    assert!(matches!(prover.send(&signed).await, Sent::Accepted));
    signed
}

/// The fate of a transaction, as the chain stands now.
async fn settlement(prover: &Prover, hashes: &[B256], nonce: u64, depth: u64) -> Settlement {
    let outlook = prover.outlook().await.unwrap();
    prover.settlement(&outlook, hashes, nonce, depth).await.unwrap()
}

/// Has a proof mined.
async fn prove(chain: &TestChain, prover: &Prover, proof: &Proof) -> Signed {
    let signed = send(prover, proof).await;
    chain.mined(signed.hash).await.unwrap();
    signed
}
