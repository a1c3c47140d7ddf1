use std::sync::Mutex;

use futures_util::future::BoxFuture;
use refiner_content::{Content, ContentId, Excerpt, FetchBackend, FetchError, KeepError, Origin};
use refiner_journal::{Artifact, State};

use super::*;
use crate::{
    engine::policy::Disposition,
    testbed::{Testbed, artifact, fetched, lock, produced},
};

/// A pinner in memory.
struct MemoryPinner {
    origin: Origin,
    kept: Mutex<Vec<ContentId>>,
    /// True for one that builds other trees than the network's profile.
    is_of_another_profile: bool,
}

impl FetchBackend for MemoryPinner {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn fetch<'a>(&'a self, id: &'a ContentId) -> BoxFuture<'a, Result<Content, FetchError>> {
        unreachable!("{id} is not asked for")
    }
}

impl ContentStore for MemoryPinner {
    fn keep<'a>(&'a self, content: &'a Content) -> BoxFuture<'a, Result<ContentId, KeepError>> {
        Box::pin(async {
            let ours = content.unixfs_id();
            if self.is_of_another_profile {
                return Err(KeepError::WrongId { to: self.origin.clone(), ours, theirs: Excerpt::of(b"another") });
            }
            lock(&self.kept).push(ours);
            Ok(ours)
        })
    }
}

/// An item with two artifacts, of which the store has as many as `stored`.
fn pinning(pinner: Option<&Arc<MemoryPinner>>, stored: usize) -> (Testbed, Arc<Pin>, Item, Vec<ContentId>) {
    let bed = Testbed::new();
    let contents = [Content::of(vec![1; 9].into()), Content::of(vec![2; 9].into())];
    for content in &contents[..stored] {
        bed.content.keep(content).unwrap();
    }
    let ids: Vec<_> = contents.iter().map(Content::unixfs_id).collect();
    let artifacts = ids.iter().map(|id| Artifact { name: id.to_string(), cid: id.to_string(), ..artifact(1) });
    let item = bed.announce([1]).remove(0);
    let item = bed.advance(&item, [fetched(), produced(artifacts.collect())]);
    let pin = Pin {
        journal: bed.journal.clone(),
        content: bed.content.clone(),
        pinner: pinner.map(|pinner| Arc::clone(pinner) as _),
        sources: Arc::new(Sources::new(None, Vec::new(), bed.status.clone())),
    };
    (bed, Arc::new(pin), item, ids)
}

fn pinner(is_of_another_profile: bool) -> Arc<MemoryPinner> {
    let origin = Origin::of_path("/pinner".as_ref());
    Arc::new(MemoryPinner { origin, kept: Mutex::default(), is_of_another_profile })
}

#[tokio::test(start_paused = true)]
async fn every_artifact_is_at_the_pinner_before_the_item_is_pinned() {
    let pinner = pinner(false);
    let (bed, stage, item, ids) = pinning(Some(&pinner), 2);
    let steps = Steps::from(stage.work(item.clone()).await.unwrap());
    assert_eq!(*lock(&pinner.kept), ids);
    assert_eq!(bed.advance(&item, [steps.step]).state, State::Pinned);
}

#[tokio::test(start_paused = true)]
async fn artifact_that_the_store_lost_is_made_again() {
    let pinner = pinner(false);
    let (bed, stage, item, ids) = pinning(Some(&pinner), 1);
    let steps = Steps::from(stage.work(item.clone()).await.unwrap());
    assert_eq!(steps, Step::Again.into());
    assert_eq!(*lock(&pinner.kept), ids[..1]);
    assert_eq!(bed.advance(&item, [steps.step]).state, State::Announced);
}

#[tokio::test(start_paused = true)]
async fn pinner_that_names_other_content_pauses_the_stage() {
    let (_bed, stage, item, _) = pinning(Some(&pinner(true)), 2);
    let error = stage.work(item).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::PauseStage, "{error}");
}

#[tokio::test(start_paused = true)]
async fn artifacts_are_pinned_where_they_are_without_a_pinner() {
    let (_bed, stage, item, _) = pinning(None, 0);
    let steps = Steps::from(stage.work(item).await.unwrap());
    assert_eq!(steps, Step::Pinned.into());
}
