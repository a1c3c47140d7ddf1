//! The scan over announcements that a test gives.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use alloy_primitives::{B256, U256};
use futures_util::future::BoxFuture;
use refiner_journal::State;
use refiner_proofchain::{Announcement, Lack, RpcError, ScanProgress, Scanned, Skipped};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::*;
use crate::testbed::{Testbed, lock, target};

/// The journal of a source that a test plays.
#[derive(Default)]
struct Played {
    /// The next steps; when they are used up there is nothing new.
    steps: Mutex<VecDeque<Result<ScanStep, ScanError>>>,
    /// The cursor of each step and its time.
    asked: Mutex<Vec<(u64, Duration)>>,
    /// The newest block that was remembered.
    remembered: Mutex<Option<u64>>,
}

struct PlayedSource {
    played: Arc<Played>,
    start: Instant,
}

impl AnnouncementSource for PlayedSource {
    fn start(&mut self, at: StartBlock) -> BoxFuture<'_, Result<BlockRef, ScanError>> {
        Box::pin(async move {
            match at {
                StartBlock::Number(number) if number <= NEWEST => Ok(block(number - 1)),
                StartBlock::Number(number) => Err(ScanError::NoBlock { number: number - 1 }),
                _ => Err(ScanError::NoBlock { number: 0 }),
            }
        })
    }

    fn next<'a>(
        &'a mut self,
        cursor: BlockRef,
        _checkpoints: &'a Checkpoints,
    ) -> BoxFuture<'a, Result<ScanStep, ScanError>> {
        Box::pin(async move {
            lock(&self.played.asked).push((cursor.number, self.start.elapsed()));
            let step = lock(&self.played.steps).pop_front();
            step.unwrap_or(Ok(ScanStep::UpToDate { head: cursor.number + DEPTH }))
        })
    }

    fn progress(&self) -> ScanProgress {
        ScanProgress { range_blocks: 8, ..ScanProgress::default() }
    }

    fn remember(&self, checkpoints: &Checkpoints) {
        *lock(&self.played.remembered) = checkpoints.blocks().last().map(|block| block.number);
    }
}

const DEPTH: u64 = 12;
/// The newest block of the chain.
const NEWEST: u64 = 1_000_000;
const TERMS: ScanTerms = ScanTerms {
    start: StartBlock::Number(100),
    depth: DEPTH,
    backlog: 1_000,
    poll: Duration::from_secs(6),
    retry: Duration::from_secs(1),
};

fn block(number: u64) -> BlockRef {
    BlockRef { number, hash: B256::from(U256::from(number)) }
}

/// A specimen of `height`, announced in block `seen_in`.
fn announced(height: u64, seen_in: u64) -> Announcement {
    Announcement {
        chain_id: 1,
        height,
        block_hash: B256::from(U256::from(height)),
        specimen_hash: B256::from(U256::from(height + 1_000)),
        validators: U256::ZERO,
        seen_in: block(seen_in),
        log_index: 0,
        transaction: B256::ZERO,
    }
}

/// Blocks up to `cursor` with these announcements.
fn advanced(cursor: u64, announcements: Vec<Announcement>) -> ScanStep {
    ScanStep::Advanced(Scanned {
        announcements,
        skipped: Skipped::default(),
        first: cursor,
        cursor: block(cursor),
        head: cursor + DEPTH,
        recovered: 0,
        node: "http://node".to_owned(),
    })
}

struct Run {
    bed: Testbed,
    played: Arc<Played>,
    reorganisations: Reorganisations,
    running: JoinHandle<Result<(), JournalError>>,
}

