//! HTTP requests that are bounded in time, bytes and redirects.

mod error;
mod limits;
mod rate;
mod redirect;

use std::{error::Error as StdError, time::Duration};

use bytes::{Bytes, BytesMut};
use refiner_buffers::Buffers;
use refiner_diagnostics::causes;
use refiner_http_client::Egress;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, redirect::Policy};
use tokio::time::timeout;
use url::Url;

pub use self::{
    error::{BaseUrlError, ClientError, TransportError},
    limits::HttpLimits,
    rate::LeastRate,
};
pub(crate) use self::{
    error::{Failure, milliseconds},
    rate::Window,
};
use crate::{AddressPolicy, Excerpt, FetchError, Origin, addresses};

/// Bytes of an answer that is only shown: an error's text.
const EXCERPT_BYTES_MAX: usize = 4096;
/// Room taken before bytes arrive, whatever length the answer states.
const FIRST_ROOM_BYTES: usize = 1 << 20;

/// Reads a base URL.
pub(crate) fn base_url(text: &str) -> Result<Url, BaseUrlError> {
    let url = Url::parse(text.trim()).map_err(BaseUrlError::Unreadable)?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(BaseUrlError::Scheme { scheme: Excerpt::of(url.scheme().as_bytes()) })
    }
}

/// `path` below `base`, whose own path and credentials stay.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// A client and its limits.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    pub(crate) limits: HttpLimits,
    policy: AddressPolicy,
    egress: Egress,
}

impl Http {
    /// A client for `base` and what it redirects to. Only one that begins with https needs the system's certificates.
    pub(crate) fn for_base(egress: &Egress, base: &Url, limits: HttpLimits) -> Result<Self, ClientError> {
        let policy = AddressPolicy::Anywhere;
        let client = match client(egress, limits, policy).build() {
            Err(_) if base.scheme() == "http" => client(egress, limits, policy).tls_certs_only([]).build(),
            built => built,
        };
        Ok(Self { client: client.map_err(ClientError)?, limits, policy, egress: egress.clone() })
    }

