//! The clock of deadlines: one thread an engine, counting epochs.

use std::{
    io,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use wasmtime::Engine;

/// Length of one epoch: how late a deadline can be, against a hundred wake-ups a second.
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

/// Ticks of a deadline, rounded up. The epoch under way counts too, so one more.
pub(crate) const fn ticks(wall_ms: u64) -> u64 {
    wall_ms.div_ceil(TICK_MS) + 1
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
