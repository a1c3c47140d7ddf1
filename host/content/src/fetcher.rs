//! Fetching from several sources with hedged requests.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::{
    Accept, Content, ContentId, FetchBackend, FetchError, FetchFailure, Locations, Origin, UrlFetcher,
    http::milliseconds, url_fetcher::NamedGateway,
};

/// Most attempts of one fetch. Four sources and as many distinct ids as the proof chain allows would be 3,072.
pub const ATTEMPTS_MAX: usize = 128;

/// The rhythm in which a fetch turns from source to source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgePolicy {
    /// After this time without an end, the next source is asked as well. After a failure, at once.
    pub hedge: Duration,
    /// One attempt in all; its own limits can end it earlier.
    pub attempt: Duration,
    /// Attempts that run side by side.
    pub in_flight: usize,
}

impl HedgePolicy {
    /// The default rhythm with another limit for one attempt.
    #[must_use]
    pub fn within(attempt: Duration) -> Self {
        Self { attempt, ..Self::default() }
    }
}

impl Default for HedgePolicy {
    /// A specimen of 3.5 MB takes 1.1 s at the 25 Mbit/s recommended to operators; four at once still fit in memory.
    fn default() -> Self {
        Self { hedge: Duration::from_millis(1500), attempt: Duration::from_secs(120), in_flight: 4 }
    }
}

/// Fetched content, with its history.
#[derive(Debug)]
pub struct Fetched {
    /// The content. When it came from a URL without an id, its id is that of the network's UnixFS profile.
    pub content: Content,
    /// Where it came from.
    pub from: Origin,
    /// Failures of other attempts before it.
    pub failed: Vec<FetchError>,
}

/// Asks sources in their order, each a hedge delay after the one before, and takes the first good answer. The others are dropped.
#[derive(Clone)]
pub struct Fetcher {
    sources: Vec<Arc<dyn FetchBackend>>,
    web: Option<UrlFetcher>,
    hedging: HedgePolicy,
}

impl Fetcher {
    /// Sources in the order in which they are asked: cheap ones first. Without `web`, announced URLs are used only for the ids in them.
    #[must_use]
    pub fn new(sources: Vec<Arc<dyn FetchBackend>>, web: Option<UrlFetcher>, hedging: HedgePolicy) -> Self {
        Self { sources, web, hedging }
    }

    /// Fetches what `id` names.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] with what every attempt met.
    pub async fn fetch(&self, id: &ContentId) -> Result<Fetched, FetchFailure> {
        self.fetch_any(&Locations::of(*id), None).await
    }

    /// Fetches from any of the places, and takes only bytes that `accept` takes as well. Without `accept`, URLs that carry no id are
    /// not asked, as nothing could check their bytes.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] with what every attempt met.
    pub async fn fetch_any(&self, locations: &Locations, accept: Option<Accept>) -> Result<Fetched, FetchFailure> {
        let mut waiting = self.plan(locations, accept.is_some());
        let mut running = FuturesUnordered::new();
        let mut failed = Vec::new();
        loop {
            // Here at first, after a failure, and after a hedge delay: each lets one more begin.
            if running.len() < self.hedging.in_flight.max(1) {
                running.extend(waiting.pop_front().map(|attempt| self.run(attempt, accept.clone())));
            }
            let may_hedge = !waiting.is_empty() && running.len() < self.hedging.in_flight;
            tokio::select! {
                Some(ended) = running.next() => match ended {
                    Ok((content, from)) => return Ok(Fetched { content, from, failed }),
                    Err(error) => {
                        tracing::debug!(%error, "source failed");
                        failed.push(error);
                    }
                },
                () = sleep(self.hedging.hedge), if may_hedge => {}
                else => return Err(FetchFailure { attempts: failed }),
            }
        }
    }

    /// Attempts in order: every id at each source, then the gateways that were named, then URLs that only `accept` can check. Where these
    /// are too many, each source, the gateways and the URLs have an equal share, so that none is left out by the length of another's list.
    fn plan(&self, locations: &Locations, with_unverified: bool) -> VecDeque<Attempt> {
        let Locations { ids, gateways, web: urls, .. } = locations;
        let has_web = self.web.is_some();
        let counts = self.sources.iter().map(|_| ids.len());
        let beside = [(has_web, gateways.len()), (has_web && with_unverified, urls.len())];
        let beside = beside.map(|(is_asked, count)| if is_asked { count } else { 0 });
        let share = share_of(&counts.chain(beside).collect::<Vec<_>>());
        let known = self
            .sources
            .iter()
            .flat_map(|source| ids.iter().take(share).map(|id| Attempt::Known { source: Arc::clone(source), id: *id }));
        let named = self.web.iter().flat_map(|web| {
            gateways.iter().take(share).map(|(url, id)| {
                let source = NamedGateway { web: web.clone(), url: url.clone(), origin: Origin::of_url(url) };
                Attempt::Known { source: Arc::new(source), id: *id }
            })
        });
        let unverified = self.web.iter().filter(|_| with_unverified).flat_map(|web| {
            urls.iter().take(share).map(|url| Attempt::Unverified { web: web.clone(), url: url.clone() })
        });
        known.chain(named).chain(unverified).take(ATTEMPTS_MAX).collect()
    }

    async fn run(&self, attempt: Attempt, accept: Option<Accept>) -> Result<(Content, Origin), FetchError> {
        let from = attempt.origin();
        match timeout(self.hedging.attempt, attempt.run(accept)).await {
            Ok(ended) => Ok((ended?, from)),
            Err(_) => Err(FetchError::Deadline { from, deadline_ms: milliseconds(self.hedging.attempt) }),
        }
    }
}

/// The most attempts of each list by which all lists together have at most [`ATTEMPTS_MAX`]: what shorter ones leave is for the longer.
fn share_of(counts: &[usize]) -> usize {
    let fits = |share: &usize| counts.iter().map(|count| count.min(share)).sum::<usize>() <= ATTEMPTS_MAX;
    (1..=ATTEMPTS_MAX).rev().find(fits).unwrap_or(1)
}

enum Attempt {
    Known { source: Arc<dyn FetchBackend>, id: ContentId },
    Unverified { web: UrlFetcher, url: Url },
}

impl Attempt {
    fn origin(&self) -> Origin {
        match self {
            Self::Known { source, .. } => source.origin().clone(),
            Self::Unverified { url, .. } => Origin::of_url(url),
        }
    }

    async fn run(self, accept: Option<Accept>) -> Result<Content, FetchError> {
        match (self, accept) {
            (Self::Known { source, id }, None) => source.fetch(&id).await,
            (Self::Known { source, id }, Some(accept)) => source.fetch_accepted(&id, accept).await,
            (Self::Unverified { web, url }, accept) => {
                web.fetch(&url).await?.check(move |bytes| accept.is_some_and(|accept| accept(bytes))).await
            }
        }
    }
}

#[test]
fn attempts_are_shared_and_what_short_lists_leave_is_for_the_long() {
    assert_eq!(share_of(&[]), ATTEMPTS_MAX);
    assert_eq!(share_of(&[3, 3, 0, 2]), ATTEMPTS_MAX);
    assert_eq!(share_of(&[768, 768, 768, 768]), 32);
    assert_eq!(share_of(&[768, 768, 10, 5]), 56);
    assert_eq!(share_of(&[1; 500]), 1);
}
