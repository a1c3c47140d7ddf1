use std::{collections::VecDeque, sync::Mutex};

use futures_util::future::BoxFuture;
use refiner_journal::{ItemId, State, Target};
use refiner_worker::WorkerStatus;

use super::*;
use crate::testbed::{Testbed, artifact, fetched, lock, target};

/// A queue with the answers of a test.
#[derive(Default)]
struct FixedQueue {
    answers: Mutex<VecDeque<Result<Option<Worked>, StageError>>>,
    settled: Mutex<Vec<ItemId>>,
}

impl WorkQueue for FixedQueue {
    fn run<'a>(&'a self, _item: &'a Item) -> BoxFuture<'a, Result<Option<Worked>, StageError>> {
        Box::pin(async { lock(&self.answers).pop_front().unwrap() })
    }

    fn settled(&self, item: &Item) {
        lock(&self.settled).push(item.id);
    }

    fn workers(&self) -> Vec<WorkerStatus> {
        Vec::new()
    }
}

fn executing(
    target: Target,
    answer: Result<Option<Worked>, StageError>,
    pins_at_once: bool,
) -> (Arc<Execute>, Arc<FixedQueue>) {
    let queue = Arc::new(FixedQueue { answers: Mutex::new([answer].into()), ..FixedQueue::default() });
    let targets = Arc::new(std::iter::once(target).collect());
    (Arc::new(Execute { targets, queue: Arc::clone(&queue) as _, pins_at_once }), queue)
}

async fn execute(
    target: Target,
    answer: Result<Option<Worked>, StageError>,
    pins_at_once: bool,
) -> Result<Steps, StageError> {
    let bed = Testbed::new();
    let item = bed.announce([1]).remove(0);
    let item = bed.advance(&item, [fetched()]);
    let (stage, _) = executing(target, answer, pins_at_once);
    let steps = Steps::from(stage.work(item.clone()).await?);
    // The journal takes them.
    bed.advance(&item, std::iter::once(steps.step.clone()).chain(steps.next.clone()));
    Ok(steps)
}

fn worked(artifacts: u64) -> Result<Option<Worked>, StageError> {
    let artifacts = (1..=artifacts).map(|number| Artifact { name: format!("{number}.json"), ..artifact(number) });
    Ok(Some(Worked::Produced { artifacts: artifacts.collect(), basis: Some("execution"), basis_reason: None }))
}

#[tokio::test(start_paused = true)]
async fn artifacts_of_a_rule_are_its_outcome() {
    let steps = execute(target(), worked(1), false).await.unwrap();
    let Step::Produced { artifacts, basis } = &steps.step else { panic!("{steps:?}") };
    assert_eq!((artifacts.len(), *basis, &steps.next), (1, Some("execution"), &None));
}

#[tokio::test(start_paused = true)]
async fn artifacts_are_pinned_when_they_are_produced_where_there_is_no_pinner() {
    let steps = execute(target(), worked(1), true).await.unwrap();
    assert_eq!((steps.step.to(), steps.next), (State::Produced, Some(Step::Pinned)));
}

#[tokio::test(start_paused = true)]
async fn proof_is_of_one_artifact_and_other_rules_have_any_number() {
    for artifacts in [0, 2] {
        let error = execute(target(), worked(artifacts), false).await.unwrap_err();
        assert!(matches!(error, StageError::NotOneArtifact { .. }), "{error}");
    }
    // The item decides, as it does when it is pinned: where nothing is proved now, its rule may have been and may be again.
    let unproved = Item { proves: false, ..Testbed::new().announce([1]).remove(0) };
    for artifacts in [0, 1, 3] {
        let (stage, _) = executing(target(), worked(artifacts), false);
        let steps = Steps::from(stage.work(unproved.clone()).await.unwrap());
        assert_eq!(steps.step.to(), State::Produced);
    }
}

#[tokio::test(start_paused = true)]
async fn verdict_other_than_produced_is_kept_with_its_class() {
    let refused = Worked::Refused { reason: "trap: unreachable".to_owned(), class: Some("noState") };
    let steps = execute(target(), Ok(Some(refused)), true).await.unwrap();
    assert_eq!(steps, Step::Refused { reason: "trap: unreachable".to_owned(), class: Some("noState") }.into());
}

#[tokio::test(start_paused = true)]
async fn specimen_that_the_store_lost_is_fetched_again() {
    let steps = execute(target(), Ok(None), true).await.unwrap();
    assert_eq!(steps, Step::Again.into());
}

#[tokio::test(start_paused = true)]
async fn item_of_a_rule_that_is_not_served_is_not_run() {
    let other = Target { rule: alloy_primitives::B256::ZERO, ..target() };
    let error = execute(other, worked(1), false).await.unwrap_err();
    assert!(matches!(error, StageError::NoRule { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn queue_learns_that_an_outcome_is_recorded() {
    let item = Testbed::new().announce([1]).remove(0);
    let (stage, queue) = executing(target(), worked(1), false);
    stage.recorded(&item);
    assert_eq!(*lock(&queue.settled), [item.id]);
}
