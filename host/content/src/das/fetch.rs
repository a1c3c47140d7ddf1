//! DAS content from a gateway: one archive, and block by block what it lacks.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use reqwest::header;
use tokio::time::timeout;
use url::Url;

use super::{ArchiveReader, Assembly, DasError, assembly::Assembled, names};
use crate::{
    Accept, CarError, Content, ContentId, FetchError, Origin, TransportError, blocking::interruptible, car::ARCHIVE,
    content::accepted, http::Http,
};

/// Blocks asked for side by side.
const IN_FLIGHT: usize = 8;
/// Patience with one node as long as others can stand in its place.
const NODE_PATIENCE: Duration = Duration::from_secs(5);
/// An archive has the content twice, its proofs and ids, and perhaps the ids again in its header.
const ARCHIVE_FACTOR: usize = 3;
const ARCHIVE_EXTRA_BYTES: usize = 4 << 20;

const BLOCK: &str = "application/vnd.ipld.raw";

/// A gateway that serves blocks.
pub(crate) struct BlockGateway<'a> {
    pub(crate) http: &'a Http,
    pub(crate) origin: &'a Origin,
    /// The URL of a block.
    pub(crate) url: &'a (dyn Fn(&ContentId) -> Url + Send + Sync),
}

impl BlockGateway<'_> {
    /// Fetches what the root `id` names. With `accept`, the announced hash decides about bytes that were recovered; without, they are
    /// encoded again.
    pub(crate) async fn fetch(&self, id: ContentId, accept: Option<Accept>) -> Result<Content, FetchError> {
        let limit_bytes = self.http.limits.body_bytes;
        let mut assembly = Assembly::new(id, limit_bytes);
        match self.archive(id, &mut assembly).await {
            Ok(()) => {}
            // No gateway, a liar, or a root that would be as bad when it comes block by block.
            Err(
                error @ (FetchError::Transport {
                    source: TransportError::Connect(_) | TransportError::Proxy(_), ..
                }
                | FetchError::Transport {
                    source: TransportError::PrivateAddress | TransportError::Lookup(_),
                    ..
                }
                | FetchError::DasBlock { .. }
                | FetchError::NoDas { .. }),
            ) => return Err(error),
            // What came of the archive stays.
            Err(error) => tracing::debug!(%error, "archive without some of the blocks"),
        }
        self.blocks(&mut assembly).await?;
        let from = self.origin.clone();
        interruptible(move |interrupt| {
            let Assembled { bytes, is_recovered } =
                assembly.finish(interrupt).map_err(|error| fetch_error(error, id, &from))?;
            match accept {
                // Other cells than came can make other bytes.
                Some(accept) if is_recovered => accepted(id, bytes, &accept).ok_or(FetchError::NotAnnounced { from }),
                Some(accept) => accepted(id, bytes, &accept).ok_or(FetchError::NotAccepted { from }),
                None if is_recovered
                    && !names(&id, &bytes, interrupt).map_err(|source| FetchError::Kzg { id, source })? =>
                {
                    Err(fetch_error(DasError::Recovered { id }, id, &from))
                }
                None => Ok(Content::of_other_profile(id, bytes)),
            }
        })
        .await
    }

    /// Reads an archive until nothing more is needed of it.
    async fn archive(&self, id: ContentId, assembly: &mut Assembly) -> Result<(), FetchError> {
        let (http, from) = (self.http, self.origin);
        let mut url = (self.url)(&id);
        url.set_query(Some("format=car"));
        let deadline = http.limits.deadline;
        let read = async {
            let mut response = http.open(http.client().get(url).header(header::ACCEPT, ARCHIVE), from).await?;
            let mut left = http.limits.body_bytes.saturating_mul(ARCHIVE_FACTOR).saturating_add(ARCHIVE_EXTRA_BYTES);
            let (mut archive, mut window) = (ArchiveReader::default(), http.window());
            let malformed = |source: CarError| FetchError::Car { from: from.clone(), source };
            while let Some(piece) = http.next_piece(&mut response, &mut window, from).await? {
                left = left
                    .checked_sub(piece.len())
                    .ok_or_else(|| FetchError::TooLarge { from: from.clone(), limit_bytes: http.limits.body_bytes })?;
                archive.push(&piece);
                while let Some((block_id, block)) = archive.next().map_err(malformed)? {
                    assembly.offer(block_id, block).map_err(|error| fetch_error(error, id, from))?;
                }
                if assembly.is_complete() || assembly.is_flooded() {
                    return Ok(());
                }
            }
            archive.end().map_err(malformed)
        };
        match timeout(deadline, read).await {
            Ok(read) => read,
            Err(_) => {
                Err(FetchError::Deadline { from: from.clone(), deadline_ms: crate::http::milliseconds(deadline) })
            }
        }
    }

    /// Asks for single blocks: first those of the data, for each that is missing the others of its blob, and at last for all once more.
    async fn blocks(&self, assembly: &mut Assembly) -> Result<(), FetchError> {
        let root = assembly.id();
        let mut is_last = false;
        loop {
            let failed = self.blocks_once(root, assembly, !is_last).await?;
            if assembly.is_complete() {
                return Ok(());
            }
            if is_last {
                return match failed {
                    Some((id, error)) if !assembly.is_node(&id) => Err(error),
                    // The assembly knows which blob lacks cells.
                    _ => Ok(()),
                };
            }
            is_last = true;
            assembly.ask_again();
        }
    }

    /// Asks for the blocks in the queue and for those they lead to. Returns the first failure of a list, or else of a node.
    async fn blocks_once(
        &self,
        root: ContentId,
        assembly: &mut Assembly,
        is_hurried: bool,
    ) -> Result<Option<(ContentId, FetchError)>, FetchError> {
        let mut running = FuturesUnordered::new();
        let mut failed: Option<(ContentId, FetchError)> = None;
        while !assembly.is_complete() {
            while running.len() < IN_FLIGHT
                && let Some(id) = assembly.next()
            {
                let patience = (is_hurried && assembly.is_node(&id)).then_some(NODE_PATIENCE);
                running.push(self.block(id, assembly.block_limit(&id), patience));
            }
            let Some((id, block)) = running.next().await else { break };
            match block {
                Ok(block) => assembly.offer(id, block).map_err(|error| fetch_error(error, root, self.origin))?,
                Err(FetchError::TooLarge { limit_bytes, .. }) => {
                    return Err(fetch_error(DasError::BlockTooLarge { id, limit_bytes }, root, self.origin));
                }
                Err(error) if id == root => return Err(error),
                Err(error) => {
                    let is_worse = failed.as_ref().is_none_or(|(other, _)| assembly.is_node(other));
                    assembly.unavailable(&id);
                    if is_worse {
                        failed = Some((id, error));
                    }
                }
            }
        }
        Ok(failed)
    }

    async fn block(
        &self,
        id: ContentId,
        limit_bytes: usize,
        patience: Option<Duration>,
    ) -> (ContentId, Result<Bytes, FetchError>) {
        let mut url = (self.url)(&id);
        url.set_query(Some("format=raw"));
        let get = self.http.get(url, BLOCK, self.origin, limit_bytes);
        let Some(patience) = patience else { return (id, get.await) };
        let deadline_ms = crate::http::milliseconds(patience);
        let got = timeout(patience, get).await;
        (id, got.unwrap_or_else(|_| Err(FetchError::Deadline { from: self.origin.clone(), deadline_ms })))
    }
}

fn fetch_error(source: DasError, id: ContentId, from: &Origin) -> FetchError {
    if source.is_in_the_tree() {
        FetchError::NoDas { id, source }
    } else {
        FetchError::DasBlock { from: from.clone(), source }
    }
}
