//! The ipfs-pinner HTTP API over a local store (docs/protocol.md, section 2).
//!
//! | route | answer |
//! |---|---|
//! | `POST /upload` | keeps every part that has a file name; 200 `{"cid": "…"}` for each, nothing between |
//! | `POST /cid` | the same without keeping |
//! | `GET /get?cid=` | 200 and the bytes; 404 when they are not there |
//! | `GET /ipfs/<id>` | the same; with `?format=car` as an archive of blocks |
//! | `GET /health` | 200 `I'm healthy` |
//! | `POST /api/v1/upload`, `POST /api/v1/cid` | the same as without `/api/v1`, with the DAS root that ewm-das gives the content |
//! | `GET /api/v1/get?cid=` | 200 and the bytes, also by the id of an upload without `/api/v1` |
//! | `/api/v1/health` | 200 and nothing |
//!
//! Errors are `{"error": "…"}`, escaped. Where the pinner answers 200 with nothing (no file name, no id), the answer here is 400.

mod body;
mod das;

use std::{fmt, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, Path, Query, State, multipart::MultipartRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{
    CONTENT_BYTES_MAX, Codec, Content, ContentId, ContentStore, Dag, FetchBackend, FetchError, KeepError, LocalStore,
    write_car,
};

/// Parts with a file name in one upload.
const FILES_MAX: usize = 16;
/// Room for a form's boundaries and headers.
const FORM_EXTRA_BYTES: usize = 64 << 10;

/// How much a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// Bytes of one content.
    pub content_bytes: usize,
    /// Requests with content in memory at once; a further one is answered 503.
    pub at_once: usize,
    /// Between two pieces of an upload.
    pub idle: Duration,
}

impl Default for ServeLimits {
    /// Eight contents of the largest size are 512 MiB.
    fn default() -> Self {
        Self { content_bytes: CONTENT_BYTES_MAX, at_once: 8, idle: Duration::from_secs(30) }
    }
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The API has no access control: whoever reaches it can fill the disk.
    #[error("{address} can be reached from outside and the API has no access control")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on, or listening ended.
    #[error("cannot serve on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl Diagnostic for ServeError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NotLoopback { .. } => ExitCode::Usage,
            Self::Listen { .. } => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// Listens on a loopback address, or on any when `beyond_loopback`.
///
/// # Errors
///
/// [`ServeError`]
pub async fn listen(address: SocketAddr, beyond_loopback: bool) -> Result<TcpListener, ServeError> {
    if !beyond_loopback && !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Serves until `end` and until the requests then open have ended.
///
/// # Errors
///
/// The listener's.
pub async fn serve(
    listener: TcpListener,
    store: LocalStore,
    limits: ServeLimits,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(store, limits)).with_graceful_shutdown(end).await
}

/// The routes alone.
pub fn router(store: LocalStore, limits: ServeLimits) -> Router {
    let serving = Serving { store, limits, slots: Arc::new(Semaphore::new(limits.at_once)) };
    Router::new()
        .route("/upload", post(upload))
        .route("/cid", post(cid))
        .route("/get", get(get_content))
        .route("/ipfs/{id}", get(get_ipfs))
        .route("/health", get(|| async { "I'm healthy" }))
        .route("/api/v1/upload", post(das::upload))
        .route("/api/v1/cid", post(das::cid))
        .route("/api/v1/get", get(get_content))
        .route("/api/v1/health", any(|| async {}))
        .layer(DefaultBodyLimit::max(limits.content_bytes.saturating_add(FORM_EXTRA_BYTES)))
        .with_state(serving)
}

#[derive(Clone)]
struct Serving {
    store: LocalStore,
    limits: ServeLimits,
    slots: Arc<Semaphore>,
}

type Form = Result<Multipart, MultipartRejection>;

async fn upload(State(serving): State<Serving>, form: Form) -> Result<String, RequestError> {
    let _slot = serving.slots.try_acquire().map_err(|_| RequestError::Busy)?;
    let mut answer = String::new();
    for content in body::read_form(form, &serving.limits).await? {
        let id = serving.store.keep(&content).await.map_err(RequestError::Keep)?;
        answer.push_str(&object("cid", &id));
    }
    Ok(answer)
}

async fn cid(State(serving): State<Serving>, form: Form) -> Result<String, RequestError> {
    let _slot = serving.slots.try_acquire().map_err(|_| RequestError::Busy)?;
    let contents = body::read_form(form, &serving.limits).await?;
    Ok(contents.iter().map(|content| object("cid", &content.id())).collect())
}

#[derive(Deserialize)]
struct GetQuery {
    cid: Option<String>,
}

async fn get_content(State(serving): State<Serving>, Query(query): Query<GetQuery>) -> Result<Response, RequestError> {
    let cid = query.cid.filter(|cid| !cid.is_empty()).ok_or(RequestError::NoId)?;
    Ok(bytes(serving.read(&cid).await?))
}

#[derive(Deserialize)]
struct IpfsQuery {
    format: Option<String>,
}

async fn get_ipfs(
    State(serving): State<Serving>,
    Path(id): Path<String>,
    Query(query): Query<IpfsQuery>,
) -> Result<Response, RequestError> {
    let content = serving.read(&id).await?;
    let is_archive = query.format.as_deref() == Some("car");
    let archive = match (is_archive, content.id().codec()) {
        (true, Codec::DagCbor) => das::archive(content).await?,
        (false, Codec::DagCbor) => return Err(RequestError::OnlyArchive),
        (true, Codec::Raw | Codec::DagPb) => write_car(&Dag::of(content.bytes())),
        (false, Codec::Raw | Codec::DagPb) => return Ok(bytes(content)),
    };
    Ok(([(header::CONTENT_TYPE, "application/vnd.ipld.car; version=1")], archive).into_response())
}

fn bytes(content: Content) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], content.into_bytes()).into_response()
}

