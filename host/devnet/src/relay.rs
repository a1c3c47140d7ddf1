//! A way to the node that can fail, as that to a provider does.

use std::net::{IpAddr, SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::node::free_port;

/// The answer of a provider that is overloaded.
const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 11\r\nconnection: close\r\n\r\noverloaded\n";
/// A request's first bytes are read before it is answered, so that the answer is not lost.
const REQUEST_BYTES: usize = 64 << 10;

pub struct Relay {
    address: SocketAddr,
    fails: watch::Sender<bool>,
}

impl Relay {
    pub async fn start(listen: IpAddr, node: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(free_port(listen, 8_545)?).await?;
        let address = listener.local_addr()?;
        let (fails, watched) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, node, watched.clone()));
            }
        });
        Ok(Self { address, fails })
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on every request fails, or none does.
    pub fn set_failing(&self, fails: bool) {
        self.fails.send_replace(fails);
    }
}

async fn serve(mut client: TcpStream, node: SocketAddr, mut fails: watch::Receiver<bool>) {
    if *fails.borrow_and_update() {
        let mut request = vec![0; REQUEST_BYTES];
        let _ = client.read(&mut request).await;
        let _ = client.write_all(UNAVAILABLE).await;
        return;
    }
    let Ok(mut to_node) = TcpStream::connect(node).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut to_node) => {}
        _ = fails.changed() => {}
    }
}
