//! A journal and a content store in a directory that goes with its test. There is no chain: a test announces what it works on.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use alloy_primitives::B256;
use futures_util::future::BoxFuture;
use refiner_content::{CONTENT_BYTES_MAX, LocalStore};
use refiner_journal::{Announcement, Artifact, Item, ItemId, Journal, State, Step, Target};
use refiner_proofchain::{RpcError, Session};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    engine::{clock::now_ms, policy::FailurePolicy},
    locate::{IndexAnswer, SpecimenIndex},
    observe::{metrics::Metrics, status::Status, trace::Tracer},
    state::{content::StageContent, journal_handle::JournalHandle},
};

/// Identity of the rule that every specimen of a test is announced for.
pub const RULE: B256 = B256::repeat_byte(0xaa);

/// The pauses of the tests.
pub const POLICY: FailurePolicy = FailurePolicy {
    retry: Duration::from_secs(1),
    recheck: Duration::from_secs(60),
    waiting_limit: Duration::from_secs(86_400),
};

/// Journal, store and status of one test.
pub struct Testbed {
    pub directory: TempDir,
    pub journal: JournalHandle,
    pub status: Status,
    pub stop: CancellationToken,
    pub content: StageContent,
}

impl Testbed {
    pub fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let (status, stop) = (Status::default(), CancellationToken::new());
        let journal = Journal::open(&directory.path().join("journal.sqlite")).unwrap();
        let metrics = Metrics::new().unwrap();
        let journal = JournalHandle::new(journal, metrics, Tracer::default(), status.clone(), stop.clone());
        let store = LocalStore::open(directory.path().join("content"), CONTENT_BYTES_MAX).unwrap();
        Self { directory, journal, status, stop, content: StageContent::new(store) }
    }

    /// Announces a specimen of each height, and gives the items in their order.
    pub fn announce(&self, heights: impl IntoIterator<Item = u64>) -> Vec<Item> {
        heights.into_iter().map(|height| self.announce_one(announcement(height))).collect()
    }

    /// Announces one specimen.
    pub fn announce_one(&self, announcement: Announcement) -> Item {
        let specimen = announcement.specimen_hash;
        let recorded = self.journal.with(|journal| journal.scanned(&[announcement], &[target()], &[], now_ms()));
        assert_eq!(recorded.unwrap().new, 1);
        self.journal.notify(State::Announced);
        self.journal.with(|journal| journal.of_specimen(announcement.chain, specimen, RULE)).unwrap().unwrap()
    }

    /// The item as it is now.
    pub fn item(&self, id: ItemId) -> Item {
        self.journal.with(|journal| journal.item(id)).unwrap().unwrap()
    }

    /// The states of items as they are now.
    pub fn states(&self, items: &[Item]) -> Vec<State> {
        items.iter().map(|item| self.item(item.id).state).collect()
    }

    /// Takes an item through steps.
    pub fn advance(&self, item: &Item, steps: impl IntoIterator<Item = Step>) -> Item {
        let steps: Vec<_> = steps.into_iter().map(|step| (item.id, step)).collect();
        self.journal.advance_all(&steps).unwrap();
        self.item(item.id)
    }

    /// Announces a specimen whose one artifact is pinned.
    pub fn pinned(&self, height: u64) -> Item {
        let item = self.announce_one(announcement(height));
        self.advance(&item, [fetched(), produced(vec![artifact(height)]), Step::Pinned])
    }
}

/// An announcement of a specimen of this height, whose hashes are of the height.
pub fn announcement(height: u64) -> Announcement {
    let hash = |kind: u64| B256::from(alloy_primitives::U256::from(height << 8 | kind));
    Announcement { chain: 1, height, block_hash: hash(1), specimen_hash: hash(2), announced_in: 10 }
}

/// The rule that specimens are announced for; its results are proved.
pub fn target() -> Target {
    Target { rule: RULE, name: "block-result".to_owned(), proves: true }
}

/// The step of a fetched specimen.
pub fn fetched() -> Step {
    Step::Fetched { cid: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku".to_owned(), bytes: 7 }
}

/// The step of a rule that produced these.
pub fn produced(artifacts: Vec<Artifact>) -> Step {
    Step::Produced { artifacts, basis: Some("execution") }
}

/// An artifact that no store has.
pub fn artifact(height: u64) -> Artifact {
    Artifact {
        name: "result.json".to_owned(),
        media_type: "application/json".to_owned(),
        sha256: B256::with_last_byte(u8::try_from(height).unwrap_or(u8::MAX)),
        bytes: 11,
        cid: format!("cid-{height}"),
    }
}

/// An index with answers that a test gives; a specimen that has none is `ipfs://` nowhere.
#[derive(Default)]
pub struct FixedIndex {
    pub urls: Mutex<HashMap<B256, Vec<String>>>,
    /// Specimens whose session is closed.
    pub closed: Mutex<Vec<B256>>,
    /// Errors of whole requests, the next first.
    pub errors: Mutex<VecDeque<RpcError>>,
    /// Specimens that are left out of an answer.
    pub left_out: Mutex<Vec<B256>>,
    /// Every request so far.
    pub asked: Mutex<Vec<Vec<(B256, bool)>>>,
}

impl FixedIndex {
    /// Knows one specimen.
    pub fn of(specimen: B256, url: &str) -> Self {
        let index = Self::default();
        lock(&index.urls).insert(specimen, vec![url.to_owned()]);
        index
    }
}

impl SpecimenIndex for FixedIndex {
    fn urls_and_sessions<'a>(
        &'a self,
        questions: &'a [(B256, Option<Session>)],
    ) -> BoxFuture<'a, Result<Vec<IndexAnswer>, RpcError>> {
        Box::pin(async move {
            lock(&self.asked).push(questions.iter().map(|(hash, session)| (*hash, session.is_some())).collect());
            if let Some(error) = lock(&self.errors).pop_front() {
                return Err(error);
            }
            let answer = |(hash, _): &(B256, Option<Session>)| {
                if lock(&self.left_out).contains(hash) {
                    return Err(RpcError::NoEndpoint);
                }
                let urls = lock(&self.urls).get(hash).cloned().unwrap_or_default();
                Ok((urls, !lock(&self.closed).contains(hash)))
            };
            Ok(questions.iter().map(answer).collect())
        })
    }
}

/// The content of a lock that a test shares with what it tests.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
