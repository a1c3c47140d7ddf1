//! SIGINT and SIGTERM during a replay.

use std::{
    io::Write as _,
    process,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use refiner_diagnostics::ExitCode;
use refiner_signals::shutdown_on_signal;
use refiner_terminal as terminal;
use tokio_util::sync::CancellationToken;

use crate::parallel::Interrupter;

/// Receiver of signals. The first one ends the work that is under way, or the process as long as no work has begun; the second ends the
/// process.
#[derive(Clone, Default)]
pub struct Signals(Arc<Mutex<Option<Interrupter>>>);

impl Signals {
    /// Listens from now on. Where no handler can be installed, the first signal ends the process, which the next run continues from as
    /// well. Returns when the handler stands.
    pub fn listen() -> Self {
        let signals = Self::default();
        let (installed, standing) = mpsc::channel::<()>();
        let of_thread = signals.clone();
        let listen = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
            runtime.block_on(async move {
                let stop = CancellationToken::new();
                let handler = shutdown_on_signal(&stop, || {});
                drop(installed);
                if handler.is_ok() {
                    stop.cancelled().await;
                    of_thread.interrupt();
                    // For the second signal.
                    std::future::pending::<()>().await;
                }
            });
        };
        // Without the thread a signal ends the process.
        drop(thread::Builder::new().name("signals".to_owned()).spawn(listen));
        // Nothing is sent: the other end is dropped.
        let _ = standing.recv();
        signals
    }

    /// Ends this work at the first signal.
    pub fn end(&self, work: Interrupter) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    fn interrupt(&self) {
        // Held until the process ends, so that no work begins meanwhile.
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*work {
            Some(work) => work.interrupt(),
            None => {
                // A closed standard error leaves no place to report to.
                let _ = writeln!(terminal::err(), "interrupted before the first specimen");
                process::exit(i32::from(ExitCode::Interrupted as u8));
            }
        }
    }
}

/// Ends this work at the first signal from now on.
pub fn interrupts(work: Interrupter) {
    Signals::listen().end(work);
}
