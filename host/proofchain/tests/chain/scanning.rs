//! The scanner over a chain that grows, lies and changes its mind.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{B256, U64, keccak256};
use axum::{Json, Router};
use refiner_proofchain::{
    Announcement, BlockRef, Checkpoints, Network, ProofChain, Rpc, ScanConfig, ScanError, ScanStep, Scanned, Scanner,
    StartBlock,
};
use refiner_testchain::{Fault, FaultyRpc, Setup, TestChain};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{HEIGHT, LIMITS, connect, specimen, start};

/// A scan and what it has to remember.
struct Scan {
    scanner: Scanner,
    cursor: BlockRef,
    checkpoints: Checkpoints,
}

impl Scan {
    async fn of(chain: &TestChain, url: &str, config: ScanConfig) -> Self {
        let scanner = Scanner::new(connect(chain, url, LIMITS).await, config);
        let cursor = scanner.start(StartBlock::Number(0)).await.unwrap();
        Self { scanner, cursor, checkpoints: [cursor].into_iter().collect() }
    }

    async fn step(&mut self) -> Result<ScanStep, ScanError> {
        let step = self.scanner.next(self.cursor, &self.checkpoints).await?;
        match &step {
            ScanStep::Advanced(Scanned { first, cursor, .. }) => {
                assert_eq!(*first, self.cursor.number + 1, "no height is skipped");
                self.cursor = *cursor;
                self.checkpoints.push(*cursor);
            }
            ScanStep::Reorganised { common_ancestor } => {
                self.cursor = *common_ancestor;
                self.checkpoints.rewind(*common_ancestor);
            }
            ScanStep::UpToDate { .. } => {}
        }
        Ok(step)
    }

    /// Steps until there is nothing new.
    async fn catch_up(&mut self) -> Vec<Announcement> {
        let mut found = Vec::new();
        loop {
            match self.step().await.unwrap() {
                ScanStep::Advanced(scanned) => found.extend(scanned.announcements),
                ScanStep::Reorganised { .. } => {}
                ScanStep::UpToDate { .. } => return found,
            }
        }
    }
}

fn shallow() -> ScanConfig {
    ScanConfig { depth: 0, ..ScanConfig::default() }
}

fn heights(found: &[Announcement]) -> Vec<u64> {
    found.iter().map(|announcement| announcement.height).collect()
}

#[tokio::test]
async fn an_announcement_is_found_with_everything_it_says() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let announced = specimen(HEIGHT);
    let quorum = chain.announce(&announced).await.unwrap();
    let mut scan = Scan::of(&chain, chain.url(), shallow()).await;
    let found = scan.catch_up().await;
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((found.chain_id, found.height), (1, HEIGHT));
    assert_eq!((found.block_hash, found.specimen_hash), (announced.block_hash, announced.specimen_hash));
    assert_eq!((found.seen_in.number, found.transaction), (quorum.block, quorum.hash));
    assert_eq!(found.validators.leading_zeros(), 1, "validator 1 alone");
    let urls = scan_urls(&chain, found.specimen_hash).await;
    assert_eq!(urls, [announced.url]);
}

async fn scan_urls(chain: &TestChain, hash: B256) -> Vec<String> {
    connect(chain, chain.url(), LIMITS).await.specimen_urls(hash).await.unwrap()
}

#[tokio::test]
async fn a_block_is_looked_at_when_it_is_deep_enough_and_not_before() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let mut scan = Scan::of(&chain, chain.url(), ScanConfig { depth: 3, ..ScanConfig::default() }).await;
    chain.announce(&specimen(HEIGHT)).await.unwrap();
    chain.mine(2).await.unwrap();
    assert_eq!(scan.catch_up().await, []);
    chain.mine(1).await.unwrap();
    assert_eq!(heights(&scan.catch_up().await), [HEIGHT]);
}

#[tokio::test]
async fn other_source_chains_are_counted_and_left_out() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let other = refiner_testchain::Specimen { chain_id: 1337, ..specimen(2) };
    chain.announce_all(&[specimen(1), other]).await.unwrap();
    let mut scan = Scan::of(&chain, chain.url(), shallow()).await;
    let ScanStep::Advanced(scanned) = scan.step().await.unwrap() else { panic!("nothing read") };
    assert_eq!((heights(&scanned.announcements), scanned.skipped.other_chain), (vec![1], 1));
    let mut all = Scan::of(&chain, chain.url(), ScanConfig { source_chains: vec![], ..shallow() }).await;
    assert_eq!(heights(&all.catch_up().await), [1, 2]);
}

