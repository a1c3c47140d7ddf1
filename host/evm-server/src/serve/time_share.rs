//! Processors shared by more executions than there are processors.
//!
//! An execution holds a permit for one time slice. When others wait for one, it gives its permit back and queues for another, so
//! that a block that takes a minute delays a block that takes a moment by a few slices only.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};

use refiner_evm::{Interrupt, Interrupted};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::admission::{AdmissionControl, ExecutionPermit};

/// Long against the cost of a change, short against the patience of a client.
const SLICE: Duration = Duration::from_millis(100);

/// One execution's share of the processors. It belongs to one thread, and that thread may block.
pub(super) struct TimeShare {
    admission: Arc<AdmissionControl>,
    client_gone: CancellationToken,
    runtime: Handle,
    processor_time: Duration,
    begun: Duration,
    slice_end: Cell<Instant>,
    permit: RefCell<Option<ExecutionPermit>>,
}

impl TimeShare {
    /// Waits for the first slice. Execution ends after `processor_time`, and when the client has gone.
    pub(super) fn begin(
        admission: Arc<AdmissionControl>,
        client_gone: CancellationToken,
        processor_time: Duration,
    ) -> Result<Self, Interrupted> {
        let share = Self {
            admission,
            client_gone,
            runtime: Handle::current(),
            processor_time,
            begun: thread_time(),
            slice_end: Cell::new(Instant::now()),
            permit: RefCell::new(None),
        };
        share.wait()?;
        Ok(share)
    }

    /// Begins a slice when a permit comes.
    fn wait(&self) -> Result<(), Interrupted> {
        let permit = self.runtime.block_on(async {
            tokio::select! {
                permit = self.admission.permit() => Some(permit),
                () = self.client_gone.cancelled() => None,
            }
        });
        let permit = permit.ok_or_else(|| self.interrupted())?;
        *self.permit.borrow_mut() = Some(permit);
        self.slice_end.set(Instant::now() + SLICE);
        Ok(())
    }

    #[cold]
    fn end_slice(&self, now: Instant) -> Result<(), Interrupted> {
        if self.client_gone.is_cancelled() || self.used() >= self.processor_time {
            return Err(self.interrupted());
        }
        if self.admission.is_contended() {
            drop(self.permit.take());
            return self.wait();
        }
        self.slice_end.set(now + SLICE);
        Ok(())
    }

    fn used(&self) -> Duration {
        thread_time().saturating_sub(self.begun)
    }

    fn interrupted(&self) -> Interrupted {
        Interrupted { seconds: self.used().as_secs() }
    }
}

impl Interrupt for TimeShare {
    fn check(&self) -> Result<(), Interrupted> {
        let now = Instant::now();
        if now < self.slice_end.get() { Ok(()) } else { self.end_slice(now) }
    }
}

/// Processor time of this thread.
fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::*;
    use crate::serve::Limits;

    fn one_processor() -> Arc<AdmissionControl> {
        Arc::new(AdmissionControl::new(Limits { running: 1, executions: 4, ..Limits::default() }))
    }

    /// Executes without end, until it is interrupted.
    fn execute(share: &TimeShare) -> Interrupted {
        loop {
            if let Err(interrupted) = share.check() {
                return interrupted;
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_execution_that_never_ends_lets_one_that_is_short_end() {
        let admission = one_processor();
        let gone = CancellationToken::new();
        let share = |gone: CancellationToken| {
            let admission = Arc::clone(&admission);
            move || TimeShare::begin(admission, gone, Duration::from_secs(3_600)).unwrap()
        };
        let begin = share(gone.clone());
        let endless = tokio::task::spawn_blocking(move || execute(&begin()));
        let ended = Arc::new(AtomicBool::new(false));
        let begin = share(CancellationToken::new());
        let flag = Arc::clone(&ended);
        let short = tokio::task::spawn_blocking(move || {
            let share = begin();
            for _ in 0..5 {
                thread::sleep(SLICE / 2);
                share.check().unwrap();
            }
            flag.store(true, Ordering::Relaxed);
        });
        short.await.unwrap();
        assert!(ended.load(Ordering::Relaxed) && !endless.is_finished());
        gone.cancel();
        endless.await.unwrap();
        assert_eq!(admission.running(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn executions_take_turns_on_one_processor() {
        let admission = one_processor();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let executions = (0..3).map(|name| {
            let (admission, order) = (Arc::clone(&admission), Arc::clone(&order));
            tokio::task::spawn_blocking(move || {
                let share = TimeShare::begin(admission, CancellationToken::new(), Duration::from_secs(3_600)).unwrap();
                for _ in 0..3 {
                    order.lock().unwrap().push(name);
                    thread::sleep(SLICE);
                    share.check().unwrap();
                }
            })
        });
        for execution in executions.collect::<Vec<_>>() {
            execution.await.unwrap();
        }
        let order = order.lock().unwrap();
        let neighbours_differ = order.windows(2).take(6).filter(|pair| pair[0] != pair[1]).count();
        assert!(neighbours_differ >= 4, "{order:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn execution_ends_at_its_processor_time_and_not_by_the_clock() {
        let admission = one_processor();
        let limit = Duration::from_millis(250);
        let interrupted = tokio::task::spawn_blocking(move || {
            let share = TimeShare::begin(admission, CancellationToken::new(), limit).unwrap();
            // Sleep is no processor time.
            for _ in 0..5 {
                thread::sleep(SLICE);
                share.check().unwrap();
            }
            execute(&share);
            share.used()
        });
        let used = interrupted.await.unwrap();
        assert!(used >= limit && used < limit * 8, "{used:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn execution_whose_client_goes_while_it_waits_for_a_processor_never_begins() {
        let admission = one_processor();
        let held = admission.permit().await;
        let gone = CancellationToken::new();
        let (waiting, token) = (Arc::clone(&admission), gone.clone());
        let begun = tokio::task::spawn_blocking(move || TimeShare::begin(waiting, token, Duration::MAX).map(drop));
        while !admission.is_contended() {
            tokio::task::yield_now().await;
        }
        gone.cancel();
        assert_eq!(begun.await.unwrap(), Err(Interrupted { seconds: 0 }));
        assert!(!admission.is_contended());
        drop(held);
    }
}
