//! One evm-server, asked over HTTP with a bound on everything.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use bytes::{Bytes, BytesMut};
use refiner_evm::{Answer, RemoteServer, ResultFormat, Unavailable};
use refiner_http_client::Egress;
use reqwest::{
    Body, Client, Response,
    multipart::{Form, Part},
    redirect,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tracing::warn;
use url::Url;

use super::{
    failure::{AskFailure, SetupError},
    limits::RemoteLimits,
    server_error::{ERROR_BODY_BYTES_MAX, ServerError},
};

/// Room taken before bytes arrive, whatever length the answer states.
const FIRST_ROOM_BYTES: usize = 1 << 20;

/// An evm-server over HTTP. Shared by every thread; calls block.
pub struct EvmServerClient {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    asked: Arc<Asked>,
}

struct Asked {
    http: Client,
    egress: Egress,
    base: Url,
    /// Scheme, host and port: what may be shown.
    server: String,
    limits: RemoteLimits,
    turns: Semaphore,
}

impl EvmServerClient {
    /// The server whose routes begin at `base`, such as `http://127.0.0.1:3002`, without a proxy. Credentials in it are sent and never
    /// shown.
    ///
    /// # Errors
    /// [`SetupError`]. That the server answers is not looked at.
    pub fn new(base: &str, limits: RemoteLimits) -> Result<Self, SetupError> {
        Self::through(&Egress::default(), base, limits)
    }

    /// As [`new`](Self::new), by the way that requests take out of this machine.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn through(egress: &Egress, base: &str, limits: RemoteLimits) -> Result<Self, SetupError> {
        let base = Url::parse(base.trim()).map_err(SetupError::Url)?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(SetupError::Scheme);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("evm-server")
            .enable_all()
            .build()
            .map_err(SetupError::Thread)?;
        let asked = Asked {
            http: client(egress, &base, &limits).map_err(SetupError::Client)?,
            egress: egress.clone(),
            server: base.origin().ascii_serialization(),
            base,
            limits,
            turns: Semaphore::new(limits.concurrency.max(1)),
        };
        Ok(Self { runtime: Some(runtime), asked: Arc::new(asked) })
    }

    fn ask(&self, raw: &[u8]) -> Result<Answer, AskFailure> {
        let data = refiner_specimen::data_json(raw).map_err(AskFailure::Specimen)?;
        let data = Bytes::from(data.to_string());
        let total = self.asked.limits.total;
        let late = || AskFailure::Total { server: self.asked.server.clone(), total_ms: milliseconds(total) };
        let runtime = self.runtime.as_ref().ok_or_else(late)?;
        let asking = async { timeout(total, self.asked.ask(&data)).await };
        runtime.block_on(asking).unwrap_or_else(|_| Err(late()))
    }
}

impl RemoteServer for EvmServerClient {
    fn process(&self, raw: &alloy_primitives::Bytes, _: ResultFormat) -> Result<Answer, Unavailable> {
        self.ask(raw).map_err(|failure| Unavailable::Server(Box::new(failure)))
    }
}

impl Drop for EvmServerClient {
    fn drop(&mut self) {
        // Nothing is under way, for calls borrow the client; and a runtime must not be dropped where one runs.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Asked {
    async fn ask(&self, data: &Bytes) -> Result<Answer, AskFailure> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(self.limits.pause)
            .with_jitter()
            .with_max_times(self.limits.tries.saturating_sub(1) as usize)
            .build();
        let mut before: Option<ServerError> = None;
        loop {
            let failure = match self.attempt(data).await {
                Ok(document) => return Ok(Answer::Document(document.into())),
                Err(failure) => failure,
            };
            let message = failure.refusal().cloned();
            if let (Some(message), Some(before)) = (&message, &before)
                && message == before
                && self.is_well().await
            {
                return Ok(Answer::Refusal(message.text().to_owned()));
            }
            before = message;
            let Some(pause) = pauses.next() else { return Err(failure) };
            warn!(%failure, "evm-server did not answer, asked again");
            sleep(pause).await;
        }
    }

    /// Whether `/health` answers 200 in time.
    async fn is_well(&self) -> bool {
        let asked = self.http.get(self.route("health")).send();
        matches!(timeout(self.limits.health, asked).await, Ok(Ok(response)) if response.status().as_u16() == 200)
    }

