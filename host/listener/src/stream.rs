//! A connection that is given up when its client takes too little for too long.
//!
//! hyper bounds the time of a request's head; nothing in it bounds the time of an answer.

use std::{
    future::Future as _,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use crate::connections::Connection;

/// Bytes that a client takes within the time limit, unless less is left.
const LEAST_BYTES: usize = 64 << 10;

/// A connection with a least rate for what it writes.
pub(crate) struct WriteTimeoutStream {
    stream: TcpStream,
    connection: Arc<Connection>,
    patience: Duration,
    /// The time limit of the present window, which begins when a write first has to wait.
    until: Option<Pin<Box<Sleep>>>,
    /// Bytes that were taken within the window.
    taken: usize,
}

impl WriteTimeoutStream {
    pub(crate) const fn new(stream: TcpStream, connection: Arc<Connection>, patience: Duration) -> Self {
        Self { stream, connection, patience, until: None, taken: 0 }
    }

    fn written(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.taken += bytes;
            if self.taken >= LEAST_BYTES {
                self.end_window();
            }
        }
        if self.until.is_none() && written.is_ready() {
            return written;
        }
        let patience = self.patience;
        let until = self.until.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        if written.is_ready() && until.deadline() > Instant::now() {
            return written;
        }
        ready!(until.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }

    fn end_window(&mut self) {
        (self.until, self.taken) = (None, 0);
    }
}

impl AsyncRead for WriteTimeoutStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.connection.on_bytes();
        }
        read
    }
}

impl AsyncWrite for WriteTimeoutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Called when all that was to be written is with the system.
        self.end_window();
        self.connection.on_flushed();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
