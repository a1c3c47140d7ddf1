//! Deadlines: one thread an engine counts epochs, and at each the thread that runs a guest looks at its own processor time.
//!
//! Other work on the machine takes wall time from a guest and no processor time, so no load makes a run miss its deadline.

use std::{
    io,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Engine, Store, UpdateDeadline};

/// Length of one epoch: how late a deadline can be seen, against a hundred wake-ups a second.
pub(crate) const TICK_MS: u64 = 10;

/// Increments the engine's epoch every [`TICK_MS`] until dropped.
pub(crate) struct Ticker {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(1);
        let engine = engine.clone();
        let thread = thread::Builder::new().name("rule-deadlines".to_owned()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_millis(TICK_MS)) {
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

/// Ends what runs in the store once the calling thread has used this much processor time from now on.
pub(crate) fn set_deadline<T: 'static>(store: &mut Store<T>, deadline_ms: u64) {
    let until = thread_time().saturating_add(Duration::from_millis(deadline_ms));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        Ok(if thread_time() >= until { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
    });
}

/// Processor time of the calling thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Neither is ever negative, nor are there more nanoseconds than a second has.
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic there could only be the engine's, and no caller is left to report it to.
            let _ = thread.join();
        }
    }
}
