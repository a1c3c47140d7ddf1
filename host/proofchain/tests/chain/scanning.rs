//! The scanner over a chain that grows, lies and changes its mind.

use std::collections::BTreeMap;

use alloy_primitives::{B256, b256};
use refiner_proofchain::{
    Announcement, BlockRef, Checkpoints, Lack, ScanConfig, ScanError, ScanStep, Scanned, Scanner, StartBlock,
};
use refiner_testchain::{Fault, FaultyRpc, Setup, TestChain, quantity};
use serde_json::json;

use crate::{HEIGHT, LIMITS, connect, specimen, start};

/// `BlockSpecimenQuorum`, docs/protocol.md, section 1.1.
const QUORUM: B256 = b256!("858deae9d885ee978c04934ceabf15ebe77ae274f3af6a05ecf3bd9880b08e1e");

/// A scan and what it has to remember.
pub struct Scan {
    pub scanner: Scanner,
    pub cursor: BlockRef,
    pub checkpoints: Checkpoints,
    /// Announcements by block and log index: those that are read again are one.
    pub known: BTreeMap<(u64, u64), Announcement>,
}

impl Scan {
    pub async fn of(chain: &TestChain, url: &str, config: ScanConfig) -> Self {
        Self::from(Scanner::new(connect(chain, url, LIMITS).await, config)).await
    }

    pub async fn from(scanner: Scanner) -> Self {
        let cursor = scanner.start(StartBlock::Number(0)).await.unwrap();
        Self { scanner, cursor, checkpoints: [cursor].into_iter().collect(), known: BTreeMap::new() }
    }

    pub async fn step(&mut self) -> Result<ScanStep, ScanError> {
        let step = self.scanner.next(self.cursor, &self.checkpoints).await?;
        match &step {
            ScanStep::Advanced(Scanned { first, cursor, announcements, .. }) => {
                assert!(*first <= self.cursor.number + 1, "no height is skipped");
                self.cursor = *cursor;
                self.checkpoints.push(*cursor);
                for found in announcements {
                    self.known.insert((found.seen_in.number, found.log_index), found.clone());
                }
            }
            ScanStep::Reorganised { common_ancestor } => {
                self.cursor = *common_ancestor;
                self.checkpoints.rewind(*common_ancestor);
                self.known.retain(|(block, _), _| *block <= common_ancestor.number);
            }
            ScanStep::UpToDate { .. } | ScanStep::Behind { .. } => {}
        }
        Ok(step)
    }

    /// Steps until there is nothing new, or a node lacks it. Announcements that were not known before.
    pub async fn catch_up(&mut self) -> Vec<Announcement> {
        let before = self.known.clone();
        while matches!(self.step().await.unwrap(), ScanStep::Advanced(_) | ScanStep::Reorganised { .. }) {}
        self.known.iter().filter(|(place, _)| !before.contains_key(place)).map(|(_, found)| found.clone()).collect()
    }

    /// Every event of the contract up to the cursor is known, and nothing else.
    #[track_caller]
    pub fn assert_complete(&self, events: &[(u64, u64)]) {
        let known: Vec<_> = self.known.keys().copied().collect();
        let expected: Vec<_> = events.iter().copied().filter(|(block, _)| *block <= self.cursor.number).collect();
        assert_eq!(known, expected, "the scan is at {}", self.cursor.number);
    }
}

/// The contract's events, by block and log index.
pub async fn events(chain: &TestChain) -> Vec<(u64, u64)> {
    let logs = chain.logs(chain.specimen_contract(), QUORUM).await.unwrap();
    logs.iter().map(|log| (quantity(&log["blockNumber"]).unwrap(), quantity(&log["logIndex"]).unwrap())).collect()
}

pub fn shallow() -> ScanConfig {
    ScanConfig { depth: 0, ..ScanConfig::default() }
}

pub fn heights(found: &[Announcement]) -> Vec<u64> {
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
    // Without a window all blocks are read in one step.
    let mut scan = Scan::of(&chain, chain.url(), ScanConfig { window: 0, ..shallow() }).await;
    let ScanStep::Advanced(scanned) = scan.step().await.unwrap() else { panic!("nothing read") };
    assert_eq!((heights(&scanned.announcements), scanned.skipped.other_chain), (vec![1], 1));
    let mut all = Scan::of(&chain, chain.url(), ScanConfig { source_chains: vec![], ..shallow() }).await;
    assert_eq!(heights(&all.catch_up().await), [1, 2]);
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
    let step = scan.step().await.unwrap();
    assert!(matches!(step, ScanStep::Behind { head: 0xff_ffff, number: 2_000, lack: Lack::Block, .. }), "{step:?}");
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
