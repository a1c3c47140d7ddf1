//! A web server, an IPFS gateway and an OCI registry on this machine, in one.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use futures_util::{StreamExt as _, stream};
use refiner_sources::Sha256;
use serde_json::json;
use tokio::net::TcpListener;

/// A server's files, with the number of requests for each.
pub struct Server {
    address: SocketAddr,
    shelf: Arc<Shelf>,
}

#[derive(Default)]
struct Shelf {
    /// By path.
    files: Mutex<Vec<(String, &'static str, Vec<u8>)>>,
    requests: AtomicUsize,
}

impl Server {
    /// A server that lives as long as the test's process.
    pub fn start() -> Self {
        let shelf = Arc::new(Shelf::default());
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let router = Router::new()
            .route("/v2/", get(|| async { "" }))
            .route("/stalls.wasm", get(stalls))
            .route("/moved.wasm", get(|| async { Redirect::temporary("/rule.wasm") }))
            .route("/circles.wasm", get(|| async { Redirect::temporary("/circles.wasm") }))
            .route("/v2/endless/manifest/manifests/{name}", get(endless))
            .route(
                "/v2/endless/token/manifests/{name}",
                get(|headers: HeaderMap| async move { challenge(&headers, "/endless-token") }),
            )
            .route("/endless-token", get(endless))
            .route(
                "/v2/busy/token/manifests/{name}",
                get(|headers: HeaderMap| async move { challenge(&headers, "/busy-token") }),
            )
            .route("/busy-token", get(|| async { (StatusCode::TOO_MANY_REQUESTS, "too many logins") }))
            .route("/v2/asks/{way}/manifests/{name}", get(asks))
            .route("/empty-token", get(|| async { Json(json!({})) }))
            .route("/v2/failing/rule/manifests/{name}", get(failing))
            .route("/v2/closed/rule/manifests/{name}", get(|| async { StatusCode::UNAUTHORIZED }))
            .route("/token", get(|| async { Json(json!({ "access_token": "anonymous" })) }))
            .route("/v2/guarded/{*path}", get(guarded))
            .route("/v2/private/{*path}", get(private))
            .route("/private-token", get(token_by_password).post(token_by_identity))
            .route("/{*path}", get(file))
            .with_state(Arc::clone(&shelf));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, router).await.expect("a server");
            });
        });
        Self { address, shelf }
    }

    /// Serves `bytes` at `path`, in place of what was there.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        self.put_as(path, "application/octet-stream", bytes);
    }

    /// The address of a path on the web.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The gateway.
    pub fn gateway(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts a component into the registry as `test/rule:1.0.0` and gives the digest of its manifest.
    pub fn publish(&self, component: &[u8]) -> String {
        self.put_blob(component, component);
        self.put_manifest(&[layer("application/wasm", component)])
    }

    /// Serves `bytes` as the blob of `named`.
    pub fn put_blob(&self, named: &[u8], bytes: &[u8]) {
        self.put(&format!("v2/test/rule/blobs/sha256:{}", Sha256::of(named)), bytes);
    }

    /// Serves bytes without an end as the blob of `named`.
    pub fn make_endless(&self, named: &[u8]) {
        self.put_as(&format!("v2/test/rule/blobs/sha256:{}", Sha256::of(named)), ENDLESS, &[]);
    }

    /// Puts a manifest with these layers into the registry as `test/rule:1.0.0` and gives its digest.
    pub fn put_manifest(&self, layers: &[serde_json::Value]) -> String {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let config = json!({ "mediaType": "application/vnd.wasm.config.v0+json", "digest": format!("sha256:{}", Sha256::of(b"{}")), "size": 2 });
        let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers }).to_string();
        let digest = format!("sha256:{}", Sha256::of(manifest.as_bytes()));
        for reference in ["1.0.0", &digest] {
            self.put_as(&format!("v2/test/rule/manifests/{reference}"), kind, manifest.as_bytes());
        }
        digest
    }

    /// Replaces a manifest by its digest with other bytes.
    pub fn forge_manifest(&self, digest: &str, bytes: &[u8]) {
        self.put_as(&format!("v2/test/rule/manifests/{digest}"), "application/vnd.oci.image.manifest.v1+json", bytes);
    }

    /// The reference of what was published.
    pub fn reference(&self) -> String {
        format!("oci://{}/test/rule:1.0.0", self.address)
    }

    /// Requests for files so far.
    pub fn requests(&self) -> usize {
        self.shelf.requests.load(Ordering::SeqCst)
    }

    fn put_as(&self, path: &str, kind: &'static str, bytes: &[u8]) {
        let mut files = self.shelf.files.lock().expect("no test panicked here");
        files.retain(|(known, _, _)| known != path);
        files.push((path.to_owned(), kind, bytes.to_vec()));
    }
}

