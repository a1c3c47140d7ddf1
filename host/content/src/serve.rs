//! The ipfs-pinner HTTP API over a local store (docs/protocol.md, section 2).
//!
//! | route | answer |
//! |---|---|
//! | `POST /upload` | keeps every part that has a file name; 200 `{"cid": "…"}` for each, nothing between |
//! | `POST /cid` | the same without keeping |
//! | `GET /get?cid=` | 200 and the bytes, also by the id of a block of an upload and by an id that carries its bytes; 404 when they are not there |
//! | `GET /ipfs/<id>` | the same; with `?format=car` as an archive of blocks |
//! | `/health` | 200 `I'm healthy` |
//! | `POST /api/v1/upload`, `POST /api/v1/cid` | the same as without `/api/v1`, with the DAS root that ewm-das gives the content |
//! | `GET /api/v1/get?cid=` | 200 and the bytes, also by the id of an upload without `/api/v1` |
//! | `/api/v1/health` | 200 and nothing |
//!
//! Errors are `{"error": "…"}`, escaped. Where the pinner answers 200 with nothing (no file name, no id), the answer here is 400. A
//! request that finds no room within [`ServeLimits::wait`] is answered 503 with `Retry-After`.

mod body;
mod budget;
mod error;
mod get;
mod limits;
mod source;
mod upload;

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get, post},
};
use refiner_listener::Access;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

use self::{budget::Budget, error::RequestError};
use crate::{
    LocalStore,
    blocking::{Interrupt, interruptible},
};

pub use self::{
    limits::ServeLimits,
    source::{ContentName, ContentSource, serve_source},
};

/// Serves until `stop`, and until the requests then open have ended.
pub async fn serve(
    listener: TcpListener,
    store: LocalStore,
    limits: ServeLimits,
    access: Access,
    stop: CancellationToken,
) {
    refiner_listener::serve(vec![listener], router(store, limits), limits.listener, access, stop).await;
}

/// The routes alone.
pub fn router(store: LocalStore, limits: ServeLimits) -> Router {
    Router::new()
        .route("/upload", post(upload::keep))
        .route("/cid", post(upload::name))
        .route("/get", get(get::by_query))
        .route("/ipfs/{id}", get(get::by_path))
        .route("/health", any(|| async { "I'm healthy" }))
        .route("/api/v1/upload", post(upload::keep_das))
        .route("/api/v1/cid", post(upload::name_das))
        .route("/api/v1/get", get(get::by_query))
        .route("/api/v1/health", any(|| async {}))
        .with_state(Arc::new(Serving::of(store, limits)))
}

/// State shared by all requests.
struct Serving {
    store: LocalStore,
    limits: ServeLimits,
    /// Room for bodies, from their first byte to the end of the work on them.
    uploads: Budget,
    /// Room for content on its way out.
    answers: Budget,
    workers: Arc<Semaphore>,
}

impl Serving {
    fn of(store: LocalStore, limits: ServeLimits) -> Self {
        let half = limits.in_flight_bytes / 2;
        Self {
            store,
            limits,
            uploads: Budget::new(half, limits.wait),
            answers: Budget::new(half, limits.wait),
            workers: Arc::new(Semaphore::new(limits.at_work)),
        }
    }

    /// Does work that hashes, encodes or writes, a bounded number of such at once and each within its time.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Interrupt) -> Result<T, RequestError> + Send + 'static,
    ) -> Result<T, RequestError> {
        let worker = timeout(self.limits.wait, Arc::clone(&self.workers).acquire_owned()).await;
        let Ok(Ok(worker)) = worker else { return Err(RequestError::Busy) };
        let done = interruptible(move |interrupt| {
            let done = work(interrupt);
            drop(worker);
            done
        });
        let too_long = RequestError::TooLong { seconds: self.limits.work.as_secs() };
        timeout(self.limits.work, done).await.unwrap_or(Err(too_long))
    }
}
