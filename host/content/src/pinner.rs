//! ipfs-pinner and ewm-das over HTTP, as they really answer (docs/protocol.md, section 2).
//!
//! A part without a file name is answered with 200 and nothing; several files with several JSON objects and nothing between; errors
//! with JSON that is not escaped, or a panic's text; and a failing `w3` ends the process, which the client sees as a broken connection.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use refiner_http_client::Egress;
use reqwest::{Body, Response, header, multipart};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use crate::{
    Accept, Codec, Content, ContentId, ContentStore, Excerpt, FetchBackend, FetchError, HttpLimits, KeepError, Origin,
    das_id,
    error::SetupError,
    http::{self, Failure, Http, milliseconds},
};

/// The path of the newer pinner's own API.
const DAS_API: &str = "/api/v1";
/// Bytes of an upload's answer. One object has 72.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Until the answer to `/get` begins.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);
/// Time limit for a healthy pinner's answer; one that is in its timeout state sleeps for 30 s.
const HEALTH_DEADLINE: Duration = Duration::from_secs(5);
/// Shorter parts of an address are words such as `v1`, which hide nothing.
const SECRET_CHARS: usize = 6;
/// In the place of an answer that may repeat a confidential part of the address.
const NOT_QUOTED: &[u8] = b"not quoted, as the address has confidential parts";

/// Limits of time and size for requests to a pinner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnerLimits {
    /// For `/get` and `/health`.
    pub get: HttpLimits,
    /// For `/upload` and `/cid`, the sending included.
    pub upload: Duration,
    /// Bytes of one upload.
    pub upload_bytes: usize,
}

impl PinnerLimits {
    /// Limits for downloads like those of [`HttpLimits::patient`], but that the answer may begin late.
    #[must_use]
    pub fn patient(stall: Duration, whole: Duration) -> Self {
        let get = HttpLimits { answer: whole.min(ANSWER_PATIENCE), ..HttpLimits::patient(stall, whole) };
        Self { get, ..Self::default() }
    }
}

impl Default for PinnerLimits {
    /// ewm-das gives its own upload 5 minutes and retries after 1, 2 and 4 s; ipfs-pinner begins to answer `/get` only when it has
    /// everything, after a search of 10 s and 5 s for each gateway, and ewm-das to `/api/v1/get` after 12 s for 3 MB on a free machine.
    fn default() -> Self {
        let get = HttpLimits { answer: ANSWER_PATIENCE, deadline: ANSWER_PATIENCE, ..HttpLimits::default() };
        Self { get, upload: Duration::from_secs(600), upload_bytes: get.body_bytes }
    }
}

/// An ipfs-pinner, an ewm-das or [`serve`](crate::serve).
#[derive(Clone, Debug)]
pub struct Pinner {
    base: Url,
    origin: Origin,
    http: Http,
    limits: PinnerLimits,
}

impl Pinner {
    /// The pinner whose API begins at `base`, such as `http://127.0.0.1:5080`, without a proxy. Credentials in it are sent and never
    /// shown.
    ///
    /// # Errors
    ///
    /// [`SetupError`]
    pub fn new(base: &str, limits: PinnerLimits) -> Result<Self, SetupError> {
        Self::through(&Egress::default(), base, limits)
    }

