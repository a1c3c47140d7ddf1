//! A double of the network's evm-server over real sockets, with its faults on command (docs/protocol.md, section 3).
//!
//! It executes nothing: it gives the answers that it was taught, and only to exactly the JSON of the block they are of. Who teaches it right
//! answers has a good server.

mod fault;

use std::{
    collections::HashMap,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use self::fault::Fault;
use refiner_loopback::{
    ANY_PORT, Loopback,
    request::{Request, files, read_head},
};

/// Most bytes of a request. The largest specimen's JSON has a few dozen MB.
const REQUEST_BYTES_MAX: usize = 256 << 20;
/// Bytes of an answer that has no end, as far as a client could tell.
const ENDLESS_BYTES: usize = 1 << 30;

/// An evm-server on a loopback port, until it is dropped.
#[derive(Debug)]
pub struct EvmServerDouble {
    shared: Arc<Shared>,
    server: Loopback,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Notified when something of the state changes that a test may wait for.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By the JSON of the block.
    answers: HashMap<Vec<u8>, Vec<u8>>,
    /// The fault, and how many times more.
    fault: Option<(Fault, usize)>,
    sick: bool,
    released: bool,
    processed: usize,
}

impl EvmServerDouble {
    /// Starts on a free port.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        Ok(Self { shared, server: Loopback::start(ANY_PORT, move |stream| serving.serve(stream))? })
    }

    /// Base URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// From now on it answers the block of this specimen so.
    ///
    /// # Panics
    ///
    /// When the bytes are no specimen.
    pub fn teach(&self, specimen: &[u8], answer: &[u8]) {
        let json = match refiner_specimen::data_json(specimen) {
            Ok(json) => json.to_string().into_bytes(),
            Err(error) => panic!("the double can be taught specimens only: {error}"),
        };
        self.shared.state().answers.insert(json, answer.to_vec());
    }

    /// Every request goes wrong, until [`mend`](Self::mend).
    pub fn fault(&self, fault: Fault) {
        self.fault_times(fault, usize::MAX);
    }

    /// The next `times` requests go wrong.
    pub fn fault_times(&self, fault: Fault, times: usize) {
        self.shared.state().fault = Some((fault, times));
    }

    /// Requests go right again, those that are held included, and it is well.
    pub fn mend(&self) {
        let mut state = self.shared.state();
        state.fault = None;
        state.sick = false;
        state.released = true;
        self.shared.changed.notify_all();
    }

    /// From now on `/health` reports that it is not well, as after `/sabotage`.
    pub fn sabotage(&self) {
        self.shared.state().sick = true;
    }

    /// Requests of `/process` that came.
    #[must_use]
    pub fn processed(&self) -> usize {
        self.shared.state().processed
    }

    /// Waits until this many requests of `/process` came. False when they did not in time.
    #[must_use]
    pub fn sees_requests(&self, count: usize, within: Duration) -> bool {
        let waited = self.shared.changed.wait_timeout_while(self.shared.state(), within, |it| it.processed < count);
        waited.unwrap_or_else(PoisonError::into_inner).0.processed >= count
    }
}

impl Drop for EvmServerDouble {
    fn drop(&mut self) {
        // Requests that are held hold threads.
        self.mend();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut request, length) = read_head(&mut stream)?;
        let fault = if request.target == "/process" { self.counted() } else { None };
        if fault == Some(Fault::DieInRequest) {
            // Unread bytes make the system answer with a reset.
            stream.read_exact(&mut vec![0; length.min(1024)])?;
            return stream.shutdown(Shutdown::Both);
        }
        request.body = vec![0; length.min(REQUEST_BYTES_MAX)];
        stream.read_exact(&mut request.body)?;
        let (status, body) = self.answer(&request);
        match fault {
            None => whole(&mut stream, status, "", &body),
            Some(fault) => self.go_wrong(&mut stream, &fault, status, &body),
        }
    }

    /// Counts a request, and gives its fault.
    fn counted(&self) -> Option<Fault> {
        let mut state = self.state();
        state.processed += 1;
        state.released = false;
        self.changed.notify_all();
        let (fault, times) = state.fault.as_mut().filter(|(_, times)| *times > 0)?;
        *times = times.saturating_sub(usize::from(*times != usize::MAX));
        Some(fault.clone())
    }

    fn answer(&self, request: &Request) -> (u16, Vec<u8>) {
        let state = self.state();
        match request.target.as_str() {
            "/process" => {
                let Some(boundary) = request.content_type.strip_prefix("multipart/form-data; boundary=") else {
                    return (500, br#"{"error": "request Content-Type isn't multipart/form-data"}"#.to_vec());
                };
                let json = files(&request.body, boundary.trim_matches('"')).concat();
                let untaught = || (500, br#"{"error": "error on EBE: nobody taught the double this block"}"#.to_vec());
                state.answers.get(&json).map_or_else(untaught, |answer| (200, answer.clone()))
            }
            "/health" if state.sick => (500, b"Internal Error".to_vec()),
            "/health" => (200, b"I'm healthy".to_vec()),
            _ => (404, b"404 page not found\n".to_vec()),
        }
    }

    fn go_wrong(&self, stream: &mut TcpStream, fault: &Fault, status: u16, body: &[u8]) -> io::Result<()> {
        let half = body.len() / 2;
        match fault {
            Fault::DieInRequest => stream.shutdown(Shutdown::Both),
            Fault::Stall => until_hung_up(stream),
            Fault::Hold => {
                let held = self.changed.wait_while(self.state(), |state| !state.released);
                drop(held.unwrap_or_else(PoisonError::into_inner));
                whole(stream, status, "", body)
            }
            Fault::StallInAnswer => {
                head(stream, status, &format!("Content-Length: {}\r\n", body.len()))?;
                stream.write_all(&body[..half])?;
                until_hung_up(stream)
            }
            Fault::DieInAnswer => {
                head(stream, status, &format!("Content-Length: {}\r\n", body.len()))?;
                stream.write_all(&body[..half])
            }
            Fault::Truncated => {
                head(stream, status, "")?;
                stream.write_all(&body[..half])
            }
            Fault::Endless => {
                head(stream, 200, "")?;
                let piece = vec![b' '; 64 << 10];
                (0..ENDLESS_BYTES / piece.len()).try_for_each(|_| stream.write_all(&piece))
            }
            Fault::EndlessStated => whole_stated(stream, ENDLESS_BYTES),
            Fault::Partial => {
                whole(stream, 206, &format!("Content-Range: bytes 0-{half}/{}\r\n", body.len()), &body[..half])
            }
            Fault::Empty => whole(stream, 200, "", b""),
            other => {
                let (status, body) = other.answer(body, self.state().answers.values());
                whole(stream, status, "Content-Type: text/plain; charset=utf-8\r\n", &body)
            }
        }
    }
}

fn whole(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    head(stream, status, &format!("{headers}Content-Length: {}\r\n", body.len()))?;
    stream.write_all(body)
}

fn whole_stated(stream: &mut TcpStream, bytes: usize) -> io::Result<()> {
    head(stream, 200, &format!("Content-Length: {bytes}\r\n"))?;
    until_hung_up(stream)
}

fn head(stream: &mut TcpStream, status: u16, headers: &str) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 {status} Double\r\nConnection: close\r\n{headers}\r\n").as_bytes())
}

fn until_hung_up(stream: &mut TcpStream) -> io::Result<()> {
    while stream.read(&mut [0; 1024])? > 0 {}
    Ok(())
}
