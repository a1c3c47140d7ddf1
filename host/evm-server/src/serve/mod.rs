//! A stand-in for the network's evm-server, over the executor of this program (docs/protocol.md, section 3).
//!
//! * **Inputs**: a form with the JSON of a block replica.
//! * **Outputs**: the block result, byte for byte as an era of the network's server wrote it, or an error in its
//!   words.
//! * **Invariants**: no block uses more than its limits and none ends the server. Where the Go server panicked,
//!   this one answers the same status with the reason and keeps serving.
//!
//! | route, with any method | answer |
//! |---|---|
//! | `/process` | 200 and the block result |
//! | `/health` | 200 `I'm healthy`, or what the next three made of it; 503 when no execution has ended for longer than one may take |
//! | `/sabotage`, `/timeout`, `/recover` | makes `/health` answer 500, hang for 30 seconds, and answer as before |
//! | `/metrics` | what the module `metrics` lists, for Prometheus |
//!
//! A request that a web page can have caused is refused with 403 before any route (`refiner-listener`).
//!
//! `/process` refuses, beyond what the Go server does: a body over the limit with 413, one that does not come in time with
//! 408, whatever the server has no room for in time with 503 and `Retry-After`, and an execution that takes more processor time
//! than it may with 503.

mod admission;
mod answer;
mod body;
mod error;
mod health;
mod in_flight;
mod limits;
mod listen;
mod metrics;
mod process;
mod range;
pub mod replica;
mod time_share;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::any,
};
use refiner_buffers::Buffers;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::{EmbeddedExecutor, ExecutionPolicy, ResultFormat};
use refiner_listener::Access;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use limits::{EXECUTIONS_A_PROCESSOR, Limits};

use admission::AdmissionControl;
use health::{Health, Reported};
use metrics::Metrics;

/// Where the network's evm-server listens.
pub const PORT: u16 = 3_002;

/// Errors of keeping and rendering metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// They cannot be collected.
    #[error(transparent)]
    Collect(#[from] opentelemetry_sdk::error::OTelSdkError),
    /// They cannot be written.
    #[error(transparent)]
    Write(#[from] prometheus::Error),
}

impl Diagnostic for MetricsError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Internal
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// An evm-server that is ready to listen.
pub struct EvmServer {
    serving: Arc<Serving>,
    access: Access,
}

/// State shared by all requests.
struct Serving {
    executor: EmbeddedExecutor,
    format: ResultFormat,
    limits: Limits,
    admission: Arc<AdmissionControl>,
    /// For bodies.
    buffers: Buffers,
    metrics: Metrics,
    health: Health,
}

impl EvmServer {
    /// A server that answers every block in one format.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Collect`]
    pub fn new(executor: EmbeddedExecutor, format: ResultFormat, limits: Limits) -> Result<Self, MetricsError> {
        let admission = Arc::new(AdmissionControl::new(limits));
        let metrics = Metrics::new(&admission)?;
        let policy = ExecutionPolicy { gas_bound: limits.block_gas, ..executor.policy() };
        let executor = executor.with_policy(policy);
        let buffers = Buffers::bounded(limits::KEPT_BUFFERS, limits::KEPT_BUFFER_BYTES);
        let serving = Serving { executor, format, limits, admission, buffers, metrics, health: Health::default() };
        Ok(Self { serving: Arc::new(serving), access: Access::default() })
    }

    /// Permits requests that ask by these names too.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Serves until `stop`, and then until the requests that are in have their answers or [`Limits::drain`] is over.
    ///
    /// All listeners are served alike: one of each address family, for clients that find the server by one of them only.
    pub async fn serve(self, listeners: Vec<TcpListener>, stop: CancellationToken) {
        let limits = listen::limits(&self.serving.limits);
        refiner_listener::serve(listeners, router(self.serving), limits, self.access, stop).await;
    }
}

type Shared = State<Arc<Serving>>;

fn router(serving: Arc<Serving>) -> Router {
    Router::new()
        .route(
            "/process",
            any(|State(serving): Shared, request: Request| async move { process::process(&serving, request).await }),
        )
        .route(
            "/health",
            any(|State(serving): Shared| async move { serving.health.answer(serving.admission.is_stuck()).await }),
        )
        .route("/sabotage", any(|State(serving): Shared| async move { serving.health.choose(Reported::Failing) }))
        .route("/timeout", any(|State(serving): Shared| async move { serving.health.choose(Reported::Hanging) }))
        .route("/recover", any(|State(serving): Shared| async move { serving.health.choose(Reported::Healthy) }))
        .route("/metrics", any(tell_metrics))
        .fallback(|| async { (StatusCode::NOT_FOUND, "404 page not found\n") })
        .with_state(serving)
}

async fn tell_metrics(State(serving): Shared) -> Response {
    match serving.metrics.text() {
        Ok(text) => text.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
