//! Requests to one repository of a registry, with a login where the registry wants one.

use std::sync::{Mutex, PoisonError};

use oci_client::Reference;
use refiner_content::{Excerpt, HttpLimits};
use refiner_http_client::Egress;
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{self, HeaderValue},
    redirect::Policy,
};
use serde::Deserialize;
use url::Url;

use super::{
    OciError,
    challenge::{Challenge, ChallengeFault, TokenService},
    error::Asked,
    reference::shown,
};
use crate::{
    Instead,
    credentials::{CredentialFiles, Login},
    source::{Address, is_loopback, is_loopback_registry},
};

/// Most bytes of a token's answer; tokens of public registries have some 3 KiB.
const TOKEN_BYTES_MAX: usize = 64 << 10;
/// Most bytes of an answer that is only shown.
const EXCERPT_BYTES_MAX: usize = 4 << 10;
/// Name of this program where a token is exchanged.
const CLIENT_ID: &str = "refiner";

/// Direction of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Pull,
    Push,
}

/// The repository of one reference.
pub(super) struct Registry {
    client: Client,
    egress: Egress,
    /// Ends before `manifests` and `blobs`.
    base: Url,
    is_local: bool,
    name: String,
    repository: String,
    credentials: CredentialFiles,
    /// The header that the registry took last: without it each request of a push would be refused first. Held for no request.
    authorization: Mutex<Option<HeaderValue>>,
}

/// A body that was read up to a bound.
enum Body {
    Whole(Vec<u8>),
    /// The first bytes of one that is longer.
    Start(Vec<u8>),
}

impl Body {
    /// All of it, or else its first bytes.
    fn whole(self) -> Result<Vec<u8>, Vec<u8>> {
        match self {
            Self::Whole(body) => Ok(body),
            Self::Start(start) => Err(start),
        }
    }
}

