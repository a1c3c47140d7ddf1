//! An object store with Amazon's interface on loopback, which can be made to fail as stores do.
//!
//! * **Inputs**: objects, and the fault of the requests to come.
//! * **Outputs**: an endpoint, the variables with which clients reach it, and the requests that it saw.
//! * **Invariants**: the store behind it is the crate `s3s-fs`, with signatures checked; a fault is an answer of the store, changed on its
//!   way.
//!
//! ```
//! let store = refiner_teststore::TestStore::start();
//! store.put("bucket", "folder/1-10.avro", b"bytes");
//! assert!(store.variables().iter().any(|(name, _)| name == "AWS_ENDPOINT_URL"));
//! ```

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Builder, sync::oneshot, time::sleep};

const KEY_ID: &str = "test-key-id";
/// The secret of the store's one user, which no output may show.
pub const SECRET: &str = "test-secret-canary";
/// Bytes of a page of HTML or of a refusal that does not end soon.
const LONG_BYTES: usize = 8 << 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Failure>;

/// What becomes of the answer to a request for an object's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 503 with `SlowDown`, as under load.
    SlowDown,
    /// 500 with `InternalError`.
    InternalError,
    /// The connection ends after half of the bytes.
    CutShort,
    /// Nothing comes for this long.
    Silence(Duration),
    /// 403 with `AccessDenied`.
    AccessDenied,
    /// 403 with a page for people of 8 MB.
    LongPage,
    /// An answer without a stated length.
    NoLength,
    /// Half of the bytes, with their length.
    Half,
}

#[derive(Default)]
struct Shared {
    faults: Mutex<(Option<Fault>, usize)>,
    /// The same for requests that write.
    write_faults: Mutex<(Option<Fault>, usize)>,
    requests: Mutex<Vec<String>>,
    /// The page that answers every listing, where one does.
    page: Mutex<Option<Bytes>>,
}

/// A store, until it is dropped.
pub struct TestStore {
    root: TempDir,
    address: SocketAddr,
    shared: Arc<Shared>,
    _end: oneshot::Sender<()>,
}

