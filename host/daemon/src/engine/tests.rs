//! Stage runners over stages that do what a test asks for.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use refiner_content::{Excerpt, FetchError, FetchFailure, KeepError, Origin, content_id};
use refiner_journal::{Item, ItemId, State, Step};
use refiner_proofchain::RpcError;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    policy::{FailurePolicy, StageError},
    stage::Stage,
    stage_runner::{Backpressure, StageRunner, StageTerms},
    unreachable::FailureObserver,
};
use crate::testbed::{POLICY, Testbed, fetched, lock};

/// Answers of a test; the last one is repeated.
type Answer = fn() -> Result<Step, StageError>;

/// A stage that takes a second for an item.
struct FixedStage {
    answers: Mutex<VecDeque<Answer>>,
    begun: Mutex<Vec<(ItemId, Duration)>>,
    recorded: Mutex<Vec<ItemId>>,
    start: Instant,
}

impl FixedStage {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            begun: Mutex::default(),
            recorded: Mutex::default(),
            start: Instant::now(),
        })
    }

    /// When an item was begun, in seconds since the start.
    fn begun_s(&self) -> Vec<u64> {
        lock(&self.begun).iter().map(|(_, at)| at.as_secs()).collect()
    }
}

impl Stage for FixedStage {
    type Outcome = Step;

    async fn work(self: Arc<Self>, item: Item) -> Result<Step, StageError> {
        lock(&self.begun).push((item.id, self.start.elapsed()));
        let answer = {
            let mut answers = lock(&self.answers);
            if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] }
        };
        sleep(WORK).await;
        answer()
    }

    fn recorded(&self, item: &Item) {
        lock(&self.recorded).push(item.id);
    }
}

/// The time that the stage takes.
const WORK: Duration = Duration::from_secs(1);

/// Counts failures.
#[derive(Default)]
struct Failures(Mutex<Vec<String>>);

impl FailureObserver for Failures {
    fn failed(&self, error: &StageError) {
        lock(&self.0).push(error.to_string());
    }
}

fn succeeds() -> Result<Step, StageError> {
    Ok(fetched())
}

fn no_node() -> Result<Step, StageError> {
    Err(RpcError::NoEndpoint.into())
}

fn poison() -> Result<Step, StageError> {
    Err(StageError::NotOneArtifact { artifacts: 2 })
}

fn nowhere() -> Result<Step, StageError> {
    Err(StageError::Nowhere { refused: Vec::new() })
}

fn no_answer() -> Result<Step, StageError> {
    let from = Origin::of_path("/source".as_ref());
    Err(FetchFailure { attempts: vec![FetchError::Deadline { from, deadline_ms: 1 }] }.into())
}

fn wrong_id() -> Result<Step, StageError> {
    let (to, theirs) = (Origin::of_path("/pinner".as_ref()), Excerpt::of(b"another"));
    Err(KeepError::WrongId { to, ours: content_id(b""), theirs }.into())
}

fn panics() -> Result<Step, StageError> {
    panic!("a bug")
}

/// The terms of a fetch of at most three at once.
const FETCH: StageTerms = StageTerms { name: "fetch", state: State::Announced, at_once: 3, ahead: None };

struct Run {
    bed: Testbed,
    stage: Arc<FixedStage>,
    failures: Arc<Failures>,
    running: JoinHandle<Result<(), refiner_journal::JournalError>>,
}

impl Run {
    fn of(bed: Testbed, terms: StageTerms, policy: FailurePolicy, answers: impl IntoIterator<Item = Answer>) -> Self {
        let (stage, failures) = (FixedStage::new(answers), Arc::new(Failures::default()));
        let runner = StageRunner {
            terms,
            policy,
            journal: bed.journal.clone(),
            status: bed.status.clone(),
            observer: Arc::clone(&failures) as _,
        };
        let running = tokio::spawn(runner.run(Arc::clone(&stage), bed.stop.clone()));
        Self { bed, stage, failures, running }
    }

