//! A double of ipfs-pinner and ewm-das over real sockets, with their faults on command (docs/protocol.md, section 2).
//!
//! It names content by its own reading of the profile, so that the program's can be checked against it. Also answers as a gateway
//! (`/ipfs/<id>`), and anything at all on the paths of [`PinnerDouble::serve_at`].

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

mod tree;

pub use self::tree::content_id;
use crate::{
    ANY_PORT, Loopback,
    request::{Request, files, read_head},
};

/// Most bytes of a request. Tests upload less.
const REQUEST_BYTES_MAX: usize = 256 << 20;
/// Bytes of an answer that has no end, as far as a client could tell.
const ENDLESS_BYTES: u64 = 1 << 30;
/// Between two bytes of a trickle.
const TRICKLE: Duration = Duration::from_millis(20);

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// The route `/upload` of pinners.
    Upload,
    /// The route `/cid` of pinners.
    Cid,
    /// The route `/get` of pinners.
    Get,
    /// The route `/health` of pinners.
    Health,
    /// Any other path, such as a gateway's.
    Other,
}

impl Route {
    fn of(target: &str) -> Self {
        match target.split('?').next() {
            Some("/upload") => Self::Upload,
            Some("/cid") => Self::Cid,
            Some("/get") => Self::Get,
            Some("/health") => Self::Health,
            _ => Self::Other,
        }
    }
}

/// Faults of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 200 with an empty body.
    Empty,
    /// 200 and another file's object before and after the right one, nothing between.
    Concatenated,
    /// 200, the right object, and an error's text after it.
    ErrorAfterwards,
    /// 500 and JSON whose text is not escaped.
    InvalidJson,
    /// 500, `text/plain`, a panic's text.
    Panic,
    /// 200 and the id of something else.
    WrongCid,
    /// Reads the request and never answers.
    Stall,
    /// Begins to answer and stops.
    StallInAnswer,
    /// Answers a byte at a time.
    Trickle,
    /// Reads a part of the request and closes: the process died.
    DieInRequest,
    /// Closes when half of the stated length is sent.
    DieInAnswer,
    /// Sends a gigabyte without saying so.
    Endless,
    /// Announces that a gigabyte comes.
    EndlessStated,
    /// 206 and the first half.
    Partial,
    /// Redirects with 302 to itself.
    RedirectLoop,
    /// 302 to this URL.
    Redirect(String),
    /// The right bytes with one bit turned.
    Flipped,
    /// This status and text.
    Status(u16, String),
}

/// A pinner on a loopback port, until it is dropped.
#[derive(Debug)]
pub struct PinnerDouble {
    shared: Arc<Shared>,
    server: Loopback,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    sent_bytes: AtomicU64,
    hung_up: (Mutex<bool>, Condvar),
}

#[derive(Debug, Default)]
struct State {
    content: HashMap<String, Vec<u8>>,
    fixed: HashMap<String, (u16, Vec<u8>)>,
    faults: HashMap<Route, (Fault, usize)>,
    faults_at: HashMap<String, Fault>,
    requests: Vec<String>,
    faulted: HashMap<Route, u64>,
}