impl Run {
    fn of(bed: Testbed, terms: ScanTerms, steps: impl IntoIterator<Item = Result<ScanStep, ScanError>>) -> Self {
        let played = Arc::new(Played { steps: Mutex::new(steps.into_iter().collect()), ..Played::default() });
        let reorganisations = Reorganisations::default();
        let recorder = Recorder {
            journal: bed.journal.clone(),
            status: bed.status.clone(),
            targets: Arc::new(std::iter::once(target()).collect()),
            reorganisations: reorganisations.clone(),
        };
        let source = Box::new(PlayedSource { played: Arc::clone(&played), start: Instant::now() });
        let running = tokio::spawn(Scan { recorder, source, terms }.run(bed.stop.clone()));
        Self { bed, played, reorganisations, running }
    }

    fn numbers(&self) -> Vec<(State, u64)> {
        let numbers = self.bed.journal.with(|journal| journal.items_by_state()).unwrap();
        numbers.into_iter().filter(|(_, items)| *items > 0).collect()
    }

    fn cursor(&self) -> Option<u64> {
        self.bed.journal.with(|journal| journal.cursor()).unwrap().map(|cursor| cursor.number)
    }

    async fn ends(self) -> Testbed {
        self.bed.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.bed
    }
}

#[tokio::test(start_paused = true)]
async fn announcements_become_items_together_with_the_position() {
    let steps = [advanced(105, vec![announced(1, 101), announced(2, 105)]), advanced(110, vec![announced(3, 107)])];
    let run = Run::of(Testbed::new(), TERMS, steps.map(Ok));
    sleep(Duration::from_secs(1)).await;
    assert_eq!((run.numbers(), run.cursor()), (vec![(State::Announced, 3)], Some(110)));
    assert_eq!(*lock(&run.played.remembered), Some(110));
    let cursors: Vec<_> = lock(&run.played.asked).iter().map(|(cursor, _)| *cursor).collect();
    assert_eq!(cursors, [99, 105, 110], "the block before the first is the start");
    let now = run.bed.status.now().clone();
    assert_eq!((now.head, now.cursor, now.scan.range_blocks), (Some(122), Some(110), 8));
    assert!(run.bed.journal.arrivals(State::Announced).has_changed().is_ok());
}

#[tokio::test(start_paused = true)]
async fn scan_goes_on_after_the_position_of_an_earlier_run() {
    let run = Run::of(Testbed::new(), TERMS, [Ok(advanced(105, vec![announced(1, 101)]))]);
    sleep(Duration::from_secs(1)).await;
    let bed = run.ends().await;
    let run = Run::of(Testbed { stop: CancellationToken::new(), ..bed }, TERMS, []);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(lock(&run.played.asked)[0].0, 105);
    assert_eq!(run.bed.status.now().cursor, Some(105));
}

#[tokio::test(start_paused = true)]
async fn imported_position_that_the_chain_does_not_have_is_named_with_the_way_out() {
    let bed = Testbed::new();
    assert!(bed.journal.with(|journal| journal.set_start(NEWEST + 1)).unwrap());
    let run = Run::of(bed, TERMS, []);
    sleep(Duration::from_secs(1)).await;
    {
        let now = run.bed.status.now();
        let waiting = &now.waits_for[PART];
        assert_eq!(waiting.what, "block 1000001, where the imported position is: the node has no block 1000000");
        assert!(waiting.hint.contains("refiner journal import"), "{}", waiting.hint);
    }
    assert_eq!(run.cursor(), None);
}

#[tokio::test(start_paused = true)]
async fn chain_without_news_is_asked_once_a_poll() {
    let run = Run::of(Testbed::new(), TERMS, []);
    sleep(Duration::from_secs(59)).await;
    assert_eq!(lock(&run.played.asked).len(), 10);
    assert!(run.bed.status.now().waits_for.is_empty());
}

#[tokio::test(start_paused = true)]
async fn reorganisation_withdraws_what_was_announced_above_the_ancestor() {
    let steps = [
        advanced(105, vec![announced(1, 101)]),
        advanced(110, vec![announced(2, 108)]),
        ScanStep::Reorganised { common_ancestor: block(105) },
        advanced(111, vec![announced(3, 109)]),
    ];
    let run = Run::of(Testbed::new(), TERMS, steps.map(Ok));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(run.numbers(), [(State::Announced, 2), (State::Withdrawn, 1)]);
    assert_eq!((run.cursor(), run.reorganisations.count()), (Some(111), 2), "the start counts as one");
    let cursors: Vec<_> = lock(&run.played.asked).iter().map(|(cursor, _)| *cursor).collect();
    assert_eq!(cursors, [99, 105, 110, 105, 111]);
}

