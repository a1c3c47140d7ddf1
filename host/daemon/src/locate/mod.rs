//! URLs and sessions on chain of the specimens that are fetched next, asked for together.

use std::{
    collections::HashMap,
    iter,
    time::{Duration, Instant},
};

use refiner_journal::{Item, ItemId};
use refiner_proofchain::Session;
use tokio::sync::Mutex;

use crate::{
    context::PipelineContext,
    engine::{clock::now_ms, policy::StageError},
};

/// Specimens asked about in one request.
const TOGETHER: usize = 16;
/// How long an answer is good: another operator may prove, another producer may bring a URL.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// Answers about specimens that wait to be fetched.
#[derive(Default)]
pub struct LocationPrefetcher {
    /// A lock that is held while the node is asked: who waits for it most likely finds his own answer.
    known: Mutex<HashMap<ItemId, (Instant, SpecimenLocations)>>,
}

/// A specimen's URLs and session on chain.
#[derive(Debug)]
pub struct SpecimenLocations {
    /// Where it is, in the producers' words.
    pub urls: Vec<String>,
    /// False when a result of it certainly cannot be proved.
    pub may_be_proved: bool,
}

impl LocationPrefetcher {
    /// URLs and session of an item's specimen, asked for together with those after it. Of one that failed before it is asked
    /// anew.
    pub async fn place(&self, context: &PipelineContext, item: &Item) -> Result<SpecimenLocations, StageError> {
        let mut known = self.known.lock().await;
        known.retain(|_, (asked, _)| asked.elapsed() < GOOD_FOR);
        match known.remove(&item.id) {
            Some((_, place)) if item.attempts == 0 => return Ok(place),
            _ => {}
        }
        let is_known = |id| id <= item.id || known.contains_key(&id);
        let next =
            |journal: &mut refiner_journal::Journal| journal.due_but(item.state, now_ms(), TOGETHER - 1, is_known);
        let next = context.journal.at_once(next)?;
        let questions: Vec<_> =
            iter::once(item).chain(&next).map(|item| (item.specimen_hash, session(context, item))).collect();
        let asked = Instant::now();
        let answers = context.chain.urls_and_sessions(&questions).await?;
        let mut places = answers
            .into_iter()
            .map(|answer| answer.map(|(urls, may_be_proved)| SpecimenLocations { urls, may_be_proved }));
        let Some(first) = places.next() else { return Err(StageError::Panicked) };
        // What the node left out of the others is asked again when their time comes.
        let others = next.iter().zip(places).filter_map(|(item, place)| Some((item.id, (asked, place.ok()?))));
        known.extend(others);
        Ok(first?)
    }
}

/// Which session decides whether an item's result may be proved.
fn session(context: &PipelineContext, item: &Item) -> Option<Session> {
    let operator = context.operator.filter(|_| item.proves)?;
    Some(Session { chain_id: item.chain, height: item.height, operator })
}
