//! `/ipfs/<id>` over content that is in no store.

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

/// Content that a server has from elsewhere than a store. Its clients check each byte against the id that they asked for.
pub trait ContentSource: Send + Sync + 'static {
    /// The length of the content; `None` of one that is not there.
    fn length(&self, id: &ContentId) -> Option<usize>;

    /// The bytes, of the length above. It may block.
    fn read(&self, id: &ContentId) -> Option<Bytes>;
}

struct Serving {
    source: Arc<dyn ContentSource>,
    answers: Budget,
}

/// Serves what the source has, and takes nothing: `/ipfs/<id>` and `/health` alone. Until `stop`, as [`serve`](super::serve).
pub async fn serve_source(
    listener: TcpListener,
    source: Arc<dyn ContentSource>,
    limits: ServeLimits,
    access: Access,
    stop: CancellationToken,
) {
    let serving = Serving { source, answers: Budget::new(limits.in_flight_bytes, limits.wait) };
    let router = Router::new()
        .route("/ipfs/{id}", get(by_path))
        .route("/health", any(|| async { "I'm healthy" }))
        .with_state(Arc::new(serving));
    refiner_listener::serve(vec![listener], router, limits.listener, access, stop).await;
}

async fn by_path(State(serving): State<Arc<Serving>>, Path(id): Path<String>) -> Result<Response, RequestError> {
    let id: ContentId = id.parse().map_err(RequestError::Id)?;
    let missing = || RequestError::NotHere(id);
    let bytes = serving.source.length(&id).ok_or_else(missing)?;
    // Taken before anything is read, so that many clients at once hold no more than there is room for.
    let reserved = serving.answers.reserve(bytes).await?;
    let source = Arc::clone(&serving.source);
    let read = blocking(move || source.read(&id)).await.ok_or_else(missing)?;
    Ok(answer(BYTES, read, reserved))
}