impl TestStore {
    /// Starts an empty store.
    pub fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(root.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = service.build();
        let shared = Arc::<Shared>::default();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, service, serving) => {}
                    _ = ended => {}
                }
            });
        });
        Self { root, address, shared, _end: end }
    }

    /// Keeps an object, in a bucket that is made where it is not there.
    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let path = self.root.path().join(bucket).join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Removes an object.
    pub fn remove(&self, bucket: &str, key: &str) {
        fs::remove_file(self.root.path().join(bucket).join(key)).unwrap();
    }

    /// The variables with which clients reach it.
    pub fn variables(&self) -> Vec<(String, String)> {
        let endpoint = format!("http://{}", self.address);
        let variables = [
            ("AWS_ACCESS_KEY_ID", KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "eu-test-1"),
            ("AWS_ENDPOINT_URL", &endpoint),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Gives a fault to the next `times` requests for bytes.
    pub fn fail(&self, fault: Fault, times: usize) {
        *self.shared.faults.lock().unwrap() = (Some(fault), times);
    }

    /// Gives a refusal to the next `times` requests that write.
    pub fn fail_writes(&self, fault: Fault, times: usize) {
        *self.shared.write_faults.lock().unwrap() = (Some(fault), times);
    }

    /// Answers every listing with one page of these keys, after which there is another.
    pub fn list_without_end(&self, keys: &[&str]) {
        let mut page = "<ListBucketResult><IsTruncated>true</IsTruncated>".to_owned();
        for key in keys {
            page += &entry(key, 1);
        }
        page += "<NextContinuationToken>again</NextContinuationToken></ListBucketResult>";
        *self.shared.page.lock().unwrap() = Some(page.into());
    }

    /// Answers every listing with those objects of a bucket below a prefix that are there now and of which `shown` is true, as one whose
    /// pages are of different times.
    pub fn list_only(&self, bucket: &str, prefix: &str, shown: impl Fn(&str) -> bool) {
        let mut page = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
        for (path, bytes) in self.objects(bucket, prefix) {
            let key = format!("{prefix}{}", path.display());
            if shown(&key) {
                page += &entry(&key, bytes.len());
            }
        }
        page += "</ListBucketResult>";
        *self.shared.page.lock().unwrap() = Some(page.into());
    }

    /// Answers listings as the store is.
    pub fn list_all(&self) {
        *self.shared.page.lock().unwrap() = None;
    }

    /// The objects of a bucket below a prefix, by their keys without it.
    pub fn objects(&self, bucket: &str, prefix: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut objects = BTreeMap::new();
        let top = self.root.path().join(bucket).join(prefix);
        let mut left = vec![top.clone()];
        while let Some(next) = left.pop() {
            for entry in fs::read_dir(next).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    left.push(path);
                } else {
                    objects.insert(path.strip_prefix(&top).unwrap().to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        objects
    }

    /// Method, path and range of each request so far.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Shared {
    fn fault(faults: &Mutex<(Option<Fault>, usize)>) -> Option<Fault> {
        let mut faults = faults.lock().unwrap();
        let (fault, times) = *faults;
        faults.1 = times.saturating_sub(1);
        fault.filter(|_| times > 0)
    }
}

/// An object in a page of a listing.
fn entry(key: &str, bytes: usize) -> String {
    format!(
        "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag>\
         <Size>{bytes}</Size></Contents>"
    )
}

async fn serve(listener: TcpListener, service: S3Service, shared: Arc<Shared>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (service, shared) = (service.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let (service, shared) = (service.clone(), Arc::clone(&shared));
                async move { Ok::<_, Infallible>(answer(request, &service, &shared).await) }
            });
            // A client that leaves is no error.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

async fn answer(request: Request<Incoming>, service: &S3Service, shared: &Shared) -> Response<Body> {
    let range = request.headers().get(header::RANGE).map_or("", |range| range.to_str().unwrap());
    let line = format!("{} {} {range}", request.method(), request.uri().path());
    shared.requests.lock().unwrap().push(line.trim_end().to_owned());
    // A listing asks the bucket, with a query.
    let is_listing = request.uri().query().is_some_and(|query| query.contains("list-type"));
    let is_for_bytes = request.method() == Method::GET && !is_listing;
    if let Some(page) = shared.page.lock().unwrap().clone().filter(|_| is_listing) {
        return whole(StatusCode::OK, page);
    }
    let writes = request.method() == Method::PUT;
    let faults = if writes { &shared.write_faults } else { &shared.faults };
    let fault = (is_for_bytes || writes).then(|| Shared::fault(faults)).flatten();
    let refused = |status: StatusCode, code: &str, message: &str| {
        let document = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
        whole(status, document.into())
    };
    match fault {
        Some(Fault::SlowDown) => {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.");
        }
        Some(Fault::InternalError) => {
            return refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "We encountered an internal error.");
        }
        Some(Fault::AccessDenied) => return refused(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"),
        Some(Fault::LongPage) => return whole(StatusCode::FORBIDDEN, vec![b'x'; LONG_BYTES].into()),
        Some(Fault::Silence(time)) => sleep(time).await,
        Some(Fault::CutShort | Fault::NoLength | Fault::Half) | None => {}
    }
    let (mut head, body) = service.call(request.map(s3s::Body::from)).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    match fault {
        Some(Fault::CutShort) => {
            let half = Ok(Frame::data(body.slice(..body.len() / 2)));
            let pieces = stream::iter([half, Err("the connection ends".into())]);
            Response::from_parts(head, StreamBody::new(pieces).boxed_unsync())
        }
        Some(Fault::NoLength) => {
            head.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(head, StreamBody::new(stream::iter([Ok(Frame::data(body))])).boxed_unsync())
        }
        Some(Fault::Half) => {
            let body = body.slice(..body.len() / 2);
            head.headers.insert(header::CONTENT_LENGTH, body.len().into());
            Response::from_parts(head, full(body))
        }
        _ => Response::from_parts(head, full(body)),
    }
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(Into::into).boxed_unsync()
}

fn whole(status: StatusCode, body: Bytes) -> Response<Body> {
    Response::builder().status(status).body(full(body)).unwrap()
}