/// A node with 100,000 empty blocks, which anvil would take minutes to mine. Refuses every request that it does not expect.
async fn long_empty_chain(asked: Arc<AtomicU64>) -> String {
    const HEAD: u64 = 100_000;
    let answer = async move |Json(question): Json<Value>| {
        asked.fetch_add(1, Ordering::Relaxed);
        let result = match question["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x7a69"),
            "eth_getCode" => json!("0x00"),
            "eth_blockNumber" => json!(format!("{HEAD:#x}")),
            "eth_getLogs" => json!([]),
            "eth_getBlockByNumber" => {
                let number: U64 = question["params"][0].as_str().unwrap().parse().unwrap();
                assert!(number.to::<u64>() <= HEAD);
                json!({"number": number, "hash": keccak256(number.to_be_bytes::<8>()), "timestamp": number})
            }
            other => panic!("{other}"),
        };
        Json(json!({"jsonrpc": "2.0", "id": 1, "result": result}))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    url
}

#[tokio::test]
async fn a_hundred_thousand_empty_blocks_take_less_than_two_hundred_questions() {
    let asked = Arc::new(AtomicU64::new(0));
    let url = long_empty_chain(Arc::clone(&asked)).await;
    let network = Network { chain_id: 31_337, ..Network::MOONBEAM };
    let rpc = Rpc::new([url.parse().unwrap()], LIMITS).unwrap();
    let scanner = Scanner::new(ProofChain::connect(rpc, network).await.unwrap(), shallow());
    let cursor = scanner.start(StartBlock::Number(0)).await.unwrap();
    let mut scan = Scan { scanner, cursor, checkpoints: [cursor].into_iter().collect() };
    scan.catch_up().await;
    assert_eq!(scan.cursor.number, 100_000);
    let asked = asked.load(Ordering::Relaxed);
    println!("100,000 blocks: {asked} questions");
    assert!(asked < 200, "{asked} questions");
}

#[tokio::test]
async fn a_provider_that_limits_ranges_is_read_to_the_end() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.announce(&specimen(1)).await.unwrap();
    chain.mine(1_500).await.unwrap();
    chain.announce(&specimen(2)).await.unwrap();
    for (blocks, code, message) in [
        (512, -32603, "block range is too wide (maximum 512)"),
        (100, -32005, "query returned more than 10000 results"),
    ] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        proxy.fail("eth_getLogs", Fault::LongestRange { blocks, code, message: message.to_owned() });
        let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
        assert_eq!(heights(&scan.catch_up().await), [1, 2], "{message}");
    }
}

#[tokio::test]
async fn a_provider_that_refuses_even_one_block_is_an_error_that_names_it() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
    let message = "query returned more than 10000 results".to_owned();
    proxy.fail("eth_getLogs", Fault::Refuse { code: -32005, message });
    let error = scan.step().await.unwrap_err();
    assert!(matches!(error, ScanError::BlockRefused { number: 1, .. }), "{error}");
}

#[tokio::test]
async fn what_a_reorganisation_took_away_is_forgotten_and_the_new_blocks_are_read() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let mut scan = Scan::of(&chain, chain.url(), shallow()).await;
    chain.announce(&specimen(1)).await.unwrap();
    assert_eq!(heights(&scan.catch_up().await), [1]);
    let before = scan.cursor;
    let snapshot = chain.snapshot().await.unwrap();
    chain.announce(&specimen(2)).await.unwrap();
    assert_eq!(heights(&scan.catch_up().await), [2]);
    chain.revert(snapshot).await.unwrap();
    chain.mine(1).await.unwrap();
    chain.announce(&specimen(3)).await.unwrap();
    let step = scan.step().await.unwrap();
    assert_eq!(step, ScanStep::Reorganised { common_ancestor: before });
    assert_eq!(heights(&scan.catch_up().await), [3]);
}

#[tokio::test]
async fn a_reorganisation_of_blocks_that_hold_nothing_is_noticed_at_the_head() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let mut scan = Scan::of(&chain, chain.url(), shallow()).await;
    scan.catch_up().await;
    let before = scan.cursor;
    chain.mine(3).await.unwrap();
    scan.catch_up().await;
    chain.reorganise(2).await.unwrap();
    assert_eq!(scan.step().await.unwrap(), ScanStep::Reorganised { common_ancestor: before });
    scan.catch_up().await;
    assert_eq!(scan.cursor.number, chain.head().await.unwrap());
}