    async fn attempt(&self, data: &Bytes) -> Result<Bytes, AskFailure> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.ok();
        let limit = self.limits.attempt;
        match timeout(limit, self.exchange(data)).await {
            Ok(answer) => answer,
            Err(_) => Err(AskFailure::Attempt { server: self.server.clone(), attempt_ms: milliseconds(limit) }),
        }
    }

    async fn exchange(&self, data: &Bytes) -> Result<Bytes, AskFailure> {
        let request = self.http.post(self.route("process")).multipart(form(data));
        let mut response = request.send().await.map_err(|error| self.broken(error))?;
        let server = || self.server.clone();
        if let Some(source) = self.egress.refusal_or_page(&response) {
            return Err(AskFailure::Proxy { server: server(), source });
        }
        match response.status().as_u16() {
            200 => {
                let answer = self.body(&mut response, self.limits.answer_bytes).await?;
                match (answer.is_empty(), answer.first(), answer.last()) {
                    (true, ..) => Err(AskFailure::Empty { server: server() }),
                    (_, Some(b'{'), Some(b'}')) => Ok(answer),
                    _ => Err(AskFailure::NoDocument { server: server() }),
                }
            }
            206 => Err(AskFailure::Partial { server: server() }),
            status => Err(AskFailure::Status { server: server(), status, message: self.message(&mut response).await }),
        }
    }

    /// Reads a body and stops at the limit.
    async fn body(&self, response: &mut Response, limit_bytes: usize) -> Result<Bytes, AskFailure> {
        let too_large = || AskFailure::TooLarge { server: self.server.clone(), limit_bytes };
        let stated = response.content_length().unwrap_or(0);
        if stated > limit_bytes as u64 {
            return Err(too_large());
        }
        let mut body = BytesMut::with_capacity(usize::try_from(stated).unwrap_or(limit_bytes).min(FIRST_ROOM_BYTES));
        while let Some(piece) = self.piece(response).await? {
            if piece.len() > limit_bytes - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    async fn piece(&self, response: &mut Response) -> Result<Option<Bytes>, AskFailure> {
        match timeout(self.limits.idle, response.chunk()).await {
            Ok(piece) => piece.map_err(|error| self.broken(error)),
            Err(_) => Err(AskFailure::Stalled { server: self.server.clone(), idle_ms: milliseconds(self.limits.idle) }),
        }
    }

    /// The beginning of an error's text, as much of it as comes.
    async fn message(&self, response: &mut Response) -> ServerError {
        let mut message = Vec::new();
        while message.len() < ERROR_BODY_BYTES_MAX {
            match self.piece(response).await {
                Ok(Some(piece)) => {
                    message.extend_from_slice(&piece[..piece.len().min(ERROR_BODY_BYTES_MAX - message.len())]);
                }
                Ok(None) | Err(_) => break,
            }
        }
        ServerError::read(&message)
    }

    fn broken(&self, error: reqwest::Error) -> AskFailure {
        // The URL can hold credentials; the error's own text would show it.
        let server = self.server.clone();
        match self.egress.failure(error) {
            Ok(source) => AskFailure::Proxy { server, source },
            Err(source) if source.is_connect() => AskFailure::Connect { server, source },
            Err(source) => AskFailure::Broken { server, source },
        }
    }

    /// A route below the base, whose own path and credentials stay.
    fn route(&self, name: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{name}", self.base.path().trim_end_matches('/')));
        url
    }
}

/// The form that every version of the server takes: one part, with a file name.
fn form(data: &Bytes) -> Form {
    let length = data.len() as u64;
    let part = Part::stream_with_length(Body::from(data.clone()), length).file_name("specimen.json");
    Form::new().part("filedata", part)
}

fn client(egress: &Egress, base: &Url, limits: &RemoteLimits) -> Result<Client, reqwest::Error> {
    let builder = egress.builder().connect_timeout(limits.connect).redirect(redirect::Policy::none());
    // Without redirects, http needs no certificates.
    if base.scheme() == "http" { builder.tls_certs_only([]).build() } else { builder.build() }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