    /// A client for any URL within `policy`.
    pub(crate) fn for_any(egress: &Egress, limits: HttpLimits, policy: AddressPolicy) -> Result<Self, ClientError> {
        let client = client(egress, limits, policy).build().map_err(ClientError)?;
        Ok(Self { client, limits, policy, egress: egress.clone() })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The proxy's failure where an answer that is no page has one in its place.
    pub(crate) fn refusal_or_page(&self, response: &Response) -> Option<TransportError> {
        self.egress.refusal_or_page(response).map(Into::into)
    }

    /// The body of a 200, at most `limit_bytes` of it.
    pub(crate) async fn get(
        &self,
        url: Url,
        accept: &'static str,
        from: &Origin,
        limit_bytes: usize,
    ) -> Result<Bytes, FetchError> {
        let request = self.client.get(url).header(reqwest::header::ACCEPT, accept);
        match timeout(self.limits.deadline, self.answer(request, from, limit_bytes)).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Deadline { from: from.clone(), deadline_ms: milliseconds(self.limits.deadline) }),
        }
    }

    /// The body of a 200 that has just so many bytes, in one of the buffers.
    pub(crate) async fn get_known(
        &self,
        url: Url,
        from: &Origin,
        bytes: usize,
        buffers: &Buffers,
    ) -> Result<Bytes, FetchError> {
        let filled = async {
            let mut response = self.open(self.client.get(url), from).await?;
            let too_large = || FetchError::TooLarge { from: from.clone(), limit_bytes: bytes };
            if response.content_length().is_some_and(|stated| stated > bytes as u64) {
                return Err(too_large());
            }
            let (mut filling, mut window) = (buffers.filling(bytes), self.window());
            while let Some(piece) = self.next_piece(&mut response, &mut window, from).await? {
                if piece.len() > bytes - filling.len() {
                    return Err(too_large());
                }
                filling.push(&piece);
            }
            if filling.len() == bytes {
                Ok(filling.into_bytes())
            } else {
                Err(FetchError::TooShort { from: from.clone(), bytes: filling.len(), expected: bytes })
            }
        };
        match timeout(self.limits.deadline, filled).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Deadline { from: from.clone(), deadline_ms: milliseconds(self.limits.deadline) }),
        }
    }

    async fn answer(&self, request: RequestBuilder, from: &Origin, limit_bytes: usize) -> Result<Bytes, FetchError> {
        let mut response = self.open(request, from).await?;
        self.body(&mut response, limit_bytes).await.map_err(|failure| into_fetch_error(failure, from))
    }

    /// The beginning of a 200, whose pieces [`next_piece`](Self::next_piece) reads.
    pub(crate) async fn open(&self, request: RequestBuilder, from: &Origin) -> Result<Response, FetchError> {
        let sent = self.send(request, self.limits.answer).await;
        let mut response = sent.map_err(|failure| into_fetch_error(failure, from))?;
        match response.status().as_u16() {
            200 => Ok(response),
            404 | 410 => Err(FetchError::NotFound { from: from.clone() }),
            status => {
                if let Some(source) = self.refusal_or_page(&response) {
                    return Err(FetchError::Transport { from: from.clone(), source });
                }
                let answer = self.excerpt(&mut response).await;
                Err(FetchError::Status { from: from.clone(), status, answer })
            }
        }
    }

    /// A window for the pieces of one answer.
    pub(crate) const fn window(&self) -> Window {
        Window::of(self.limits.least_rate)
    }

    pub(crate) async fn next_piece(
        &self,
        response: &mut Response,
        window: &mut Window,
        from: &Origin,
    ) -> Result<Option<Bytes>, FetchError> {
        let piece = window.bound(self.piece(response)).await;
        let counted = piece.and_then(|piece| window.count(piece.as_ref().map_or(0, Bytes::len)).map(|()| piece));
        counted.map_err(|failure| into_fetch_error(failure, from))
    }

    pub(crate) async fn send(&self, request: RequestBuilder, answer: Duration) -> Result<Response, Failure> {
        let sent = async {
            let failure = |error| self.failure(error);
            match self.policy {
                AddressPolicy::Anywhere => request.send().await.map_err(failure),
                AddressPolicy::Public => {
                    redirect::send_publicly(&self.client, request, self.limits.redirects, failure).await
                }
            }
        };
        match timeout(answer, sent).await {
            Ok(sent) => {
                let response = sent?;
                match self.egress.refusal(&response) {
                    Some(refusal) => Err(Failure::Transport(refusal.into())),
                    None => Ok(response),
                }
            }
            Err(_) => Err(Failure::Transport(TransportError::NoAnswer { answer_ms: milliseconds(answer) })),
        }
    }

    /// Reads a body and stops at the limit.
    pub(crate) async fn body(&self, response: &mut Response, limit_bytes: usize) -> Result<Bytes, Failure> {
        let stated = response.content_length().unwrap_or(0);
        if stated > limit_bytes as u64 {
            return Err(Failure::TooLarge { limit_bytes });
        }
        let room = usize::try_from(stated).unwrap_or(limit_bytes).min(FIRST_ROOM_BYTES);
        let mut body = BytesMut::with_capacity(room);
        let mut window = self.window();
        while let Some(piece) = window.bound(self.piece(response)).await? {
            window.count(piece.len())?;
            if piece.len() > limit_bytes - body.len() {
                return Err(Failure::TooLarge { limit_bytes });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    async fn piece(&self, response: &mut Response) -> Result<Option<Bytes>, Failure> {
        let idle = self.limits.idle;
        match timeout(idle, response.chunk()).await {
            Ok(piece) => piece.map_err(|error| self.failure(error)),
            Err(_) => Err(Failure::Transport(TransportError::Stalled { idle_ms: milliseconds(idle) })),
        }
    }

    /// The beginning of an error's text, as much of it as comes.
    pub(crate) async fn excerpt(&self, response: &mut Response) -> Excerpt {
        let (mut text, mut window) = (Vec::new(), self.window());
        while text.len() < EXCERPT_BYTES_MAX {
            match window.bound(self.piece(response)).await {
                Ok(Some(piece)) if window.count(piece.len()).is_ok() => {
                    text.extend_from_slice(&piece[..piece.len().min(EXCERPT_BYTES_MAX - text.len())]);
                }
                Ok(_) | Err(_) => break,
            }
        }
        Excerpt::of(&text)
    }

    fn failure(&self, error: reqwest::Error) -> Failure {
        let error = match self.egress.failure(error) {
            Ok(proxy) => return Failure::Transport(proxy.into()),
            Err(error) => error,
        };
        // reqwest has no type for what its callbacks returned; only the causes tell.
        Failure::Transport(if is_caused_by::<redirect::TooMany>(&error) {
            TransportError::Redirects { redirects: self.limits.redirects }
        } else if is_caused_by::<redirect::Downgrade>(&error) {
            TransportError::Downgrade
        } else if is_caused_by::<addresses::NotPublic>(&error) {
            TransportError::PrivateAddress
        } else if error.is_connect() {
            TransportError::Connect(error)
        } else {
            TransportError::Broken(error)
        })
    }
}

fn client(egress: &Egress, limits: HttpLimits, policy: AddressPolicy) -> ClientBuilder {
    let builder = egress.builder().connect_timeout(limits.connect);
    match policy {
        AddressPolicy::Public => {
            builder.dns_resolver(addresses::PublicResolver::beside(egress)).redirect(Policy::none())
        }
        AddressPolicy::Anywhere => builder.redirect(redirect::policy(limits.redirects)),
    }
}

fn into_fetch_error(failure: Failure, from: &Origin) -> FetchError {
    let from = from.clone();
    match failure {
        Failure::Transport(source) => FetchError::Transport { from, source },
        Failure::TooLarge { limit_bytes } => FetchError::TooLarge { from, limit_bytes },
    }
}

fn is_caused_by<E: StdError + 'static>(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.is::<E>())
}
