//! URLs and sessions on chain of the specimens that are fetched next, asked for together.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, iter, sync::Arc, time::Duration};

use alloy_primitives::{Address, B256};
use futures_util::future::BoxFuture;
use refiner_journal::{Item, ItemId};
use refiner_proofchain::{ProofChain, RpcError, Session};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    engine::{clock::now_ms, policy::StageError},
    state::journal_handle::JournalHandle,
};

/// Specimens asked about in one request.
const TOGETHER: usize = 16;
/// Time for which an answer is good: another operator may prove, another producer may bring a URL.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// URLs of a specimen, and whether a result of it may be proved.
pub type IndexAnswer = Result<(Vec<String>, bool), RpcError>;

/// Answers the questions about specimens: the proof chain does.
pub trait SpecimenIndex: Send + Sync {
    /// The URLs of each specimen, and whether a result of it may be proved in the session, as far as one was asked for. Answers are in
    /// the order of the questions.
    ///
    /// # Errors
    ///
    /// [`RpcError`], for all when no node could be asked, else for each.
    fn urls_and_sessions<'a>(
        &'a self,
        questions: &'a [(B256, Option<Session>)],
    ) -> BoxFuture<'a, Result<Vec<IndexAnswer>, RpcError>>;
}

impl SpecimenIndex for ProofChain {
    fn urls_and_sessions<'a>(
        &'a self,
        questions: &'a [(B256, Option<Session>)],
    ) -> BoxFuture<'a, Result<Vec<IndexAnswer>, RpcError>> {
        Box::pin(self.urls_and_sessions(questions))
    }
}

/// Answers about specimens that wait to be fetched.
pub struct LocationPrefetcher {
    journal: JournalHandle,
    index: Arc<dyn SpecimenIndex>,
    /// The operator whose session counts; none where nothing is proved.
    operator: Option<Address>,
    /// Held during the request, so that concurrent callers share one batch.
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
    /// Asks `index`, for the sessions of `operator`.
    pub fn new(journal: JournalHandle, index: Arc<dyn SpecimenIndex>, operator: Option<Address>) -> Self {
        Self { journal, index, operator, known: Mutex::default() }
    }

    /// URLs and session of an item's specimen, asked for together with those after it. Of one that failed before it is asked
    /// anew.
    pub async fn locate(&self, item: &Item) -> Result<SpecimenLocations, StageError> {
        let mut known = self.known.lock().await;
        known.retain(|_, (asked, _)| asked.elapsed() < GOOD_FOR);
        match known.remove(&item.id) {
            Some((_, place)) if item.attempts == 0 => return Ok(place),
            _ => {}
        }
        let is_known = |id| id <= item.id || known.contains_key(&id);
        let next =
            |journal: &mut refiner_journal::Journal| journal.due_but(item.state, now_ms(), TOGETHER - 1, is_known);
        let next = self.journal.at_once(next)?;
        let questions: Vec<_> =
            iter::once(item).chain(&next).map(|item| (item.specimen_hash, self.session(item))).collect();
        let asked = Instant::now();
        let answers = self.index.urls_and_sessions(&questions).await?;
        let mut places = answers
            .into_iter()
            .map(|answer| answer.map(|(urls, may_be_proved)| SpecimenLocations { urls, may_be_proved }));
        let Some(first) = places.next() else { return Err(StageError::Panicked) };
        // What the node left out of the others is asked again when their time comes.
        let others = next.iter().zip(places).filter_map(|(item, place)| Some((item.id, (asked, place.ok()?))));
        known.extend(others);
        Ok(first?)
    }

    /// The session that decides whether an item's result may be proved.
    fn session(&self, item: &Item) -> Option<Session> {
        let operator = self.operator.filter(|_| item.proves)?;
        Some(Session { chain_id: item.chain, height: item.height, operator })
    }
}
