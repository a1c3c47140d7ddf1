//! Answers of 32 MiB that are built to cost many times that in memory. Each test is a process of its own under nextest, so that its peak
//! is its own.

use std::fs;

use alloy_primitives::hex;
use refiner_proofchain::{ProofChain, Rpc, RpcLimits};
use refiner_testchain::{Fault, FaultyRpc, OPERATOR_KEY, Setup, TestChain};

use crate::{LIMITS, connect, network, prover_with, scanning::Scan, scanning::shallow, specimen, start};

/// Most bytes of an answer.
const BODY: usize = 32 << 20;
/// Most memory that one answer costs: its bytes in a growing buffer, what is read of it, and the two copies of the double.
const MEMORY_KIB: u64 = 5 * (BODY as u64 >> 10);

/// The limits that the daemon has, without patience.
fn limits() -> RpcLimits {
    RpcLimits { retries: 0, ..RpcLimits::default() }
}

/// As many pieces as fit between `before` and `after`.
fn filled(before: &str, piece: &str, after: &str) -> Vec<u8> {
    let pieces = (BODY - before.len() - after.len()) / piece.len();
    let mut body = Vec::with_capacity(BODY);
    body.extend_from_slice(before.as_bytes());
    (0..pieces).for_each(|_| body.extend_from_slice(piece.as_bytes()));
    if body.ends_with(b",") {
        body.pop();
    }
    body.extend_from_slice(after.as_bytes());
    body
}

/// The peak of this process since a moment.
struct Growth(u64);

impl Growth {
    fn new() -> Self {
        // Makes the highest value the present one.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        Self(peak_kib())
    }

