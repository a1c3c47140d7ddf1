//! The way out: the first signal ends the daemon when its work is done or its time over, the second at once.

use std::{io, time::Duration};

use refiner_signals::shutdown_on_signal;
use tokio_util::sync::CancellationToken;

use crate::observe::status::Status;

/// Cancels `stop` on SIGTERM, SIGINT or SIGHUP; a second SIGTERM or SIGINT ends the process.
pub fn on_signals(stop: &CancellationToken, status: &Status) -> io::Result<()> {
    let status = status.clone();
    shutdown_on_signal(stop, move || {
        tracing::info!("shutting down, no new work is begun");
        status.now().stopping = true;
    })
}

/// Ends when `allowed` has passed since `stop`.
pub async fn deadline(stop: &CancellationToken, allowed: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(allowed).await;
}
