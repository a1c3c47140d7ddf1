//! A server on a loopback port: a thread for each connection, and all of it ended with its value.

use std::{
    collections::HashMap,
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Any free port of loopback.
pub const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The listening part of a double.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    open: Arc<Open>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Open {
    ended: AtomicBool,
    connections: Mutex<HashMap<u64, TcpStream>>,
}

impl Loopback {
    /// Hands every connection to `serve`, which is ended by a socket that no longer works.
    pub fn start<F>(address: SocketAddr, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let (open, serve) = (Arc::new(Open::default()), Arc::new(serve));
        let accepting = Arc::clone(&open);
        let thread = thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming()) {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                if let Ok(connection) = stream.try_clone() {
                    accepting.connections().insert(number, connection);
                }
                let (open, serve) = (Arc::clone(&accepting), Arc::clone(&serve));
                thread::spawn(move || {
                    // A client that hangs up is the point of many tests.
                    drop(serve(stream));
                    if let Some(connection) = open.connections().remove(&number) {
                        drop(connection.shutdown(Shutdown::Both));
                    }
                });
            }
        });
        Ok(Self { address, open, thread: Some(thread) })
    }

    /// The address that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Open {
    fn connections(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.open.ended.store(true, Ordering::SeqCst);
        for connection in self.open.connections().values() {
            drop(connection.shutdown(Shutdown::Both));
        }
        // It waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