    #[track_caller]
    fn check(self, name: &str) {
        let grown = peak_kib().saturating_sub(self.0);
        assert!(grown < MEMORY_KIB, "{name}: {grown} KiB");
    }
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

async fn behind_proxy(chain: &TestChain) -> (FaultyRpc, ProofChain) {
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let contracts = connect(chain, proxy.url(), limits()).await;
    (proxy, contracts)
}

#[tokio::test]
async fn first_answers_of_a_node_cost_a_small_multiple_of_their_bytes() {
    let Some(chain) = start(&Setup::default()).await else { return };
    for (name, body) in [
        ("answers without end", filled("[", r#"{"id":0},"#, "]")),
        ("a result of empty lists", filled(r#"[{"id":0,"result":["#, "[],", "]}]")),
        ("a result of numbers", filled(r#"[{"id":1,"result":["#, "0,", "]}]")),
        ("error data of numbers", filled(r#"[{"id":0,"error":{"code":1,"data":["#, "0,", "]}}]")),
        ("a message", filled(r#"[{"id":0,"error":{"code":1,"message":""#, "a", r#""}}]"#)),
        ("a refusal with data of empty objects", filled(r#"{"error":{"code":1,"message":"no","data":["#, "{},", "]}}")),
        ("fields that nothing reads", filled(r#"{"error":{"code":1},"more":["#, "{},", "]}")),
        ("lists and no objects", filled("[", "[],", "]")),
    ] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        proxy.fail("eth_chainId", Fault::Bytes(body));
        let rpc = Rpc::new([proxy.url().parse().unwrap()], limits()).unwrap();
        let growth = Growth::new();
        let outcome = ProofChain::connect(rpc, network(&chain)).await;
        growth.check(name);
        assert!(outcome.is_err(), "{name}");
    }
}

#[tokio::test]
async fn logs_cost_a_small_multiple_of_their_bytes() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.announce(&specimen(1)).await.unwrap();
    chain.mine(40).await.unwrap();
    let log = r#"{"address":"0x0000000000000000000000000000000000000000","topics":[],"data":"0x"},"#;
    let word = format!("\"0x{}\",", "00".repeat(32));
    let long = format!(r#"[{{"address":"0x{}","topics":["#, "00".repeat(20));
    let data =
        |close: &str| filled(&format!(r#"[{{"address":"0x{}","topics":[],"data":"0x"#, "00".repeat(20)), "00", close);
    for (name, logs) in [
        ("small logs", filled("[", log, "]")),
        ("a log of many topics", filled(&long, &word, r#"],"data":"0x"}]"#)),
        ("a log of much data", data(r#""}]"#)),
        ("empty objects", filled("[", "{},", "]")),
    ] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let mut scan =
            Scan::from(refiner_proofchain::Scanner::new(connect(&chain, proxy.url(), limits()).await, shallow())).await;
        let logs = String::from_utf8(logs).unwrap();
        let body = format!(r#"[{{"id":0,"result":{}}}]"#, &logs[..logs.len()]);
        let alone = Fault::Bytes(body.into_bytes().into_iter().take(BODY).collect());
        drop(logs);
        proxy.fail("eth_getLogs", alone);
        let growth = Growth::new();
        let _ = scan.step().await;
        growth.check(name);
        assert!(proxy.asked("eth_getLogs") > 0, "{name}");
    }
}

#[tokio::test]
async fn history_of_fees_costs_a_small_multiple_of_its_bytes() {
    let Some(chain) = start(&Setup::default()).await else { return };
    for (name, body) in [
        ("blocks without tips", filled(r#"{"id":1,"result":{"reward":["#, "[],", "]}}")),
        ("one block of many tips", filled(r#"{"id":1,"result":{"reward":[["#, r#""0x1","#, "]]}}")),
    ] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let prover = prover_with(&chain, proxy.url(), OPERATOR_KEY).await;
        proxy.fail("eth_maxPriorityFeePerGas", Fault::refuse(-32601, "method not found"));
        proxy.fail("eth_feeHistory", Fault::Bytes(body));
        let growth = Growth::new();
        // The gas price stands in.
        prover.fees().await.unwrap();
        growth.check(name);
        assert_eq!(proxy.asked("eth_feeHistory"), 1, "{name}");
    }
}

/// A list whose every offset leads to the one text would be as many copies of it.
#[tokio::test]
async fn urls_that_share_their_text_are_no_more_bytes_than_the_answer() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let word = |number: usize| format!("{number:064x}");
    let answer = |count: usize, text_bytes: usize| {
        let mut words = word(32) + &word(count);
        (0..count).for_each(|_| words += &word(32 * count));
        words + &word(text_bytes) + &hex::encode("a".repeat(text_bytes.next_multiple_of(32)))
    };
    let (proxy, contracts) = behind_proxy(&chain).await;
    let growth = Growth::new();
    for (count, text_bytes, is_read) in
        [(1, 100, true), (2, 100, true), (20_000, 1 << 20, false), (100_000, 1 << 20, false)]
    {
        proxy.fail("eth_call", Fault::Answer(format!("0x{}", answer(count, text_bytes)).into()));
        let urls = contracts.specimen_urls(specimen(1).specimen_hash).await;
        assert_eq!(urls.as_ref().map(Vec::len).ok(), is_read.then_some(count), "{count} offsets: {:?}", urls.err());
    }
    // Lengths that nothing stands behind.
    for length in [1 << 20, usize::MAX >> 1] {
        proxy.fail("eth_call", Fault::Answer(format!("0x{}{}", word(32), word(length)).into()));
        assert!(contracts.specimen_urls(specimen(1).specimen_hash).await.is_err(), "{length}");
    }
    growth.check("urls");
}

#[tokio::test]
async fn answer_without_a_length_is_read_up_to_its_limit() {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let chunk = format!("10000\r\n{}\r\n", " ".repeat(1 << 16));
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(chunk.as_bytes()).await;
                }
            });
        }
    });
    let rpc = Rpc::new([url.parse().unwrap()], RpcLimits { retries: 0, ..LIMITS }).unwrap();
    let growth = Growth::new();
    let error = rpc.call::<u64>("eth_blockNumber", serde_json::json!([])).await.unwrap_err();
    growth.check("endless");
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
}