/// An answer with a token, under either of its names.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// The answer of a registry that refuses.
#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Registry {
    pub(super) fn of(
        egress: &Egress,
        reference: &Reference,
        limits: HttpLimits,
        credentials: CredentialFiles,
        direction: Direction,
    ) -> Result<Self, OciError> {
        let host = reference.resolve_registry().trim_end_matches('/');
        let is_local = is_loopback_registry(reference.registry());
        let builder = egress.builder().connect_timeout(limits.connect).redirect(Policy::limited(limits.redirects));
        let builder = match direction {
            Direction::Pull => builder.read_timeout(limits.idle),
            // While a body is on its way nothing is read; the deadline bounds it.
            Direction::Push => builder,
        };
        let builder = if is_local { builder.tls_certs_only([]) } else { builder.https_only(true) };
        let scheme = if is_local { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/v2/{}/", reference.repository()))
            .map_err(|source| OciError::Address { reference: shown(reference), source })?;
        Ok(Self {
            client: builder.build().map_err(OciError::Client)?,
            egress: egress.clone(),
            base,
            is_local,
            name: reference.registry().to_owned(),
            repository: reference.repository().to_owned(),
            credentials,
            authorization: Mutex::new(None),
        })
    }

    /// The body of a 200, at most `limit_bytes` of it.
    pub(super) async fn get(
        &self,
        path: &str,
        accept: &str,
        limit_bytes: usize,
        expected: Asked,
        reference: &Reference,
    ) -> Result<Vec<u8>, OciError> {
        let url = self.at(path, reference)?;
        let request = || self.client.get(url.clone()).header(header::ACCEPT, accept);
        let response = self.send(request, reference).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response, reference).await);
        }
        let body = self.body(response, limit_bytes, reference).await?;
        body.whole().map_err(|start| match Instead::of(&start) {
            Some(instead) => OciError::Instead { reference: shown(reference), instead, expected },
            None => OciError::TooLarge { reference: shown(reference), limit_bytes },
        })
    }

    /// Gives `bytes` to the registry at a path or at the place that it named for them.
    pub(super) async fn give(
        &self,
        method: &Method,
        url: &Url,
        media_type: &str,
        bytes: &[u8],
        reference: &Reference,
    ) -> Result<Response, OciError> {
        let request = || {
            self.client
                .request(method.clone(), url.clone())
                .header(header::CONTENT_TYPE, media_type)
                .header(header::CONTENT_LENGTH, bytes.len())
                .body(bytes.to_vec())
        };
        // An upload may go to another machine, which takes it by what stands in its address.
        if url.origin() != self.base.origin() {
            let sent = request().send().await;
            return sent.map_err(|source| self.transport(source, reference));
        }
        self.send(request, reference).await
    }

    /// Asks whether something is there.
    pub(super) async fn has(&self, path: &str, reference: &Reference) -> Result<bool, OciError> {
        let url = self.at(path, reference)?;
        let response = self.send(|| self.client.head(url.clone()), reference).await?;
        Ok(response.status() == StatusCode::OK)
    }

    /// The address of a path of the repository, or of one that the registry named itself.
    pub(super) fn at(&self, path: &str, reference: &Reference) -> Result<Url, OciError> {
        self.base.join(path).map_err(|source| OciError::Address { reference: shown(reference), source })
    }

    /// Sends a request, a second time with a login where the registry asks for one.
    async fn send(&self, request: impl Fn() -> RequestBuilder, reference: &Reference) -> Result<Response, OciError> {
        let transport = |source| self.transport(source, reference);
        let with = |authorization: Option<HeaderValue>| match authorization {
            Some(value) => request().header(header::AUTHORIZATION, value),
            None => request(),
        };
        let held = self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let response = with(held).send().await.map_err(transport)?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let login = self.unlocked(self.credentials.login(&self.name, &self.repository)?, reference).await?;
        let authorization = self.authorize(&response, &login, reference).await?;
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(authorization.clone());
        let response = with(Some(authorization)).send().await.map_err(transport)?;
        if response.status() == StatusCode::UNAUTHORIZED { Err(self.no_login(login, reference)) } else { Ok(response) }
    }

    /// The login itself, where a program keeps it.
    async fn unlocked(&self, login: Login, reference: &Reference) -> Result<Login, OciError> {
        if !matches!(login, Login::Helper { .. }) {
            return Ok(login);
        }
        let unlocked = tokio::task::spawn_blocking(|| login.unlocked()).await;
        let unlocked = unlocked.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
        unlocked.map_err(|(program, file, source)| {
            let (reference, server) = (shown(reference), self.name.clone());
            OciError::Helper { reference, server, program, file, source }
        })
    }

    /// The header that answers a challenge.
    async fn authorize(
        &self,
        response: &Response,
        login: &Login,
        reference: &Reference,
    ) -> Result<HeaderValue, OciError> {
        let challenges = response.headers().get_all(header::WWW_AUTHENTICATE);
        let challenge = Challenge::first(challenges.iter().filter_map(|value| value.to_str().ok()));
        match challenge.map_err(|fault| unanswerable(fault, reference))? {
            Challenge::Basic => match login {
                Login::Password { user, password, .. } => {
                    let encoded = base64_simd::STANDARD.encode_to_string(format!("{user}:{}", password.0));
                    secret(&format!("Basic {encoded}")).ok_or_else(|| self.no_login(login.clone(), reference))
                }
                Login::Identity { file, .. } => {
                    let (reference, server) = (shown(reference), self.name.clone());
                    Err(OciError::NoPassword { reference, server, file: file.clone() })
                }
                Login::Helper { .. } | Login::None => Err(self.no_login(login.clone(), reference)),
            },
            Challenge::Bearer(service) => self.token(&service, login, reference).await,
        }
    }

    /// The header with a token for the login, or with an anonymous one where there is no login.
    async fn token(
        &self,
        challenge: &TokenService,
        login: &Login,
        reference: &Reference,
    ) -> Result<HeaderValue, OciError> {
        let realm = &challenge.realm;
        let service = || Excerpt::of(Address::of(realm).to_string().as_bytes());
        // What asks for a token over an open connection gives its password away, and what asks without one trusts what comes back.
        if realm.scheme() != "https" && !(self.is_local && is_loopback(realm)) {
            return Err(OciError::OpenTokenService { reference: shown(reference), service: service() });
        }
        let parameters = challenge.parameters();
        let request = match login {
            Login::Password { user, password, .. } => {
                self.client.get(realm.clone()).query(&parameters).basic_auth(user, Some(&password.0))
            }
            Login::Identity { token, .. } => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT_ID);
                form.append_pair("refresh_token", &token.0).extend_pairs(&parameters);
                let kind = "application/x-www-form-urlencoded";
                self.client.post(realm.clone()).header(header::CONTENT_TYPE, kind).body(form.finish())
            }
            Login::Helper { .. } | Login::None => self.client.get(realm.clone()).query(&parameters),
        };
        let response = request.send().await.map_err(|source| self.transport(source, reference))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.no_login(login.clone(), reference)),
            _ => {
                return Err(match self.refusal(response, reference).await {
                    OciError::Status { reference, status, answer } => {
                        OciError::TokenService { reference, service: service(), status, answer }
                    }
                    other => other,
                });
            }
        }
        let body = self.body(response, TOKEN_BYTES_MAX, reference).await?.whole();
        let body = body.map_err(|_| OciError::TokenTooLarge {
            reference: shown(reference),
            service: service(),
            limit_bytes: TOKEN_BYTES_MAX,
        })?;
        let token: Option<Token> = serde_json::from_slice(&body).ok();
        let token = token.and_then(|token| token.token.or(token.access_token));
        token
            .and_then(|token| secret(&format!("Bearer {token}")))
            .ok_or_else(|| OciError::NoToken { reference: shown(reference), service: service() })
    }

    /// The reason why no login helps.
    fn no_login(&self, login: Login, reference: &Reference) -> OciError {
        let (reference, server) = (shown(reference), self.name.clone());
        match login {
            Login::Password { file, .. } | Login::Identity { file, .. } | Login::Helper { file, .. } => {
                OciError::LoginRefused { reference, server, file }
            }
            Login::None => OciError::Login { reference, server, looked_at: self.credentials.looked_at() },
        }
    }

    /// Reads a body up to a bound.
    async fn body(&self, mut response: Response, limit_bytes: usize, reference: &Reference) -> Result<Body, OciError> {
        if let Some(source) = self.egress.refusal_or_page(&response) {
            return Err(OciError::Proxy { reference: shown(reference), source });
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|source| self.transport(source, reference))? {
            let room = limit_bytes - body.len();
            body.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() > room {
                return Ok(Body::Start(body));
            }
        }
        Ok(Body::Whole(body))
    }

    /// The refusal of a request, with what the registry gives as its reason.
    pub(super) async fn refusal(&self, response: Response, reference: &Reference) -> OciError {
        if let Some(source) = self.egress.refusal_or_page(&response) {
            return OciError::Proxy { reference: shown(reference), source };
        }
        let status = response.status().as_u16();
        let body = match self.body(response, EXCERPT_BYTES_MAX, reference).await {
            Ok(Body::Whole(body) | Body::Start(body)) => body,
            Err(_) => Vec::new(),
        };
        let entry = serde_json::from_slice::<ErrorBody>(&body).ok().and_then(|body| body.errors.into_iter().next());
        let answer = match entry {
            Some(ErrorEntry { code, message }) => Excerpt::of(format!("{code}: {message}").as_bytes()),
            None => Excerpt::of(&body),
        };
        OciError::Status { reference: shown(reference), status, answer }
    }

    /// The error without its URL: that of a redirect can hold a signature.
    fn transport(&self, source: reqwest::Error, reference: &Reference) -> OciError {
        let reference = shown(reference);
        match self.egress.failure(source) {
            Ok(source) => OciError::Proxy { reference, source },
            Err(source) => OciError::Transport { reference, source },
        }
    }
}

/// A header that no text shows.
fn secret(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn unanswerable(fault: ChallengeFault, reference: &Reference) -> OciError {
    let reference = shown(reference);
    match fault {
        ChallengeFault::Missing => OciError::NoChallenge { reference },
        ChallengeFault::Unknown(schemes) => {
            OciError::UnknownChallenge { reference, schemes: Excerpt::of(schemes.as_bytes()) }
        }
        ChallengeFault::NoRealm => OciError::NoRealm { reference },
    }
}
