//! Connections, from their begin to their end.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::Request,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use hyper::{
    body::{Frame, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Access, Limits,
    connections::{Connection, ConnectionSlot, Connections},
    stream::WriteTimeoutStream,
};

/// Bytes that a connection reads ahead, and the most that a request's head has. hyper's own bound is six times this.
const BUFFER_BYTES: usize = 64 << 10;
/// After the system refused a connection, usually for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves on all `listeners` until `stop`, and then until the requests under way have ended or [`Limits::drain`] is over.
pub async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    limits: Limits,
    access: Access,
    stop: CancellationToken,
) {
    let addresses = listeners.iter().filter_map(|listener| Some(listener.local_addr().ok()?.ip()));
    let access = Arc::new(access.on(addresses));
    let connections = Connections::new(&limits);
    let mut open = JoinSet::new();
    for number in 0.. {
        let next = async {
            let accepted = accept(&listeners).await;
            match accepted {
                Ok((stream, _)) => Ok((stream, connections.place(number, limits).await)),
                Err(error) => Err(error),
            }
        };
        let next = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        match next {
            Ok((stream, slot)) => {
                open.spawn(answer(stream, slot, router.clone(), limits, Arc::clone(&access), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                sleep(PAUSE).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    drop(listeners);
    let all = async { while open.join_next().await.is_some() {} };
    if timeout(limits.drain, all).await.is_err() {
        tracing::warn!("requests still under way are given up");
    }
}

/// The next connection of any listener.
async fn accept(listeners: &[TcpListener]) -> std::io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|cx| {
        let accepted = listeners.iter().map(|listener| listener.poll_accept(cx)).find(Poll::is_ready);
        accepted.unwrap_or(Poll::Pending)
    })
    .await
}

async fn answer(
    stream: TcpStream,
    slot: ConnectionSlot,
    router: Router,
    limits: Limits,
    access: Arc<Access>,
    stop: CancellationToken,
) {
    // An answer goes out in large pieces; none waits for the next.
    let _ = stream.set_nodelay(true);
    let open = Arc::clone(&slot.connection);
    let routes = TowerToHyperService::new(router);
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        open.on_request();
        let admitted = access.check(request.uri(), request.headers());
        let (routes, answered) = (&routes, Answered(Arc::clone(&open)));
        async move {
            let response = match admitted {
                Ok(()) => routed(routes, request.map(Body::new)).await,
                Err(forbidden) => {
                    tracing::info!(reason = %forbidden, "request refused");
                    forbidden.into_response()
                }
            };
            Ok::<_, Infallible>(response.map(|body| Tracked { body, _answered: answered }))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).max_buf_size(BUFFER_BYTES).header_read_timeout(limits.idle);
    let stream = WriteTimeoutStream::new(stream, Arc::clone(&open), limits.write);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => return log(ended),
        reason = open.ended() => return tracing::debug!(?reason, "connection closed"),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = connection => log(ended),
        reason = open.ended() => tracing::debug!(?reason, "connection closed"),
    }
}

async fn routed(routes: &TowerToHyperService<Router>, request: Request) -> Response {
    match hyper::service::Service::call(routes, request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broke");
    }
}

/// Notes when it is dropped that a request is over.
struct Answered(Arc<Connection>);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.on_answered();
    }
}

/// An answer's body, until its last piece was taken over by the connection.
struct Tracked {
    body: Body,
    _answered: Answered,
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