impl Serving {
    async fn read(&self, cid: &str) -> Result<Content, RequestError> {
        let id: ContentId = cid.parse().map_err(RequestError::Id)?;
        let _slot = self.slots.try_acquire().map_err(|_| RequestError::Busy)?;
        self.store.fetch(&id).await.map_err(RequestError::Fetch)
    }
}

/// Why a request is answered with an error.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error("request Content-Type isn't multipart/form-data")]
    WrongContentType,
    #[error("no part of the form has a file name")]
    NoFile,
    #[error("more than {FILES_MAX} files in one form")]
    TooManyFiles,
    #[error("a file of more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the form is cut off or malformed")]
    BadForm,
    #[error("the form stopped coming")]
    Stalled,
    #[error("no content id; ask /get?cid=<id>")]
    NoId,
    #[error(transparent)]
    Id(crate::IdError),
    #[error(transparent)]
    Fetch(FetchError),
    #[error(transparent)]
    Keep(KeepError),
    #[error("a DAS root is served as an archive; ask with ?format=car")]
    OnlyArchive,
    #[error(transparent)]
    Encode(crate::EncodeError),
    #[error("too many requests at once")]
    Busy,
}

impl RequestError {
    const fn status(&self) -> StatusCode {
        match self {
            // As the pinner does.
            Self::WrongContentType => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoFile | Self::BadForm | Self::NoId | Self::Id(_) => StatusCode::BAD_REQUEST,
            Self::TooManyFiles | Self::TooLarge { .. } | Self::Keep(KeepError::TooLarge { .. }) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::Fetch(FetchError::NotFound { .. }) => StatusCode::NOT_FOUND,
            Self::Keep(KeepError::DiskFull { .. }) => StatusCode::INSUFFICIENT_STORAGE,
            Self::OnlyArchive => StatusCode::NOT_ACCEPTABLE,
            Self::Fetch(_) | Self::Keep(_) | Self::Encode(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        if let Self::Fetch(error @ (FetchError::Damaged { .. } | FetchError::File { .. })) = &self {
            tracing::warn!(%error, "Content could not be read.");
        }
        if let Self::Keep(error @ (KeepError::DiskFull { .. } | KeepError::File { .. })) = &self {
            tracing::warn!(%error, "Content could not be kept.");
        }
        (self.status(), object("error", &self)).into_response()
    }
}

/// `{"<key>": "<value>"}` with the pinner's space.
fn object(key: &str, value: &impl fmt::Display) -> String {
    format!("{{\"{key}\": {}}}", serde_json::Value::from(value.to_string()))
}
