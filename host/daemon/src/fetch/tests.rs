use alloy_primitives::B256;
use refiner_content::{CONTENT_BYTES_MAX, Content, FetchBackend, FetchError, HedgePolicy, LocalStore};
use refiner_journal::{Announcement, State};
use refiner_specimen::{peek_header, specimen_hash};

use super::*;
use crate::{
    engine::mismatch::Mismatch,
    testbed::{FixedIndex, Testbed, lock},
};

const SAMPLE: &[u8] = include_bytes!("../../../../tests/samples/1-15600000.avro");

fn sample() -> Announcement {
    let block_hash = peek_header(SAMPLE).unwrap().hash;
    let specimen_hash = specimen_hash(SAMPLE);
    Announcement { chain: 1, height: 15_600_000, block_hash, specimen_hash, announced_in: 10 }
}

/// A fetch of the sample, which another store has and whose URL the index knows.
struct Fetching {
    bed: Testbed,
    index: Arc<FixedIndex>,
    stage: Arc<Fetch>,
    item: Item,
    cid: String,
}

fn fetching(announcement: Announcement, elsewhere: bool) -> Fetching {
    let bed = Testbed::new();
    let content = Content::of(SAMPLE.into());
    let other = LocalStore::open(bed.directory.path().join("other"), CONTENT_BYTES_MAX).unwrap();
    if elsewhere { other.write(&content) } else { bed.content.keep(&content) }.unwrap();
    let cid = content.unixfs_id().to_string();
    let item = bed.announce_one(announcement);
    let index = Arc::new(FixedIndex::of(item.specimen_hash, &format!("ipfs://{cid}")));
    let backends: Vec<Arc<dyn FetchBackend>> = vec![Arc::new(bed.content.store().clone()), Arc::new(other)];
    let stage = Fetch {
        locations: LocationPrefetcher::new(bed.journal.clone(), Arc::clone(&index) as _, None),
        fetcher: Fetcher::new(backends, None, HedgePolicy::default()),
        sources: Arc::new(Sources::new(None, Vec::new(), bed.status.clone())),
        content: bed.content.clone(),
        metrics: bed.journal.metrics.clone(),
    };
    Fetching { bed, index, stage: Arc::new(stage), item, cid }
}

async fn error_of(announcement: Announcement) -> StageError {
    let Fetching { stage, item, bed, .. } = fetching(announcement, true);
    let error = Arc::clone(&stage).work(item).await.unwrap_err();
    assert!(!bed.content.has_on_disk(&Content::of(SAMPLE.into()).unixfs_id()), "what is not verified is not kept");
    error
}

#[tokio::test(start_paused = true)]
async fn specimen_from_elsewhere_is_verified_and_kept_and_handed_on() {
    let Fetching { bed, stage, item, cid, .. } = fetching(sample(), true);
    let steps = Steps::from(stage.work(item.clone()).await.unwrap());
    assert_eq!(steps, Step::Fetched { cid: cid.clone(), bytes: SAMPLE.len() as u64 }.into());
    assert_eq!(bed.advance(&item, [steps.step]).state, State::Fetched);
    assert_eq!(bed.content.read(Some(&cid)).unwrap().bytes(), SAMPLE);
    assert!(bed.content.has_on_disk(&cid.parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn specimen_that_the_store_has_is_verified_again() {
    let Fetching { stage, item, cid, bed: _bed, .. } = fetching(sample(), false);
    let steps = Steps::from(stage.work(item).await.unwrap());
    assert_eq!(steps.step, Step::Fetched { cid, bytes: SAMPLE.len() as u64 });
    let Fetching { stage, item, bed: _other, .. } = fetching(Announcement { height: 7, ..sample() }, false);
    let error = stage.work(item).await.unwrap_err();
    assert!(matches!(error, StageError::Mismatch(Mismatch::Height { announced: 7, found: 15_600_000 })), "{error}");
}

#[tokio::test(start_paused = true)]
async fn specimen_of_a_closed_session_is_not_fetched() {
    let Fetching { bed, index, stage, item, cid } = fetching(sample(), true);
    lock(&index.closed).push(item.specimen_hash);
    let steps = Steps::from(stage.work(item).await.unwrap());
    assert_eq!(steps.step.to(), State::Skipped);
    assert!(!bed.content.has_on_disk(&cid.parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn specimen_without_a_usable_url_waits() {
    let Fetching { index, stage, item, bed: _bed, .. } = fetching(sample(), true);
    lock(&index.urls).insert(item.specimen_hash, vec!["local".to_owned()]);
    let error = stage.work(item).await.unwrap_err();
    let StageError::Nowhere { refused } = &error else { panic!("{error}") };
    assert_eq!(refused.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bytes_of_another_hash_than_was_announced_are_not_taken() {
    let other = Announcement { specimen_hash: B256::repeat_byte(1), ..sample() };
    let error = error_of(other).await;
    let StageError::Fetch(failure) = &error else { panic!("{error}") };
    assert!(failure.attempts.iter().any(|attempt| matches!(attempt, FetchError::NotAccepted { .. })), "{error}");
}

#[tokio::test(start_paused = true)]
async fn specimen_of_another_chain_height_or_block_than_was_announced_is_a_mismatch() {
    let chain = error_of(Announcement { chain: 5, ..sample() }).await;
    assert!(matches!(chain, StageError::Mismatch(Mismatch::Chain { announced: 5, found: 1 })), "{chain}");
    let height = error_of(Announcement { height: 7, ..sample() }).await;
    assert!(matches!(height, StageError::Mismatch(Mismatch::Height { announced: 7, .. })), "{height}");
    let block = error_of(Announcement { block_hash: B256::repeat_byte(1), ..sample() }).await;
    assert!(matches!(block, StageError::Mismatch(Mismatch::Block(_))), "{block}");
}

#[tokio::test(start_paused = true)]
async fn source_that_did_its_work_is_well_again() {
    use crate::engine::unreachable::FailureObserver as _;
    let Fetching { stage, item, bed, .. } = fetching(sample(), true);
    let deadline = FetchError::Deadline { from: bed.content.store().origin().clone(), deadline_ms: 1 };
    let failure = refiner_content::FetchFailure { attempts: vec![deadline] };
    stage.sources.failed(&failure.into());
    assert!(bed.status.now().waits_for.is_empty(), "a source that is not known by name is not waited for");
    stage.work(item).await.unwrap();
}
