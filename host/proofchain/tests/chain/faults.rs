//! A node that answers late, wrongly, too much or not at all.

use std::time::Duration;

use refiner_loopback::unused_address;
use refiner_proofchain::{ChainError, Network, ProofChain, Rpc, RpcError, RpcLimits, Sent};
use refiner_testchain::{Fault, FaultyRpc, OPERATOR_KEY, Setup, TestChain};

use crate::{HEIGHT, LIMITS, connect, proof, prover_with, signed, start};

async fn head_through(chain: &TestChain, fault: Fault, limits: RpcLimits) -> (Result<u64, RpcError>, u64) {
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let contracts = connect(chain, proxy.url(), limits).await;
    proxy.fail("eth_blockNumber", fault);
    (contracts.head().await, proxy.asked("eth_blockNumber"))
}

fn refuse(code: i64, message: &str) -> Fault {
    Fault::Refuse { code, message: message.to_owned() }
}

#[tokio::test]
async fn transport_rate_limits_and_server_errors_are_tried_again_and_nothing_else() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let again = LIMITS.retries as u64 + 1;
    for (fault, attempts) in [
        (Fault::Status(429), again),
        (Fault::Status(500), again),
        (Fault::Status(503), again),
        (refuse(-32005, "rate limit exceeded"), again),
        (refuse(429, "slow down"), again),
        (Fault::Status(401), 1),
        (Fault::Status(404), 1),
        (refuse(-32000, "header not found"), 1),
        (refuse(-32601, "method not found"), 1),
        (Fault::Bytes(b"<html>".to_vec()), 1),
        (Fault::Bytes(Vec::new()), 1),
        (Fault::Answer("not a number".into()), 1),
    ] {
        let (outcome, asked) = head_through(&chain, fault.clone(), LIMITS).await;
        assert!(outcome.is_err(), "{fault:?}");
        assert_eq!(asked, attempts, "{fault:?}");
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let contracts = connect(&chain, proxy.url(), LIMITS).await;
    proxy.fail_times("eth_blockNumber", LIMITS.retries as u64, Fault::Status(429));
    assert_eq!(contracts.head().await.unwrap(), chain.head().await.unwrap());
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_given_up_after_the_time_limit() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    proxy.fail("eth_chainId", Fault::Hang);
    let limits = RpcLimits { timeout: Duration::from_millis(50), retries: 1, ..LIMITS };
    let rpc = Rpc::new([proxy.url().parse().unwrap()], limits).unwrap();
    let error = ProofChain::connect(rpc, Network::MOONBEAM).await.unwrap_err();
    assert!(matches!(error, ChainError::Rpc(RpcError::TimedOut { limit_ms: 50, .. })), "{error}");
    assert_eq!(proxy.asked("eth_chainId"), 2);
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_no_further() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let padded = |bytes: usize| {
        let answer = br#"{"jsonrpc":"2.0","id":1,"result":"0x5"}"#;
        let mut body = vec![b' '; bytes - answer.len()];
        body.extend_from_slice(answer);
        Fault::Bytes(body)
    };
    let (outcome, _) = head_through(&chain, padded(LIMITS.body_bytes), LIMITS).await;
    assert_eq!(outcome.unwrap(), 5);
    let (outcome, _) = head_through(&chain, padded(LIMITS.body_bytes + 1), LIMITS).await;
    assert!(matches!(outcome, Err(RpcError::TooLarge { limit_bytes: 1_048_576, .. })), "{outcome:?}");
}

#[tokio::test]
async fn the_second_node_is_asked_when_the_first_is_away() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let gone = unused_address();
    let urls = [format!("http://{gone}"), chain.url().to_owned()].map(|url| url.parse().unwrap());
    let network = Network {
        chain_id: chain.chain_id(),
        specimen_contract: chain.specimen_contract(),
        result_contract: chain.result_contract(),
    };
    let contracts = ProofChain::connect(Rpc::new(urls, LIMITS).unwrap(), network).await.unwrap();
    assert_eq!(contracts.rpc().endpoint().to_string(), chain.url());
}

#[tokio::test]
async fn another_chain_or_an_address_without_a_contract_is_refused_at_the_start() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let rpc = || Rpc::new([chain.url().parse().unwrap()], LIMITS).unwrap();
    let error = ProofChain::connect(rpc(), Network::MOONBEAM).await.unwrap_err();
    assert_eq!(error.to_string(), "chain id mismatch: expected 1284, found 31337");
    let network = Network { chain_id: 31_337, ..Network::MOONBEAM };
    let error = ProofChain::connect(rpc(), network).await.unwrap_err();
    assert!(matches!(error, ChainError::NoContract { role: "specimen", .. }), "{error}");
}

#[tokio::test]
async fn a_transaction_that_may_have_arrived_is_neither_accepted_nor_refused() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let prover = prover_with(&chain, proxy.url(), OPERATOR_KEY).await;
    let signed = signed(&prover, &proof(HEIGHT)).await;
    for fault in [Fault::Status(502), refuse(-32005, "too many requests"), Fault::Bytes(b"{".to_vec())] {
        proxy.fail("eth_sendRawTransaction", fault);
        assert!(matches!(prover.send(&signed).await, Sent::Unreachable(_)));
    }
    proxy.fail("eth_sendRawTransaction", refuse(-32000, "exceeds block gas limit"));
    assert!(matches!(prover.send(&signed).await, Sent::Rejected(_)));
}

#[tokio::test]
async fn no_error_shows_what_an_address_hides() {
    let refused: RpcLimits = RpcLimits { retries: 0, ..LIMITS };
    let gone = unused_address();
    let url = format!("http://user-s3cret:pass-s3cret@{gone}/v1/path-s3cret?key=query-s3cret").parse().unwrap();
    let rpc = Rpc::new([url], refused).unwrap();
    let mut texts = vec![format!("{rpc:?}")];
    let error = ProofChain::connect(rpc, Network::MOONBEAM).await.unwrap_err();
    texts.push(format!("{error:?}"));
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    for text in &texts {
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert!(texts.iter().any(|text| text.contains(&gone.to_string())));
}
