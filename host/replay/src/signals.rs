//! SIGINT and SIGTERM during a replay.

use std::{sync::mpsc, thread};

use refiner_signals::shutdown_on_signal;
use tokio_util::sync::CancellationToken;

use crate::parallel::Interrupter;

/// Ends the work at the first signal; the second ends the process. Where no handler can be installed, the first one ends the
/// process, which the next run continues from as well. Returns when the handler stands.
pub fn interrupts(interrupter: Interrupter) {
    let (installed, standing) = mpsc::channel::<()>();
    let listen = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async move {
            let stop = CancellationToken::new();
            let handler = shutdown_on_signal(&stop, || {});
            drop(installed);
            if handler.is_ok() {
                stop.cancelled().await;
                interrupter.interrupt();
                // For the second signal.
                std::future::pending::<()>().await;
            }
        });
    };
    // Without the thread a signal ends the process.
    drop(thread::Builder::new().name("signals".to_owned()).spawn(listen));
    // Nothing is sent: the other end is dropped.
    let _ = standing.recv();
}
