//! Deadlines: one thread an engine counts epochs, and at each the thread that runs a guest looks at its own processor time.
//!
//! Other work on the machine takes wall time from a guest and no processor time, so no load makes a run miss its deadline. While no guest
//! runs the thread rests: a process with an engine that waits for work costs nothing.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Engine, Store, UpdateDeadline};

/// Length of one epoch: how late a deadline can be seen, against a hundred wake-ups a second.
pub(crate) const TICK_MS: u64 = 10;
/// Epochs without a guest after which the thread rests. Waking it takes as long as a short run, so that runs in a row find it awake.
const TICKS_BEFORE_REST: u32 = 100;

/// Increments the engine's epoch every [`TICK_MS`] while guests run, until dropped.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A guest that runs, or will in a moment. Without one no deadline comes.
pub(crate) struct Running<'t>(&'t Shared);

#[derive(Default)]
struct Shared {
    /// A lock because guests begin and end on many threads; held for a count.
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    guests: usize,
    is_at_rest: bool,
    is_over: bool,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let (engine, shared) = (engine.clone(), Arc::<Shared>::default());
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("rule-deadlines".to_owned())
            .spawn(move || of_thread.tick(TICKS_BEFORE_REST, || engine.increment_epoch()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Counts epochs for as long as the guest lives that is about to run.
    pub(crate) fn running(&self) -> Running<'_> {
        let mut state = self.shared.state();
        state.guests += 1;
        if state.is_at_rest {
            self.shared.changed.notify_one();
        }
        Running(&self.shared)
    }
}

impl Shared {
    fn tick(&self, ticks_before_rest: u32, increment: impl Fn()) {
        let (mut state, mut quiet) = (self.state(), 0);
        while !state.is_over {
            if quiet >= ticks_before_rest {
                state.is_at_rest = true;
                let waits = |state: &mut State| state.guests == 0 && !state.is_over;
                state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
                state.is_at_rest = false;
            }
            let waited = self.changed.wait_timeout(state, Duration::from_millis(TICK_MS));
            let timed;
            (state, timed) = waited.unwrap_or_else(PoisonError::into_inner);
            if timed.timed_out() {
                increment();
            }
            quiet = if state.guests == 0 { quiet + 1 } else { 0 };
        }
    }

    /// Numbers that are whole after every statement.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state().guests -= 1;
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
        self.shared.state().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there could only be the engine's, and no caller is left to report it to.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Instant,
    };

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);
    /// Ticks before rest, here.
    const TICKS: u32 = 5;

    fn until(what: &str, seen: impl Fn() -> bool) {
        let begun = Instant::now();
        while !seen() {
            assert!(begun.elapsed() < PATIENCE, "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn epochs_are_counted_while_a_guest_runs_and_no_thread_wakes_without_one() {
        let (shared, ticks) = (Arc::<Shared>::default(), Arc::<AtomicU32>::default());
        let (of_thread, counted) = (Arc::clone(&shared), Arc::clone(&ticks));
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let thread = thread::spawn(move || of_thread.tick(TICKS, count));
        let ticker = Ticker { shared, thread: Some(thread) };
        for _ in 0..2 {
            until("it rests", || ticker.shared.state().is_at_rest);
            let before = ticks.load(Ordering::Relaxed);
            thread::sleep(Duration::from_millis(10 * TICK_MS));
            assert_eq!(ticks.load(Ordering::Relaxed), before);
            let (one, other) = (ticker.running(), ticker.running());
            drop(one);
            until("a guest is left", || ticks.load(Ordering::Relaxed) > before + 3 * TICKS);
            drop(other);
        }
        let begun = Instant::now();
        drop(ticker);
        assert!(begun.elapsed() < PATIENCE, "also one at rest ends");
    }
}
