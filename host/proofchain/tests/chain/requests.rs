//! The number of requests that a scan makes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{U64, keccak256};
use axum::{Json, Router};
use refiner_proofchain::{Network, ProofChain, Rpc, Scanner};
use refiner_testchain::{Blooms, FaultyRpc, Setup};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    LIMITS,
    scanning::{Scan, events, shallow},
    specimen, start,
};

/// Blocks of the long chain.
const HEAD: u64 = 100_000;

/// A node with 100,000 empty blocks, which anvil would take minutes to mine. Refuses every request that it does not expect.
async fn long_empty_chain(requests: Arc<AtomicU64>, together: bool) -> String {
    let answer = async move |Json(body): Json<Value>| {
        requests.fetch_add(1, Ordering::Relaxed);
        Json(match body {
            Value::Array(_) if !together => {
                json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "no batches"}})
            }
            Value::Array(questions) => questions.iter().map(answer_one).collect(),
            question => answer_one(&question),
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    url
}

fn answer_one(question: &Value) -> Value {
    let result = match question["method"].as_str().unwrap() {
        "eth_chainId" => json!("0x7a69"),
        "eth_getCode" => json!("0x00"),
        "eth_blockNumber" => json!(format!("{HEAD:#x}")),
        "eth_getLogs" => json!([]),
        "eth_getBlockByNumber" => {
            let number = question["params"][0].as_str().unwrap();
            let number: U64 = if number == "latest" { U64::from(HEAD) } else { number.parse().unwrap() };
            assert!(number.to::<u64>() <= HEAD);
            json!({"number": number, "hash": keccak256(number.to_be_bytes::<8>()), "timestamp": number})
        }
        other => panic!("{other}"),
    };
    json!({"jsonrpc": "2.0", "id": question["id"], "result": result})
}

#[tokio::test]
async fn a_hundred_thousand_old_empty_blocks_take_at_most_sixty_requests() {
    for (together, most) in [(true, 30), (false, 60)] {
        let requests = Arc::new(AtomicU64::new(0));
        let url = long_empty_chain(Arc::clone(&requests), together).await;
        let network = Network { chain_id: 31_337, ..Network::MOONBEAM };
        let rpc = Rpc::new([url.parse().unwrap()], LIMITS).unwrap();
        let mut scan = Scan::from(Scanner::new(ProofChain::connect(rpc, network).await.unwrap(), shallow())).await;
        scan.catch_up().await;
        assert_eq!(scan.cursor.number, HEAD);
        let requests = requests.load(Ordering::Relaxed);
        println!("100,000 blocks: {requests} requests, together: {together}");
        assert!(requests <= most, "{requests} requests");
    }
}

#[tokio::test]
async fn a_new_block_takes_at_most_three_requests() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
    scan.catch_up().await;
    for (blooms, most) in [(None, 2), (Some(Blooms::Full), 3)] {
        if let Some(blooms) = blooms {
            proxy.behave(&Arc::new(blooms));
        }
        for height in 0..3 {
            chain.announce(&specimen(10 * most + height)).await.unwrap();
            scan.catch_up().await;
            chain.mine(1).await.unwrap();
            let before = proxy.requests();
            scan.step().await.unwrap();
            assert_eq!(scan.cursor.number, chain.head().await.unwrap());
            let requests = proxy.requests() - before;
            assert_eq!(requests, most, "{blooms:?}");
        }
    }
    scan.assert_complete(&events(&chain).await);
}
