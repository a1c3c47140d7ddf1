//! Nodes that are slow, limit rates, or have no opinion on fees.

use std::{num::NonZeroU32, time::Duration};

use refiner_proofchain::{Fees, LeastSpeed, ProofChain, Rpc, RpcError, RpcLimits};
use refiner_testchain::{Fault, FaultyRpc, OPERATOR_KEY, Setup};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::{Instant, sleep},
};

use crate::{LIMITS, connect, market, network, prover_with, start};

const GWEI: u128 = 1_000_000_000;

#[tokio::test]
async fn tip_comes_from_the_fee_history_or_the_gas_price_where_the_node_suggests_none() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let hex = |wei: u128| json!(format!("{wei:#x}"));
    let unknown = || Fault::refuse(-32601, "the method eth_maxPriorityFeePerGas does not exist/is not available");
    let history = |tips: &[u128]| {
        let reward: Vec<_> = tips.iter().map(|tip| vec![hex(*tip)]).collect();
        Fault::Answer(json!({"oldestBlock": "0x1", "baseFeePerGas": [], "gasUsedRatio": [], "reward": reward}))
    };
    let none = || Fault::refuse(-32601, "method not found");
    for (suggested, history, price_above_base, expected) in [
        (unknown(), history(&[0, 3 * GWEI, 5 * GWEI, 4 * GWEI, 0]), 9 * GWEI, 4 * GWEI),
        (Fault::Answer(json!(null)), history(&[2 * GWEI]), 9 * GWEI, 2 * GWEI),
        (unknown(), history(&[0, 0]), 9 * GWEI, 9 * GWEI),
        (unknown(), Fault::Answer(json!(null)), 7 * GWEI, 7 * GWEI),
        (Fault::Answer(json!(null)), none(), 0, GWEI / 10),
    ] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let prover = prover_with(&chain, proxy.url(), OPERATOR_KEY).await;
        let latest = chain.rpc("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
        let base = u128::from_str_radix(&latest["baseFeePerGas"].as_str().unwrap()[2..], 16).unwrap();
        proxy.fail("eth_maxPriorityFeePerGas", suggested);
        proxy.fail("eth_feeHistory", history);
        proxy.fail("eth_gasPrice", Fault::Answer(hex(base + price_above_base)));
        let Fees::Dynamic { tip_wei, .. } = market(&prover).await else { panic!("no base fee") };
        assert_eq!(tip_wei, expected);
    }
}

#[tokio::test]
async fn tip_that_one_node_does_not_suggest_comes_from_the_other() {
    let Some(scene) = crate::nodes::Scene::new().await else { return };
    let prover = scene.prover().await;
    scene.first.fail("eth_maxPriorityFeePerGas", Fault::Answer(json!(null)));
    scene.second.fail("eth_maxPriorityFeePerGas", Fault::Answer(json!("0x77359400")));
    let Fees::Dynamic { tip_wei, .. } = market(&prover).await else { panic!("no base fee") };
    assert_eq!((tip_wei, scene.first.asked("eth_feeHistory")), (2 * GWEI, 0));
}

#[tokio::test]
async fn node_is_not_asked_before_the_time_that_it_named() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let contracts = connect(&chain, proxy.url(), LIMITS).await;
    let headers = vec![("retry-after".to_owned(), "2".to_owned())];
    proxy.fail_times("eth_blockNumber", 1, Fault::Page { status: 429, headers, body: String::new() });
    let refused = Instant::now();
    let error = contracts.head().await.unwrap_err();
    assert!(matches!(error, RpcError::Later { wait_s: 2, .. }) && error.is_transient(), "{error}");
    let before = proxy.requests();
    while refused.elapsed() < Duration::from_millis(1_900) {
        assert!(contracts.head().await.is_err());
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(proxy.requests(), before);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(contracts.head().await.unwrap(), chain.head().await.unwrap());
}

#[tokio::test]
async fn second_node_is_asked_while_the_first_wants_to_be_left_alone() {
    let Some(scene) = crate::nodes::Scene::new().await else { return };
    let contracts = scene.contracts().await.unwrap();
    let headers = vec![("Retry-After".to_owned(), "60".to_owned())];
    scene.first.fail("eth_blockNumber", Fault::Page { status: 503, headers, body: "busy".to_owned() });
    for _ in 0..5 {
        assert_eq!(contracts.head().await.unwrap(), scene.chain.head().await.unwrap());
    }
    assert_eq!((scene.first.asked("eth_blockNumber"), scene.second.asked("eth_blockNumber")), (1, 5));
    assert!(contracts.rpc().nodes()[0].wait.is_some_and(|wait| wait > Duration::from_secs(50)));
}