#[tokio::test]
async fn another_chain_under_the_same_cursor_stops_the_scan() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let mut scan = Scan::of(&chain, chain.url(), shallow()).await;
    scan.catch_up().await;
    let foreign = BlockRef { hash: B256::repeat_byte(1), ..scan.cursor };
    scan.cursor = foreign;
    scan.checkpoints = [foreign].into_iter().collect();
    let error = scan.step().await.unwrap_err();
    assert!(matches!(error, ScanError::AnotherChain { remembered: 1, .. }), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_lying_head_costs_nothing_but_time() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.announce(&specimen(1)).await.unwrap();
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
    // Far ahead of what it can serve.
    proxy.fail("eth_blockNumber", Fault::Answer(json!("0xffffff")));
    assert_eq!(scan.step().await.unwrap(), ScanStep::UpToDate { head: 0xff_ffff });
    // Before our cursor.
    proxy.heal("eth_blockNumber");
    assert_eq!(heights(&scan.catch_up().await), [1]);
    proxy.fail("eth_blockNumber", Fault::Answer(json!("0x2")));
    assert_eq!(scan.step().await.unwrap(), ScanStep::UpToDate { head: 2 });
    // The truth again.
    proxy.heal("eth_blockNumber");
    chain.announce(&specimen(2)).await.unwrap();
    assert_eq!(heights(&scan.catch_up().await), [2]);
}

#[tokio::test]
async fn a_node_that_went_back_is_waited_for() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let mut scan = Scan::of(&chain, chain.url(), shallow()).await;
    scan.catch_up().await;
    let snapshot = chain.snapshot().await.unwrap();
    chain.mine(5).await.unwrap();
    scan.catch_up().await;
    chain.revert(snapshot).await.unwrap();
    let head = chain.head().await.unwrap();
    assert_eq!(scan.step().await.unwrap(), ScanStep::UpToDate { head });
}

#[tokio::test]
async fn logs_that_are_none_are_counted_and_named() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
    let topic = "0x858deae9d885ee978c04934ceabf15ebe77ae274f3af6a05ecf3bd9880b08e1e";
    let legacy = "0xf05ac779af1ec75a7b2fbe9415b33a67c00294a121786f7ce2eb3f92e4a6424a";
    let (word, address) = (B256::with_last_byte(1), chain.specimen_contract());
    let log = |topics: &[&str], words: usize, removed: bool| {
        let data = format!("0x{}", "00".repeat(32 * words));
        json!({"address": address, "topics": topics, "data": data, "removed": removed,
               "blockNumber": "0x1", "blockHash": word, "transactionHash": word, "logIndex": "0x0"})
    };
    let one = word.to_string();
    let four = [topic, &one, &one, &one];
    proxy.fail_times(
        "eth_getLogs",
        1,
        Fault::Answer(json!([
            log(&[legacy, &one, &one, &one], 1, false),
            log(&four, 1, false),
            log(&four, 2, true),
            log(&four[..3], 2, false),
            log(&four, 3, false),
            log(&[&one, &one, &one, &one], 2, false),
            log(&[topic, legacy, &one, &one], 2, false),
        ])),
    );
    let ScanStep::Advanced(scanned) = scan.step().await.unwrap() else { panic!("nothing read") };
    let skipped = scanned.skipped;
    assert_eq!((skipped.legacy, skipped.removed, skipped.malformed), (2, 1, 4));
    assert_eq!(skipped.first_malformed, Some(refiner_proofchain::Malformed::Topics(3)));
    assert_eq!(scanned.announcements, []);
}

#[tokio::test]
async fn a_scan_starts_at_the_head_at_a_number_or_days_back() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.rpc("anvil_mine", json!(["0x40", "0x3840"])).await.unwrap(); // 64 blocks, four hours each
    let scanner =
        Scanner::new(connect(&chain, chain.url(), LIMITS).await, ScanConfig { depth: 2, ..ScanConfig::default() });
    let head = chain.head().await.unwrap();
    for (start, expected) in [
        (StartBlock::Latest, head - 2),
        (StartBlock::Number(0), 0),
        (StartBlock::Number(1), 0),
        (StartBlock::Number(10), 9),
        (StartBlock::DaysBack(1), head - 2 - 6 - 1),
        (StartBlock::DaysBack(0), head - 2 - 1),
        (StartBlock::DaysBack(100_000), 0),
    ] {
        assert_eq!(scanner.start(start).await.unwrap().number, expected, "{start:?}");
    }
    let beyond = scanner.start(StartBlock::Number(head + 100)).await.unwrap_err();
    assert!(matches!(beyond, ScanError::NoBlock { .. }), "{beyond}");
}
