//! Work on a thread of its own, while the interpreter goes on and looks for signals.

use std::{
    process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use pyo3::{PyResult, Python};
use refiner_replay::Interrupter;

use crate::failure;

/// Interval of looks for signals: what Ctrl-C waits for at most.
const SIGNALS_EVERY: Duration = Duration::from_millis(50);

/// The process of the first replay; 0 before there is one.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Makes this process the one that replays. A fork of it has a copy of its memory and none of its threads, so that whatever waits for one of
/// them waits for ever: the engine's, which compile rules, among others.
pub fn replays_here(py: Python<'_>) -> PyResult<()> {
    match PROCESS.compare_exchange(0, process::id(), Ordering::Relaxed, Ordering::Relaxed) {
        Err(_) if is_forked() => Err(failure::forked(py)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// True in a process that was forked after a replay began.
pub fn is_forked() -> bool {
    let first = PROCESS.load(Ordering::Relaxed);
    first != 0 && first != process::id()
}

/// A way to end a replay, also before it has begun.
#[derive(Clone, Default)]
pub struct StopHandle(Arc<Mutex<Standing>>);

#[derive(Default)]
struct Standing {
    stopped: bool,
    interrupter: Option<Interrupter>,
}

impl StopHandle {
    /// Ends the replay: at once where it runs, else when it begins.
    pub fn stop(&self) {
        let mut standing = self.lock();
        standing.stopped = true;
        if let Some(interrupter) = &standing.interrupter {
            interrupter.interrupt();
        }
    }

    /// Takes the interrupter of a replay that begins.
    pub fn begun(&self, interrupter: Interrupter) {
        let mut standing = self.lock();
        if standing.stopped {
            interrupter.interrupt();
        }
        standing.interrupter = Some(interrupter);
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does the work on a thread of its own and waits for it without the interpreter's lock. A signal whose handler raises, such as Ctrl-C,
/// ends the wait with that exception, and the work when it next looks.
pub fn waiting<T: Send + 'static>(py: Python<'_>, work: impl FnOnce(&StopHandle) -> T + Send + 'static) -> PyResult<T> {
    let (sender, mut receiver) = mpsc::channel();
    let stop = StopHandle::default();
    let theirs = stop.clone();
    let begun = thread::Builder::new().name("refiner".to_owned()).spawn(move || {
        // Without a receiver there was a signal.
        let _ = sender.send(work(&theirs));
    });
    begun.map_err(|error| failure::internal(py, &format!("cannot start a thread: {error}")))?;
    loop {
        let received;
        (received, receiver) = py.detach(move || (receiver.recv_timeout(SIGNALS_EVERY), receiver));
        match received {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(raised) = py.check_signals() {
                    stop.stop();
                    return Err(raised);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(failure::internal(py, "the replay panicked; please report it"));
            }
        }
    }
}