#[tokio::test]
async fn peer_that_names_a_time_beyond_the_longest_wait_is_asked_after_that() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let limits = RpcLimits { longest_wait: Duration::from_secs(2), ..LIMITS };
    let contracts = connect(&chain, proxy.url(), limits).await;
    let headers = vec![("retry-after".to_owned(), "7200".to_owned())];
    proxy.fail_times("eth_blockNumber", 1, Fault::Page { status: 429, headers, body: String::new() });
    let error = contracts.head().await.unwrap_err();
    assert!(matches!(error, RpcError::Later { wait_s: 1..=2, .. }), "{error}");
    sleep(Duration::from_millis(2_100)).await;
    assert_eq!(contracts.head().await.unwrap(), chain.head().await.unwrap());
}

#[tokio::test]
async fn node_gets_no_more_questions_a_second_than_allowed() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let limits = RpcLimits { questions_per_second: NonZeroU32::new(20), ..LIMITS };
    let contracts = connect(&chain, proxy.url(), limits).await;
    let before = proxy.asked_in_all();
    let asked = Instant::now();
    for head in futures_util::future::join_all((0..15).map(|_| contracts.head())).await {
        head.unwrap();
    }
    contracts.urls_and_sessions(&[(Default::default(), None); 5]).await.unwrap();
    assert_eq!(proxy.asked_in_all() - before, 20);
    assert!(asked.elapsed() >= Duration::from_millis(700), "{:?}", asked.elapsed());
}

/// A server that sends its answer, `bytes` long, in pieces of `piece` every 10 ms, whatever it is asked.
async fn trickling(bytes: usize, piece: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = br#"{"jsonrpc":"2.0","id":1,"result":"0x5"}"#;
                let mut body = vec![b' '; bytes - answer.len()];
                body.extend_from_slice(answer);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).await;
                for piece in body.chunks(piece) {
                    if stream.write_all(piece).await.is_err() {
                        return;
                    }
                    sleep(Duration::from_millis(10)).await;
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn answer_that_trickles_is_given_up_and_a_fast_one_is_read() {
    // 20 KiB/s must come. Of 50 bytes in 10 ms that is never so, of 4 KiB also on a busy machine.
    let speed = LeastSpeed { bytes_per_second: 20 << 10, over: Duration::from_millis(300) };
    let limits = RpcLimits { speed, retries: 0, ..LIMITS };
    for (piece, is_fast) in [(50, false), (4096, true)] {
        let url = trickling(64 << 10, piece).await;
        let rpc = Rpc::new([url.parse().unwrap()], limits).unwrap();
        let asked = Instant::now();
        let answer = rpc.call::<String>("eth_blockNumber", json!([])).await;
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        match answer {
            Ok(answer) => assert!(is_fast && answer == "0x5"),
            Err(error) => assert!(!is_fast && matches!(error, RpcError::TooSlow { over_ms: 300, .. }), "{error}"),
        }
    }
    assert_eq!(LIMITS.speed, LeastSpeed { bytes_per_second: 16 << 10, over: Duration::from_secs(15) });
}

#[tokio::test]
async fn what_an_address_hides_is_in_no_text_also_when_the_node_repeats_it() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let url = proxy.url().replace("http://", "http://user-s3cret:pass-s3cret@") + "/v1/path-s3cret?key=query-s3cret";
    let rpc = Rpc::new([url.parse().unwrap()], LIMITS).unwrap();
    let contracts = ProofChain::connect(rpc, network(&chain)).await.unwrap();
    let told = "no app path-s3cret of user-s3cret:pass-s3cret (query-s3cret)";
    for fault in [
        Fault::refuse(-32000, told),
        Fault::Answer(json!(told)),
        Fault::page(403, told),
        Fault::page(200, told),
        Fault::page(400, format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32600,"message":"{told}"}}}}"#)),
    ] {
        proxy.fail("eth_blockNumber", fault.clone());
        let error = contracts.head().await.unwrap_err();
        let mut texts =
            vec![format!("{error:?}"), format!("{:?}", contracts.rpc()), format!("{:?}", contracts.rpc().nodes())];
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        for text in texts {
            assert!(!text.contains("s3cret"), "{fault:?}: {text}");
        }
    }
}