#[tokio::test(start_paused = true)]
async fn announcement_that_a_node_left_out_is_found_when_its_block_is_read_again() {
    let steps = [advanced(110, vec![announced(1, 101)]), advanced(115, vec![announced(1, 101), announced(2, 104)])];
    let run = Run::of(Testbed::new(), TERMS, steps.map(Ok));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(run.numbers(), [(State::Announced, 2)]);
    assert_eq!(run.bed.status.now().scan.late, 1);
}

#[tokio::test(start_paused = true)]
async fn node_that_fails_is_asked_ever_more_rarely_and_named_in_the_status() {
    let fails = || Err(ScanError::Rpc(RpcError::NoEndpoint));
    let steps = [Ok(advanced(105, Vec::new())), fails(), fails(), fails(), Ok(advanced(110, Vec::new()))];
    let run = Run::of(Testbed::new(), TERMS, steps);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(run.bed.status.now().waits_for[PART].what, "no RPC address is configured");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(run.cursor(), Some(110));
    assert!(run.bed.status.now().waits_for.is_empty());
    let asked: Vec<_> = lock(&run.played.asked)[1..5].iter().map(|(_, at)| *at).collect();
    for (failures, pair) in asked.windows(2).enumerate() {
        let (pause, least) = (pair[1] - pair[0], Duration::from_secs(1 << failures));
        assert!(pause >= least && pause <= 2 * least + Duration::from_millis(2), "{failures}: {pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn node_that_lags_behind_is_named_until_it_has_the_blocks() {
    let behind = ScanStep::Behind { head: 130, node: "http://node".to_owned(), number: 108, lack: Lack::Logs };
    let steps = [advanced(105, Vec::new()), behind.clone(), behind, advanced(110, Vec::new())];
    let run = Run::of(Testbed::new(), TERMS, steps.map(Ok));
    sleep(Duration::from_secs(7)).await;
    {
        let now = run.bed.status.now();
        assert!(now.waits_for[PART].what.contains("does not give the logs of block 108"), "{:?}", now.waits_for);
        assert_eq!((now.scan.behind, now.head), (2, Some(130)));
    }
    sleep(Duration::from_secs(7)).await;
    assert!(run.bed.status.now().waits_for.is_empty());
    assert_eq!(run.cursor(), Some(110));
}

#[tokio::test(start_paused = true)]
async fn scan_waits_while_the_backlog_is_full() {
    let steps = [advanced(105, vec![announced(1, 101), announced(2, 102)]), advanced(110, vec![announced(3, 107)])];
    let run = Run::of(Testbed::new(), ScanTerms { backlog: 2, ..TERMS }, steps.map(Ok));
    sleep(Duration::from_secs(60)).await;
    assert_eq!((run.cursor(), lock(&run.played.asked).len()), (Some(105), 1));
    assert!(run.bed.status.now().waits_for[PART].what.contains("2 items are unfinished"));
    let item = run.bed.journal.with(|journal| journal.due(State::Announced, u64::MAX >> 1, 1)).unwrap().remove(0);
    run.bed.advance(&item, [refiner_journal::Step::Skipped { reason: "by hand".to_owned() }]);
    sleep(TERMS.poll).await;
    assert_eq!(run.cursor(), Some(110));
    assert!(!run.bed.status.now().waits_for.is_empty(), "two are unfinished again");
}

#[tokio::test(start_paused = true)]
async fn scan_that_waits_for_a_node_ends_at_once() {
    let run = Run::of(Testbed::new(), TERMS, [Err(ScanError::Moved { number: 1 })]);
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    run.ends().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}
