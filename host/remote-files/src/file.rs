//! One file that another machine keeps.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use refiner_content::{Blame, ContentId, FetchError};
use url::Url;

use crate::{error::ReadFault, listing::Listing, network::Network, spool::Span};

/// Times that a fetch from the web is made again after a failure that may pass, and the wait before the first of them.
const RETRIES: u32 = 3;
const RETRY_DELAY: Duration = Duration::from_millis(250);

/// A file that another machine keeps. Equal names are the same file.
#[derive(Clone, Debug)]
pub struct RemoteFile(Arc<Kept>);

#[derive(Debug)]
enum Kept {
    /// An object of a store, by its number in the listing.
    Object { listing: Arc<Listing>, number: usize, _network: Arc<Network> },
    /// A file that comes as a whole, and is kept on this machine until the program ends.
    Whole { source: WholeFrom, place: Mutex<Option<Span>>, network: Arc<Network> },
}

/// The place of what comes as a whole.
#[derive(Debug)]
pub(crate) enum WholeFrom {
    Web(Url),
    Content(ContentId),
}

impl RemoteFile {
    pub(crate) fn object(listing: Arc<Listing>, number: usize, network: Arc<Network>) -> Self {
        Self(Arc::new(Kept::Object { listing, number, _network: network }))
    }

    pub(crate) fn whole(source: WholeFrom, network: Arc<Network>) -> Self {
        Self(Arc::new(Kept::Whole { source, place: Mutex::default(), network }))
    }

    /// The URL, without anything secret.
    pub fn name(&self) -> String {
        match &*self.0 {
            Kept::Object { listing, number, .. } => format!("{}{}", listing.base, listing.objects[*number].location),
            Kept::Whole { source: WholeFrom::Content(id), .. } => format!("ipfs://{id}"),
            Kept::Whole { source: WholeFrom::Web(url), .. } => shown(url),
        }
    }

    /// Its length, where it is known: a store lists it, other files have one after they were read.
    pub fn bytes(&self) -> Option<u64> {
        match &*self.0 {
            Kept::Object { listing, number, .. } => Some(listing.objects[*number].size),
            Kept::Whole { place, .. } => {
                place.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|place| place.bytes)
            }
        }
    }

    /// Reads the whole file. A caller that has a limit looks at [`bytes`](Self::bytes) first; what comes from the web is bounded by
    /// [`CONTENT_BYTES_MAX`](refiner_content::CONTENT_BYTES_MAX).
    ///
    /// # Errors
    ///
    /// [`ReadFault`]
    pub fn read(&self) -> Result<Vec<u8>, ReadFault> {
        match &*self.0 {
            Kept::Object { listing, number, .. } => Ok(listing.read(*number)?.into()),
            Kept::Whole { source, place, network } => spooled(source, place, network, u64::MAX),
        }
    }

    /// Reads the first bytes: `limit` of them, or all.
    ///
    /// # Errors
    ///
    /// [`ReadFault`]
    pub fn head(&self, limit: u64) -> Result<Vec<u8>, ReadFault> {
        match &*self.0 {
            Kept::Object { listing, number, .. } => Ok(listing.head(*number, limit)?.into()),
            Kept::Whole { source, place, network } => spooled(source, place, network, limit),
        }
    }
}

impl PartialEq for RemoteFile {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for RemoteFile {}

impl fmt::Display for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        refiner_text::OneLine(self.name()).fmt(f)
    }
}

/// A URL without its query, which may be a signature.
pub(crate) fn shown(url: &Url) -> String {
    url[..url::Position::AfterPath].to_owned()
}

/// Bytes of what is kept on this machine, fetched before where it is not.
fn spooled(
    source: &WholeFrom,
    place: &Mutex<Option<Span>>,
    network: &Network,
    limit: u64,
) -> Result<Vec<u8>, ReadFault> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    let known = match *place {
        Some(known) => known,
        None => *place.insert(network.spool.put(&network.runtime.block_on(fetched(source, network))?)?),
    };
    drop(place);
    network.spool.get(known, limit)
}

async fn fetched(source: &WholeFrom, network: &Network) -> Result<Bytes, ReadFault> {
    let mut delay = RETRY_DELAY;
    for _ in 0..RETRIES {
        match fetch(source, network).await {
            Err(fault) if may_pass(&fault) => tracing::debug!(%fault, "fetched again"),
            ended => return ended,
        }
        tokio::time::sleep(delay).await;
        delay *= 2;
    }
    fetch(source, network).await
}

async fn fetch(source: &WholeFrom, network: &Network) -> Result<Bytes, ReadFault> {
    match source {
        WholeFrom::Web(url) => {
            let fetched = network.web.fetch(url).await.map_err(ReadFault::of_web)?;
            let content = fetched.check(|_| true).await.map_err(ReadFault::of_web)?;
            Ok(content.bytes().clone())
        }
        WholeFrom::Content(id) => Ok(network.content.fetch(id).await?.content.bytes().clone()),
    }
}

/// True when the same request can have another end.
fn may_pass(fault: &ReadFault) -> bool {
    let may_pass = |error: &FetchError| match error {
        FetchError::Status { status, .. } => *status >= 500 || matches!(status, 408 | 429),
        FetchError::NotFound { .. } => false,
        other => other.blame() == Blame::Infrastructure,
    };
    match fault {
        ReadFault::Web(error) => may_pass(error),
        ReadFault::Content(failure) => failure.attempts.iter().any(may_pass),
        _ => false,
    }
}
