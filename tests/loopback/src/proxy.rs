//! An HTTP proxy on loopback: forwards requests in absolute form, opens tunnels, and fails on command.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{ANY_PORT, Loopback};

/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The manner in which the proxy treats requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Forwards each request to the host that it names.
    #[default]
    Forwards,
    /// Forwards those with this `Proxy-Authorization`, and answers 407 to the others.
    Asks(String),
    /// Answers each with this status and a page for people.
    ShowsPage(u16),
}

/// A proxy that knows the hosts it is given, and no others.
#[derive(Debug)]
pub struct ProxyDouble {
    listening: Loopback,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    manner: Manner,
    hosts: HashMap<String, SocketAddr>,
    requests: Vec<String>,
}

impl ProxyDouble {
    /// Starts to listen on a free port.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn start() -> io::Result<Self> {
        Self::start_at(ANY_PORT)
    }

    /// Starts at an address, such as that of one that ended.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn start_at(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let serving = Arc::clone(&state);
        Ok(Self { listening: Loopback::start(address, move |stream| serve(stream, &serving))?, state })
    }

    /// The address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// The URL by which clients name it.
    pub fn url(&self) -> String {
        self.listening.url()
    }

    /// Gives a host's name its address.
    pub fn knows(&self, host: &str, address: SocketAddr) {
        lock(&self.state).hosts.insert(host.to_owned(), address);
    }

    /// Changes the manner of the next requests.
    pub fn set(&self, manner: Manner) {
        lock(&self.state).manner = manner;
    }

    /// Method and target of every request so far.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state).requests.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one request of a connection.
fn serve(mut client: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let manner = {
        let mut state = lock(state);
        state.requests.push(format!("{method} {target}"));
        state.manner.clone()
    };
    let body = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut sent = vec![0; body];
    client.read_exact(&mut sent)?;
    match manner {
        Manner::Asks(wanted) if header(&head, "proxy-authorization") != Some(wanted.as_str()) => {
            return answer(&mut client, 407, "proxy-authenticate: Basic realm=\"test\"\r\n", "who are you?");
        }
        Manner::ShowsPage(status) => {
            return answer(&mut client, status, "content-type: text/html; charset=utf-8\r\n", "<html>Welcome</html>");
        }
        Manner::Forwards | Manner::Asks(_) => {}
    }
    let authority = target.strip_prefix("http://").unwrap_or(target);
    let (authority, path) = authority.find('/').map_or((authority, "/"), |at| authority.split_at(at));
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let Some(address) = lock(state).hosts.get(host).copied() else {
        return answer(&mut client, 502, "", "no such host");
    };
    let mut upstream = TcpStream::connect(address)?;
    if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let (from, to) = (client.try_clone()?, upstream.try_clone()?);
        thread::spawn(move || copy(from, to));
    } else {
        let kept = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default();
            !name.eq_ignore_ascii_case("connection") && !name.to_ascii_lowercase().starts_with("proxy-")
        };
        let headers: String = head.lines().skip(1).filter(kept).map(|line| format!("{line}\r\n")).collect();
        let headers = headers.trim_end();
        write!(upstream, "{method} {path} HTTP/1.1\r\n{headers}\r\nconnection: close\r\n\r\n")?;
        upstream.write_all(&sent)?;
    }
    copy(upstream, client);
    Ok(())
}

/// Copies until either ends. A socket that no longer works is an end like any other.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Both));
}

fn answer(client: &mut TcpStream, status: u16, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(client, "HTTP/1.1 {status} Status\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
