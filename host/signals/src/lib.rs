//! SIGTERM and SIGINT: the first asks to finish, the second ends the process at once.
//!
//! * **Inputs**: signals to this process, within a runtime.
//! * **Outputs**: a cancelled token.
//! * **Invariants**: a service that does not come to its end is ended by the second signal.
//!
//! ```
//! use refiner_signals::shutdown_on_signal;
//! use tokio_util::sync::CancellationToken;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let stop = CancellationToken::new();
//! shutdown_on_signal(&stop, || tracing::info!("stopping"))?;
//! assert!(!stop.is_cancelled());
//! # Ok::<_, std::io::Error>(())
//! # })?;
//! # Ok::<_, std::io::Error>(())
//! ```

use std::{io, process};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports for a program that SIGTERM ended.
const ABORTED: i32 = 128 + 15;

/// From now on the first signal calls `on_signal` and cancels `stop`; the second ends the process. Needs a runtime.
pub fn shutdown_on_signal(stop: &CancellationToken, on_signal: impl Fn() + Send + 'static) -> io::Result<()> {
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(listen(signals, stop.clone(), on_signal));
    Ok(())
}

async fn listen((mut terminate, mut interrupt): (Signal, Signal), stop: CancellationToken, on_signal: impl Fn()) {
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if stop.is_cancelled() {
            tracing::warn!("second signal: ending at once");
            process::exit(ABORTED);
        }
        on_signal();
        stop.cancel();
    }
}
