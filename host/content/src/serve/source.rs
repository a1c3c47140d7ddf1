//! `/ipfs/<id>` and `/announced/<hash>` over content that is in no store, or not in one alone.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{any, get},
};
use bytes::Bytes;
use refiner_listener::Access;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    RequestError, ServeLimits,
    budget::Budget,
    get::{BYTES, answer},
};
use crate::{ContentId, blocking::blocking};

/// The name that content is asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentName {
    /// Its id: `/ipfs/<id>`.
    Id(ContentId),
    /// A hash that was announced, and that no id has: `/announced/<64 hexadecimal digits>`.
    Announced([u8; 32]),
}

impl ContentName {
    /// Path below a server's base.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Id(id) => format!("ipfs/{id}"),
            Self::Announced(hash) => format!("announced/{}", const_hex::encode(hash)),
        }
    }
}

/// Content that a server has from elsewhere than a store. Its clients check each byte against the name that they asked for.
pub trait ContentSource: Send + Sync + 'static {
    /// The length of the content; `None` of one that is not there. It does not block for long.
    fn length(&self, name: &ContentName) -> Option<usize>;

    /// The bytes where they are in memory, so that no thread has to wait for them.
    fn in_memory(&self, name: &ContentName) -> Option<Bytes>;

    /// The bytes, of the length above. It may block.
    fn read(&self, name: &ContentName) -> Option<Bytes>;
}

struct Serving {
    source: Arc<dyn ContentSource>,
    answers: Budget,
}

/// Serves what the source has, and takes nothing: the two routes and `/health` alone. Until `stop`, as [`serve`](super::serve).
pub async fn serve_source(
    listener: TcpListener,
    source: Arc<dyn ContentSource>,
    limits: ServeLimits,
    access: Access,
    stop: CancellationToken,
) {
    let serving = Serving { source, answers: Budget::new(limits.in_flight_bytes, limits.wait) };
    let router = Router::new()
        .route("/ipfs/{id}", get(by_id))
        .route("/announced/{hash}", get(by_hash))
        .route("/health", any(|| async { "I'm healthy" }))
        .with_state(Arc::new(serving));
    refiner_listener::serve(vec![listener], router, limits.listener, access, stop).await;
}

async fn by_id(State(serving): State<Arc<Serving>>, Path(id): Path<String>) -> Result<Response, RequestError> {
    let id: ContentId = id.parse().map_err(RequestError::Id)?;
    serving.answer(ContentName::Id(id)).await.ok_or(RequestError::NotHere(id))?
}

async fn by_hash(State(serving): State<Arc<Serving>>, Path(text): Path<String>) -> Result<Response, RequestError> {
    let mut hash = [0; 32];
    const_hex::decode_to_slice(&text, &mut hash).map_err(|_| RequestError::NoHash)?;
    serving.answer(ContentName::Announced(hash)).await.ok_or(RequestError::HashNotHere)?
}

impl Serving {
    /// The content; `None` where it is not there.
    async fn answer(&self, name: ContentName) -> Option<Result<Response, RequestError>> {
        let bytes = self.source.length(&name)?;
        // Taken before anything is read, so that many clients at once hold no more than there is room for.
        let reserved = match self.answers.reserve(bytes).await {
            Ok(reserved) => reserved,
            Err(error) => return Some(Err(error)),
        };
        let read = match self.source.in_memory(&name) {
            Some(read) => read,
            None => {
                let source = Arc::clone(&self.source);
                blocking(move || source.read(&name)).await?
            }
        };
        Some(Ok(answer(BYTES, read, reserved)))
    }
}
