//! The way out: the first signal ends the daemon when its work is done or its time over, the second at once.

use std::{io, process, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::status::Status;

/// What a shell reports for a program that SIGTERM ended.
const ABORTED: i32 = 128 + 15;

/// Cancels `stop` on SIGTERM or SIGINT; the second of them ends the process.
pub fn on_signals(stop: &CancellationToken, status: &Status) -> io::Result<()> {
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(listen(terminate, interrupt, stop.clone(), status.clone()));
    Ok(())
}

async fn listen(mut terminate: Signal, mut interrupt: Signal, stop: CancellationToken, status: Status) {
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if stop.is_cancelled() {
            tracing::warn!("Told twice to stop: ending at once.");
            process::exit(ABORTED);
        }
        tracing::info!("Told to stop: nothing new is begun.");
        status.now().stopping = true;
        stop.cancel();
    }
}

/// Ends when `allowed` has passed since `stop`.
pub async fn deadline(stop: &CancellationToken, allowed: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(allowed).await;
}