impl PinnerDouble {
    /// Starts on a free port.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn start() -> io::Result<Self> {
        Self::start_on(ANY_PORT)
    }

    /// Starts on this address, for one that comes back where it was.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn start_on(address: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        Ok(Self { shared, server: Loopback::start(address, move |stream| serving.serve(stream))? })
    }

    /// Base URL of the pinner.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Address on which it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every request of this route goes wrong, until [`mend`](Self::mend).
    pub fn fault(&self, route: Route, fault: Fault) {
        self.fault_times(route, fault, usize::MAX);
    }

    /// The next `times` requests of this route go wrong.
    pub fn fault_times(&self, route: Route, fault: Fault, times: usize) {
        self.shared.state().faults.insert(route, (fault, times));
    }

    /// Every request for this path and query goes wrong.
    pub fn fault_at(&self, path: &str, fault: Fault) {
        self.shared.state().faults_at.insert(path.to_owned(), fault);
    }

    /// Requests of this route go right again.
    pub fn mend(&self, route: Route) {
        self.shared.state().faults.remove(&route);
    }

    /// The number of requests of this route that went wrong.
    #[must_use]
    pub fn faulted(&self, route: Route) -> u64 {
        self.shared.state().faulted.get(&route).copied().unwrap_or_default()
    }

    /// Holds content as if it had been uploaded, and names it.
    pub fn put(&self, content: &[u8]) -> String {
        let id = content_id(content);
        self.shared.state().content.insert(id.clone(), content.to_vec());
        id
    }

    /// Gives this content for an id, whether it is its own or not.
    pub fn put_as(&self, id: &str, content: &[u8]) {
        self.shared.state().content.insert(id.to_owned(), content.to_vec());
    }

    /// Answers this path and query so.
    pub fn serve_at(&self, path: &str, status: u16, body: &[u8]) {
        self.shared.state().fixed.insert(path.to_owned(), (status, body.to_vec()));
    }

    /// The content that it holds.
    #[must_use]
    pub fn content(&self, id: &str) -> Option<Vec<u8>> {
        self.shared.state().content.get(id).cloned()
    }

    /// The requests that came, `POST /upload`, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.state().requests.clone()
    }

    /// Waits until a client hung up on an answer that stalled. False when none did in time.
    #[must_use]
    pub fn sees_hang_up(&self, within: Duration) -> bool {
        let (hung_up, changed) = &self.shared.hung_up;
        let hung_up = hung_up.lock().unwrap_or_else(PoisonError::into_inner);
        let (hung_up, _) =
            changed.wait_timeout_while(hung_up, within, |hung_up| !*hung_up).unwrap_or_else(PoisonError::into_inner);
        *hung_up
    }

    /// Bytes of answers that the system took from it.
    #[must_use]
    pub fn sent_bytes(&self) -> u64 {
        self.shared.sent_bytes.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut request, length) = read_head(&mut stream)?;
        let fault = self.take_fault(&request.target);
        self.state().requests.push(format!("{} {}", request.method, request.target));
        if fault == Some(Fault::DieInRequest) {
            // Unread bytes make the system answer with a reset.
            let mut some = vec![0; length.min(1024)];
            stream.read_exact(&mut some)?;
            return stream.shutdown(Shutdown::Both);
        }
        request.body = vec![0; length.min(REQUEST_BYTES_MAX)];
        stream.read_exact(&mut request.body)?;
        let (status, body) = self.answer(&request);
        self.send(&mut stream, &request, fault, status, body)
    }

    fn take_fault(&self, target: &str) -> Option<Fault> {
        let mut state = self.state();
        if let Some(fault) = state.faults_at.get(target) {
            return Some(fault.clone());
        }
        let route = Route::of(target);
        let (fault, times) = state.faults.get_mut(&route).filter(|(_, times)| *times > 0)?;
        *times = times.saturating_sub(usize::from(*times != usize::MAX));
        let fault = fault.clone();
        *state.faulted.entry(route).or_default() += 1;
        Some(fault)
    }

    fn answer(&self, request: &Request) -> (u16, Vec<u8>) {
        let mut state = self.state();
        if let Some(fixed) = state.fixed.get(&request.target) {
            return fixed.clone();
        }
        match Route::of(&request.target) {
            Route::Upload | Route::Cid => {
                let Some(boundary) = request.content_type.strip_prefix("multipart/form-data; boundary=") else {
                    return (500, br#"{"error": "request Content-Type isn't multipart/form-data"}"#.to_vec());
                };
                let mut answer = String::new();
                for file in files(&request.body, boundary.trim_matches('"')) {
                    let id = content_id(file);
                    answer.push_str(&object(&id));
                    if Route::of(&request.target) == Route::Upload {
                        state.content.insert(id, file.to_vec());
                    }
                }
                (200, answer.into_bytes())
            }
            Route::Get => {
                let id = request.target.split_once("cid=").map_or("", |(_, id)| id);
                match state.content.get(id) {
                    _ if id.is_empty() => (200, Vec::new()),
                    Some(content) => (200, content.clone()),
                    None => (500, br#"{"error": "Failed to extract data from IPFS"}"#.to_vec()),
                }
            }
            Route::Health => (200, b"I'm healthy".to_vec()),
            Route::Other => {
                let id = request.target.strip_prefix("/ipfs/").unwrap_or_default();
                state.content.get(id).map_or((404, b"not found".to_vec()), |content| (200, content.clone()))
            }
        }
    }

    fn send(
        &self,
        stream: &mut TcpStream,
        request: &Request,
        fault: Option<Fault>,
        status: u16,
        body: Vec<u8>,
    ) -> io::Result<()> {
        let other = || object(&content_id(b"somebody else's")).into_bytes();
        let length = body.len();
        match fault {
            None => self.whole(stream, status, "", &body),
            Some(Fault::Empty) => self.whole(stream, 200, "", b""),
            Some(Fault::Concatenated) => self.whole(stream, 200, "", &[other(), body, other()].concat()),
            Some(Fault::ErrorAfterwards) => {
                self.whole(stream, 200, "", &[body, br#"{"error": "disk quota exceeded"}"#.to_vec()].concat())
            }
            Some(Fault::InvalidJson) => {
                self.whole(stream, 500, "", b"{\"error\": \"open \"/root/.ipfs\": no such file\n\"}")
            }
            Some(Fault::Panic) => self.whole(
                stream,
                500,
                "Content-Type: text/plain\r\n",
                b"runtime error: invalid memory address or nil pointer dereference\n",
            ),
            Some(Fault::WrongCid) => self.whole(stream, 200, "", &other()),
            Some(Fault::Stall) => self.until_hung_up(stream),
            Some(Fault::StallInAnswer) => {
                self.head(stream, status, &format!("Content-Length: {}\r\n", length.max(2)))?;
                self.write(stream, &body[..length / 2])?;
                self.until_hung_up(stream)
            }
            Some(Fault::Trickle) => {
                self.head(stream, status, &format!("Content-Length: {length}\r\n"))?;
                for byte in &body {
                    self.write(stream, &[*byte])?;
                    thread::sleep(TRICKLE);
                }
                Ok(())
            }
            Some(Fault::DieInRequest) => stream.shutdown(Shutdown::Both),
            Some(Fault::DieInAnswer) => {
                self.head(stream, status, &format!("Content-Length: {}\r\n", length.max(2)))?;
                self.write(stream, &body[..length / 2])
            }
            Some(Fault::Endless) => self.endless(stream, ""),
            Some(Fault::EndlessStated) => self.endless(stream, &format!("Content-Length: {ENDLESS_BYTES}\r\n")),
            Some(Fault::Partial) => {
                let range = format!("Content-Range: bytes 0-{}/{length}\r\n", length / 2);
                self.whole(stream, 206, &range, &body[..length / 2])
            }
            Some(Fault::RedirectLoop) => self.whole(stream, 302, &format!("Location: {}\r\n", request.target), b""),
            Some(Fault::Redirect(url)) => self.whole(stream, 302, &format!("Location: {url}\r\n"), b""),
            Some(Fault::Flipped) => {
                let mut body = body;
                if let Some(byte) = body.get_mut(length / 2) {
                    *byte ^= 1;
                }
                self.whole(stream, status, "", &body)
            }
            Some(Fault::Status(status, text)) => self.whole(stream, status, "", text.as_bytes()),
        }
    }

    fn whole(&self, stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
        self.head(stream, status, &format!("{headers}Content-Length: {}\r\n", body.len()))?;
        self.write(stream, body)
    }

    fn head(&self, stream: &mut TcpStream, status: u16, headers: &str) -> io::Result<()> {
        let warning = r#"Warning: 199 - "Deprecated API: Please use /api/v1/… instead""#;
        let head = format!("HTTP/1.1 {status} Double\r\nConnection: close\r\n{warning}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes())
    }

    fn write(&self, stream: &mut TcpStream, body: &[u8]) -> io::Result<()> {
        stream.write_all(body)?;
        self.sent_bytes.fetch_add(body.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    fn until_hung_up(&self, stream: &mut TcpStream) -> io::Result<()> {
        while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
        *self.hung_up.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.hung_up.1.notify_all();
        Ok(())
    }

    fn endless(&self, stream: &mut TcpStream, headers: &str) -> io::Result<()> {
        self.head(stream, 200, headers)?;
        let piece = vec![b'x'; 64 << 10];
        for _ in 0..ENDLESS_BYTES / piece.len() as u64 {
            self.write(stream, &piece)?;
        }
        Ok(())
    }
}

fn object(id: &str) -> String {
    format!("{{\"cid\": \"{id}\"}}")
}