    /// As [`new`](Self::new), by the way that requests take out of this machine.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn through(egress: &Egress, base: &str, limits: PinnerLimits) -> Result<Self, SetupError> {
        let base = http::base_url(base)?;
        let http = Http::for_base(egress, &base, limits.get)?;
        Ok(Self { origin: Origin::of_url(&base), base, http, limits })
    }

    /// Whether it answers, and reports that it is well.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when it does not.
    pub async fn health(&self) -> Result<(), FetchError> {
        let from = &self.origin;
        let answer = self.http.get(http::below(&self.base, "health"), "*/*", from, ANSWER_BYTES_MAX);
        match timeout(HEALTH_DEADLINE, answer).await {
            Ok(answer) => answer.map(drop),
            Err(_) => Err(FetchError::Deadline { from: from.clone(), deadline_ms: milliseconds(HEALTH_DEADLINE) }),
        }
    }

    /// Has the pinner name the content without uploading it, and checks that it names it as we do. (ipfs-pinner keeps it all the
    /// same.)
    ///
    /// # Errors
    ///
    /// [`KeepError`]
    pub async fn name(&self, content: &Content) -> Result<ContentId, KeepError> {
        self.post("cid", content).await
    }

    async fn fetch_checked(&self, id: ContentId, accept: Option<Accept>) -> Result<Content, FetchError> {
        let from = self.origin.clone();
        let is_das = id.codec() == Codec::DagCbor;
        let path = if is_das && !self.is_das_base() { "api/v1/get" } else { "get" };
        let mut url = http::below(&self.base, path);
        url.query_pairs_mut().append_pair("cid", &id.to_string());
        let bytes = self.http.get(url, "*/*", &from, self.limits.get.body_bytes).await?;
        match bytes.is_empty() {
            // Of all DAS content only one has no bytes, and its root is encoded at no cost.
            true if is_das && das_id(&bytes).ok() != Some(id) => Err(FetchError::NotFound { from }),
            true if !is_das && !id.names(&bytes) => Err(FetchError::EmptyAnswer { from }),
            _ => Content::admit(id, bytes, accept, &from).await,
        }
    }

    /// Whether the base is that of the newer pinner's own API, whose `upload` and `cid` answer with DAS roots.
    fn is_das_base(&self) -> bool {
        self.base.path().trim_end_matches('/').ends_with(DAS_API)
    }

    /// The URL of `upload` and `cid` that answer with UnixFS ids.
    fn unixfs_url(&self, path: &str) -> Url {
        let mut base = self.base.clone();
        if let Some(rest) = self.base.path().trim_end_matches('/').strip_suffix(DAS_API) {
            base.set_path(rest);
        }
        http::below(&base, path)
    }

    async fn post(&self, path: &str, content: &Content) -> Result<ContentId, KeepError> {
        let to = self.origin.clone();
        if content.bytes().len() > self.limits.upload_bytes {
            return Err(KeepError::TooLarge { to, bytes: content.bytes().len() });
        }
        match timeout(self.limits.upload, self.post_in_time(path, content)).await {
            Ok(done) => done,
            Err(_) => Err(KeepError::Deadline { to, deadline_ms: milliseconds(self.limits.upload) }),
        }
    }

    async fn post_in_time(&self, path: &str, content: &Content) -> Result<ContentId, KeepError> {
        let ours = content.unixfs_id();
        let request = self.http.client().post(self.unixfs_url(path)).multipart(form(ours, content.bytes()));
        let broken = |failure| self.keep_error(failure);
        let mut response = self.http.send(request, self.limits.upload).await.map_err(broken)?;
        self.note_warning(&response);
        let to = self.origin.clone();
        if let Some(source) = self.http.refusal_or_page(&response) {
            return Err(KeepError::Transport { to, source });
        }
        match response.status().as_u16() {
            200 => {
                let answer = self.http.body(&mut response, ANSWER_BYTES_MAX).await.map_err(broken)?;
                read_answer(&answer, ours, to, |text| self.quoted(Excerpt::of(text)))
            }
            status => {
                let answer = self.quoted(self.http.excerpt(&mut response).await);
                Err(KeepError::Status { to, status, answer })
            }
        }
    }

    /// An answer as errors quote it: not at all where the address has a confidential part, which the answer may repeat in any form.
    fn quoted(&self, answer: Excerpt) -> Excerpt {
        let is_confidential = |part: &str| part.chars().count() >= SECRET_CHARS;
        let has_confidential = !self.base.username().is_empty()
            || self.base.password().is_some()
            || self.base.query().is_some()
            || self.base.path_segments().into_iter().flatten().any(is_confidential);
        if has_confidential { Excerpt::of(NOT_QUOTED) } else { answer }
    }

    fn keep_error(&self, failure: Failure) -> KeepError {
        let to = self.origin.clone();
        match failure {
            Failure::Transport(source) => KeepError::Transport { to, source },
            // An answer longer than any list of ids: a page of a proxy, or something that never ends.
            Failure::TooLarge { .. } => KeepError::UnreadableAnswer { to, answer: Excerpt::of(b"more than 64 KiB") },
        }
    }

    fn note_warning(&self, response: &Response) {
        if let Some(warning) = response.headers().get(header::WARNING) {
            tracing::debug!(pinner = %self.origin, warning = %Excerpt::of(warning.as_bytes()), "pinner warned");
        }
    }
}

impl FetchBackend for Pinner {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn fetch<'a>(&'a self, id: &'a ContentId) -> BoxFuture<'a, Result<Content, FetchError>> {
        Box::pin(self.fetch_checked(*id, None))
    }

    fn fetch_accepted<'a>(&'a self, id: &'a ContentId, accept: Accept) -> BoxFuture<'a, Result<Content, FetchError>> {
        Box::pin(self.fetch_checked(*id, Some(accept)))
    }
}

impl ContentStore for Pinner {
    fn keep<'a>(&'a self, content: &'a Content) -> BoxFuture<'a, Result<ContentId, KeepError>> {
        Box::pin(self.post("upload", content))
    }
}

fn form(id: ContentId, bytes: &Bytes) -> multipart::Form {
    let part =
        multipart::Part::stream_with_length(Body::from(bytes.clone()), bytes.len() as u64).file_name(id.to_string());
    multipart::Form::new().part("filedata", part)
}

/// One of the objects in an answer.
#[derive(Deserialize)]
struct PinnerReply {
    cid: Option<String>,
    error: Option<String>,
}

/// Finds our id among the objects of an answer with status 200.
fn read_answer(
    answer: &[u8],
    ours: ContentId,
    to: Origin,
    quoted: impl Fn(&[u8]) -> Excerpt,
) -> Result<ContentId, KeepError> {
    if answer.trim_ascii().is_empty() {
        return Err(KeepError::EmptyAnswer { to });
    }
    let excerpt = || quoted(answer);
    let mut theirs = None;
    for object in serde_json::Deserializer::from_slice(answer).into_iter::<PinnerReply>() {
        match object {
            // Something failed after the id was written. Sending it again costs less than a result that no node serves.
            Ok(PinnerReply { error: Some(_), .. }) => {
                return Err(KeepError::Status { to, status: 200, answer: excerpt() });
            }
            Ok(PinnerReply { cid: Some(cid), .. }) if theirs != Some(ours.to_string()) => theirs = Some(canonical(cid)),
            Ok(_) => {}
            Err(_) => return Err(KeepError::UnreadableAnswer { to, answer: excerpt() }),
        }
    }
    match theirs {
        Some(theirs) if theirs == ours.to_string() => Ok(ours),
        Some(theirs) => Err(KeepError::WrongId { to, ours, theirs: quoted(theirs.as_bytes()) }),
        None => Err(KeepError::UnreadableAnswer { to, answer: excerpt() }),
    }
}

/// The id in our spelling, when it is one.
fn canonical(cid: String) -> String {
    cid.parse::<ContentId>().map(|id| id.to_string()).unwrap_or(cid)
}