    async fn ends(self) -> (Testbed, Arc<FixedStage>) {
        self.bed.stop.cancel();
        self.running.await.unwrap().unwrap();
        (self.bed, self.stage)
    }
}

#[tokio::test(start_paused = true)]
async fn stage_takes_so_many_items_at_once_and_writes_what_it_came_to() {
    let bed = Testbed::new();
    let items = bed.announce(1..6);
    let run = Run::of(bed, FETCH, POLICY, [succeeds as Answer]);
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(run.bed.states(&items), [State::Fetched; 5]);
    assert_eq!(run.stage.begun_s(), [0, 0, 0, 1, 1]);
    let (_bed, stage) = run.ends().await;
    assert_eq!(lock(&stage.recorded).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn item_that_is_announced_later_is_begun_at_once() {
    let run = Run::of(Testbed::new(), FETCH, POLICY, [succeeds as Answer]);
    sleep(Duration::from_secs(100)).await;
    let before = run.stage.start.elapsed();
    run.bed.announce([1]);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(lock(&run.stage.begun)[0].1, before, "a notification, not the next look");
}

#[tokio::test(start_paused = true)]
async fn item_that_failed_is_tried_again_ever_more_rarely() {
    let bed = Testbed::new();
    let item = bed.announce([1]).remove(0);
    let run = Run::of(bed, FETCH, POLICY, [no_node as Answer; 4].into_iter().chain([succeeds as Answer]));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(run.bed.item(item.id).state, State::Fetched);
    let begun: Vec<_> = lock(&run.stage.begun).iter().map(|(_, at)| *at).collect();
    assert_eq!(begun.len(), 5);
    for (failures, pair) in begun.windows(2).enumerate() {
        let (pause, least) = (pair[1] - pair[0] - WORK, Duration::from_secs(1 << failures));
        // Looks are 250 ms apart, and jitter adds as much again.
        assert!(pause >= least && pause <= 2 * least + Duration::from_millis(260), "{failures}: {pause:?}");
    }
    assert_eq!(lock(&run.failures.0).len(), 4);
    assert!(run.bed.status.now().last_failure.as_ref().unwrap().starts_with("fetch of 1: "));
}

#[tokio::test(start_paused = true)]
async fn poison_and_panics_are_set_aside_and_keep_nothing_waiting() {
    let bed = Testbed::new();
    let items = bed.announce(1..4);
    let terms = StageTerms { at_once: 1, ..FETCH };
    let run = Run::of(bed, terms, POLICY, [poison as Answer, panics, succeeds]);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(run.bed.states(&items), [State::Quarantined, State::Quarantined, State::Fetched]);
    let reason = |item: &Item| run.bed.item(item.id).reason.unwrap();
    assert_eq!(reason(&items[0]), "fetch: the rule produced 2 artifacts, and a proof is of one");
    assert_eq!(reason(&items[1]), "fetch: the stage panicked: please report it");
}

#[tokio::test(start_paused = true)]
async fn failure_that_every_item_would_meet_pauses_the_stage_until_one_succeeds() {
    let bed = Testbed::new();
    let items = bed.announce(1..5);
    let terms = StageTerms { at_once: 1, ..FETCH };
    let run = Run::of(bed, terms, POLICY, [wrong_id as Answer, wrong_id, succeeds]);
    sleep(Duration::from_secs(2)).await;
    assert!(run.bed.status.now().waits_for.contains_key("fetch"));
    sleep(Duration::from_secs(200)).await;
    assert_eq!(run.bed.states(&items), [State::Fetched; 4]);
    assert!(run.bed.status.now().waits_for.is_empty());
    let begun = run.stage.begun_s();
    assert!(begun[1] >= 61 && begun[2] >= begun[1] + 61, "one try a minute: {begun:?}");
    assert!(begun[5] - begun[2] <= 4, "then all: {begun:?}");
    assert_eq!(begun.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn stage_does_not_get_too_far_ahead_of_the_next() {
    let bed = Testbed::new();
    let items = bed.announce(1..6);
    let ahead = Backpressure { waiting: State::Fetched, most: 2, then: State::Produced };
    // What is begun is not counted, so with more at once there may be as many more.
    let terms = StageTerms { at_once: 1, ahead: Some(ahead), ..FETCH };
    let run = Run::of(bed, terms, POLICY, [succeeds as Answer]);
    sleep(Duration::from_secs(60)).await;
    let fetched = |run: &Run| run.bed.states(&items).iter().filter(|state| **state == State::Fetched).count();
    assert_eq!((fetched(&run), run.stage.begun_s().len()), (2, 2));
    let before = run.stage.start.elapsed();
    run.bed.advance(&items[0], [crate::testbed::produced(Vec::new())]);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(lock(&run.stage.begun)[2].1, before, "room is used at once");
}

#[tokio::test(start_paused = true)]
async fn work_that_was_begun_ends_after_the_stop_and_nothing_else_begins() {
    let bed = Testbed::new();
    let items = bed.announce(1..5);
    let run = Run::of(bed, FETCH, POLICY, [succeeds as Answer]);
    sleep(Duration::from_millis(500)).await;
    let (bed, stage) = run.ends().await;
    assert_eq!(bed.states(&items), [State::Fetched, State::Fetched, State::Fetched, State::Announced]);
    assert_eq!(stage.start.elapsed(), WORK);
}

#[tokio::test(start_paused = true)]
async fn end_of_the_daemon_before_a_result_writes_nothing() {
    let bed = Testbed::new();
    let item = bed.announce([1]).remove(0);
    let run = Run::of(bed, FETCH, POLICY, [(|| Err(StageError::Stopping)) as Answer]);
    sleep(Duration::from_secs(5)).await;
    let (bed, stage) = run.ends().await;
    assert_eq!(bed.item(item.id), item);
    assert_eq!((stage.begun_s().len(), lock(&stage.recorded).len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn specimen_without_a_source_waits_apart_and_is_given_up_at_the_limit() {
    let bed = Testbed::new();
    let item = bed.announce([1]).remove(0);
    let run = Run::of(bed, FETCH, POLICY, [nowhere as Answer]);
    sleep(Duration::from_secs(2)).await;
    let waiting = run.bed.item(item.id);
    assert_eq!((waiting.state, waiting.awaits), (State::Waiting, None));
    let (bed, _) = run.ends().await;
    // As at another start of the daemon.
    let bed = Testbed { stop: tokio_util::sync::CancellationToken::new(), ..bed };
    let policy = FailurePolicy { waiting_limit: Duration::from_secs(3_600), ..POLICY };
    let run = Run::of(bed, StageTerms { state: State::Waiting, ..FETCH }, policy, [nowhere as Answer]);
    sleep(policy.waiting_limit / 2).await;
    assert_eq!(run.bed.item(item.id).state, State::Waiting);
    let looks = run.stage.begun_s().len();
    assert!((2..8).contains(&looks), "ever more rarely: {looks}");
    sleep(2 * policy.waiting_limit).await;
    let given_up = run.bed.item(item.id);
    assert_eq!(given_up.state, State::Skipped);
    assert!(given_up.reason.unwrap().starts_with("no source had it within 3600s"));
}

#[tokio::test(start_paused = true)]
async fn specimen_whose_source_is_out_of_reach_waits_for_it_by_name() {
    let bed = Testbed::new();
    let item = bed.announce([1]).remove(0);
    let run = Run::of(bed, FETCH, POLICY, [no_answer as Answer]);
    sleep(Duration::from_secs(30)).await;
    let waiting = run.bed.item(item.id);
    assert_eq!((waiting.state, waiting.awaits.as_deref()), (State::Waiting, Some("/source")));
    assert_eq!(run.stage.begun_s().len(), 4, "four searches");
}