/// The type of a file that does not end.
const ENDLESS: &str = "application/x-endless";

/// A layer of a manifest.
pub fn layer(media_type: &str, bytes: &[u8]) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": format!("sha256:{}", Sha256::of(bytes)), "size": bytes.len() })
}

async fn file(State(shelf): State<Arc<Shelf>>, Path(path): Path<String>) -> Response {
    shelf.requests.fetch_add(1, Ordering::SeqCst);
    let files = shelf.files.lock().expect("no test panicked here");
    match files.iter().find(|(known, _, _)| *known == path) {
        Some((_, kind, _)) if *kind == ENDLESS => spaces().into_response(),
        Some((_, kind, bytes)) => ([(header::CONTENT_TYPE, *kind)], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Asks for a token from this server.
fn challenge(headers: &HeaderMap, realm: &str) -> Response {
    let host = headers[header::HOST].to_str().expect("a host");
    let challenge = format!("Bearer realm=\"http://{host}{realm}\",service=\"test\",scope=\"repository:rule:pull\"");
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}

/// Refuses in a way that no login answers.
async fn asks(Path((way, _)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let challenges: &[&str] = match way.as_str() {
        "openly" => &["Bearer realm=\"http://token.example/token?hidden\",service=\"test\""],
        "without-realm" => &["Bearer service=\"test\""],
        "by-negotiate" => &["Negotiate", "NTLM"],
        "without-a-challenge" => &[],
        "for-a-password" => &["Negotiate", "Basic realm=\"test\""],
        "for-an-empty-token" => return challenge(&headers, "/empty-token"),
        "for-patience" => return StatusCode::TOO_MANY_REQUESTS.into_response(),
        // In the words of Go's server.
        _ => return (StatusCode::BAD_REQUEST, "Client sent an HTTP request to an HTTPS server.\n").into_response(),
    };
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    for challenge in challenges {
        response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// What was published, for those who bring a token.
async fn guarded(State(shelf): State<Arc<Shelf>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    match headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes) {
        Some(b"Bearer anonymous") => file(State(shelf), Path(format!("v2/test/{path}"))).await,
        _ => challenge(&headers, "/token"),
    }
}

async fn private(State(shelf): State<Arc<Shelf>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    match headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes) {
        Some(b"Bearer of-name") => file(State(shelf), Path(format!("v2/test/{path}"))).await,
        _ => challenge(&headers, "/private-token"),
    }
}

/// A token for `name:canary`, and for nobody else.
async fn token_by_password(headers: HeaderMap) -> Response {
    match headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes) {
        Some(b"Basic bmFtZTpjYW5hcnk=") => Json(json!({ "token": "of-name" })).into_response(),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn token_by_identity(body: String) -> Response {
    let asked = ["grant_type=refresh_token", "refresh_token=canary", "service=test", "client_id=refiner"];
    if asked.iter().all(|part| body.split('&').any(|found| found == *part)) {
        Json(json!({ "access_token": "of-name" })).into_response()
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

/// A failure with more to read than anybody shows.
async fn failing() -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, "no room left on the device\n".repeat(10_000))
}

/// Bytes without an end.
async fn endless() -> Body {
    spaces()
}

fn spaces() -> Body {
    Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 << 10])))
}

/// Some bytes, and then silence.
async fn stalls() -> Body {
    let first = stream::once(async { Ok::<_, std::io::Error>("some") });
    Body::from_stream(first.chain(stream::pending()))
}
