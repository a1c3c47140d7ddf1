//! Connections, and how they end.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Limits,
    connections::{BusyBody, Connections, Place},
    write_timeout::WriteTimeoutStream,
};

/// Bytes that a connection reads ahead, and the most that a request's head has. hyper's own bound is six times this.
const BUFFER_BYTES: usize = 64 << 10;
/// After the system refused a connection, usually for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until `stop`, then waits for those that have a request.
pub(super) async fn accept(listeners: Vec<TcpListener>, router: Router, limits: Limits, stop: CancellationToken) {
    let connections = Arc::new(Connections::new(limits.connections));
    let mut accepting = JoinSet::new();
    let mut open = JoinSet::new();
    // One connection is on its way from the listeners at a time: what is not taken waits in the system's queues.
    let (sender, mut accepted) = mpsc::channel(1);
    for listener in listeners {
        let (connections, sender) = (Arc::clone(&connections), sender.clone());
        accepting.spawn(async move {
            loop {
                let stream = next(&listener, &connections).await;
                let place = connections.place().await;
                if sender.send((stream, place)).await.is_err() {
                    return;
                }
            }
        });
    }
    loop {
        let (stream, place) = tokio::select! {
            () = stop.cancelled() => break,
            Some(accepted) = accepted.recv() => accepted,
        };
        open.spawn(answer(stream, place, router.clone(), limits, stop.clone()));
        while open.try_join_next().is_some() {}
    }
    accepting.shutdown().await;
    let all = async { while open.join_next().await.is_some() {} };
    if timeout(limits.drain, all).await.is_err() {
        tracing::warn!("requests given up at the end of the shutdown timeout");
    }
}

/// The next connection.
async fn next(listener: &TcpListener, connections: &Connections) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                // There may be fewer descriptors than places.
                connections.close_oldest();
                sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, place: Arc<Place>, router: Router, limits: Limits, stop: CancellationToken) {
    // An answer goes out in large pieces; none waits for the next.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let requests = Arc::clone(&place);
    let service = service_fn(move |request: Request<Incoming>| {
        let busy = requests.request();
        let response = service.call(request);
        async move { Ok::<_, Infallible>(response.await?.map(|body| BusyBody::new(body, busy))) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(BUFFER_BYTES)
        .header_read_timeout(limits.idle)
        .serve_connection(TokioIo::new(WriteTimeoutStream::new(stream, limits.idle)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.closed() => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broke");
    }
}
