//! The client of object stores: that of the whole program, so that a proxy serves stores too, and with bounds on every answer.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt as _, Limited};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    },
};
use refiner_http_client::Egress;
use reqwest::{Body, Client, Request, Url, redirect::Policy};

/// Most bytes of an answer: those of the largest file, and of a page of a listing.
const ANSWER_BYTES_MAX: usize = 257 << 20;
/// Most bytes of an answer that is a refusal, whose text is part of an error.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// Connections to a store.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub egress: Egress,
    /// Until a connection stands.
    pub connect: Duration,
    /// The longest silence.
    pub stall: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        // What a store signs for one address is no business of another.
        let builder = self.egress.builder().redirect(Policy::none());
        let client = builder.connect_timeout(self.connect).read_timeout(self.stall).build();
        let generic = |source| object_store::Error::Generic { store: "HTTP", source };
        Ok(HttpClient::new(Service(client.map_err(|error| generic(Box::new(error)))?)))
    }
}

#[derive(Debug)]
struct Service(Client);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url: Url = parts.uri.to_string().parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        // A body is in memory as it is, a part of a file at most.
        let body = body.collect().await?.to_bytes();
        *request.body_mut() = Some(body).filter(|bytes| !bytes.is_empty()).map(Body::from);
        let response = self.0.execute(request).await.map_err(failure)?;
        let limit = if response.status().is_success() { ANSWER_BYTES_MAX } else { REFUSAL_BYTES_MAX };
        let (parts, body) = http::Response::<Body>::from(response).into_parts();
        let body = Limited::new(body.map_err(failure), limit);
        let body = body.map_err(|error| match error.downcast::<HttpError>() {
            Ok(error) => *error,
            Err(error) => HttpError::new_boxed(HttpErrorKind::Decode, error),
        });
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

/// The kind of a failure decides whether the request is made again.
fn failure(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else {
        // A connection that broke.
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}
