//! Work that hashes, encodes or touches files, beside the asynchronous threads.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Runs work on a thread that may block, and carries its panic back.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // Cancelled only when the runtime shuts down, and then no caller waits.
        Err(_) => std::future::pending().await,
    }
}

/// The same for work that can take longer than a moment. It ends soon after the caller's future is dropped, as at a deadline.
pub(crate) async fn interruptible<T: Send + 'static>(work: impl FnOnce(&Interrupt) -> T + Send + 'static) -> T {
    let interrupt = Interrupt::default();
    let guard = SetOnDrop(interrupt.clone());
    let done = blocking(move || work(&interrupt)).await;
    drop(guard);
    done
}

/// A request to end that long work looks at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// The work was given up: its caller is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interrupted;

impl Interrupt {
    /// Fails once the caller has gone.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }
}

struct SetOnDrop(Interrupt);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn work_ends_when_its_caller_is_gone() {
        let (ended, end) = oneshot::channel();
        let endless = interruptible(move |interrupt| {
            while interrupt.check().is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
            ended.send(()).unwrap();
        });
        assert!(timeout(Duration::from_millis(50), endless).await.is_err());
        timeout(Duration::from_secs(5), end).await.unwrap().unwrap();
        assert_eq!(interruptible(|interrupt| interrupt.check()).await, Ok(()));
    }
}
