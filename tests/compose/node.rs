//! A node of this machine, for containers.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::engine::{Engine, must};

/// Makes a node on loopback reachable from containers; gives its URL for them.
pub async fn forward(engine: &Engine, url: &str) -> String {
    let gateway =
        must(&mut engine.docker(&["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]));
    let listener = TcpListener::bind((gateway.as_str(), 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut inner, _)) = listener.accept().await {
            let target = target.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = TcpStream::connect(target).await else { return };
                let _ = copy_bidirectional(&mut inner, &mut outer).await;
            });
        }
    });
    format!("http://host.docker.internal:{port}")
}
