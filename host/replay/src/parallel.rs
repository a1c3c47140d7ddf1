//! Work on many items at once, results in the order of the items.

use std::{
    any::Any,
    collections::BTreeMap,
    io,
    num::NonZeroUsize,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Sender},
    },
    thread,
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

/// A rule's stack is 1 MiB of WebAssembly and the host's frames below it.
pub const THREAD_STACK_BYTES: usize = 8 * 1024 * 1024;
/// Items that may be begun before the oldest unfinished one is done, for each thread: their results are in memory.
pub const AHEAD_PER_THREAD: usize = 8;

/// A thread that the operating system does not grant.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a thread: {0}")]
pub struct NoThread(#[source] io::Error);

impl NoThread {
    /// One that the operating system refused for this reason.
    pub(crate) const fn new(source: io::Error) -> Self {
        Self(source)
    }
}

impl Diagnostic for NoThread {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        Some("use fewer threads (-j N)".into())
    }
}

/// The end of the work.
#[derive(Debug, PartialEq, Eq)]
pub enum End<Stop> {
    /// Every result was collected.
    Complete,
    /// The collector wanted no more.
    Broken(Stop),
    /// A signal came. What the threads have begun is left behind.
    Interrupted,
}

enum Event<Done> {
    Done(usize, Done),
    Panicked(Box<dyn Any + Send>),
    Interrupted,
}

/// A way to end the work from another thread. Clones end the same work.
#[derive(Clone)]
pub struct Interrupter(Arc<dyn Fn() + Send + Sync>);

impl Interrupter {
    /// Ends the work after the result that is being collected.
    pub fn interrupt(&self) {
        (self.0)();
    }
}

/// The next item, and how far the collector is.
#[derive(Default)]
struct Progress {
    next: usize,
    collected: usize,
    stopped: bool,
}

struct Shared {
    progress: Mutex<Progress>,
    moved: Condvar,
    ahead: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next item, when it is not too far ahead of the collector.
    fn take(&self, items: usize) -> Option<usize> {
        let mut progress = self.lock();
        while !progress.stopped && progress.next < items && progress.next >= progress.collected + self.ahead {
            progress = self.moved.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        if progress.stopped || progress.next >= items {
            return None;
        }
        progress.next += 1;
        Some(progress.next - 1)
    }

    fn collected(&self) {
        self.lock().collected += 1;
        self.moved.notify_all();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }
}

/// Calls `work` on every item with `threads` threads and `collect` on every result, in the items' order, on the calling
/// thread. Stops early when `collect` breaks, or when the [`Interrupter`] that `begun` is given is used; then what the threads have in
/// hand is not waited for. Fails when the operating system grants no thread.
///
/// Results that wait for a slower one before them are kept, a bounded number of them.
pub fn in_order<Item: Send + Sync + 'static, Done: Send + 'static, Stop>(
    items: Vec<Item>,
    threads: NonZeroUsize,
    work: impl Fn(&Item) -> Done + Send + Sync + 'static,
    begun: impl FnOnce(Interrupter),
    collect: impl FnMut(Done) -> ControlFlow<Stop>,
) -> Result<End<Stop>, NoThread> {
    in_order_within(items, threads, AHEAD_PER_THREAD, work, begun, collect)
}

/// The same, with so many items for each thread that may be begun before the oldest unfinished one is done.
pub fn in_order_within<Item: Send + Sync + 'static, Done: Send + 'static, Stop>(
    items: Vec<Item>,
    threads: NonZeroUsize,
    ahead_per_thread: usize,
    work: impl Fn(&Item) -> Done + Send + Sync + 'static,
    begun: impl FnOnce(Interrupter),
    mut collect: impl FnMut(Done) -> ControlFlow<Stop>,
) -> Result<End<Stop>, NoThread> {
    let count = items.len();
    let shared = Arc::new(Shared {
        progress: Mutex::default(),
        moved: Condvar::new(),
        ahead: threads.get().saturating_mul(ahead_per_thread),
    });
    let (sender, events) = mpsc::channel();
    let work = Arc::new((items, work));
    let interrupt = sender.clone();
    // Before the first thread: an interruption in the first moments ends the work as any other does.
    begun(Interrupter(Arc::new(move || {
        // When the work is done there is nothing to interrupt, and the other end is gone.
        let _ = interrupt.send(Event::Interrupted);
    })));
    for _ in 0..threads.get().min(count) {
        if let Err(error) = spawn(&shared, &work, &sender) {
            shared.stop();
            return Err(NoThread(error));
        }
    }
    drop(sender);

    let mut waiting = BTreeMap::new();
    let mut due = 0;
    while due < count {
        match events.recv() {
            Ok(Event::Done(index, result)) => drop(waiting.insert(index, result)),
            Ok(Event::Panicked(panic)) => {
                shared.stop();
                resume_unwind(panic);
            }
            // The senders are the threads and the interrupter, of which one is left as long as a result is.
            Ok(Event::Interrupted) | Err(_) => {
                shared.stop();
                return Ok(End::Interrupted);
            }
        }
        while let Some(result) = waiting.remove(&due) {
            due += 1;
            shared.collected();
            if let ControlFlow::Break(stop) = collect(result) {
                shared.stop();
                return Ok(End::Broken(stop));
            }
        }
    }
    Ok(End::Complete)
}

fn spawn<Item: Send + Sync + 'static, Done: Send + 'static>(
    shared: &Arc<Shared>,
    work: &Arc<(Vec<Item>, impl Fn(&Item) -> Done + Send + Sync + 'static)>,
    sender: &Sender<Event<Done>>,
) -> io::Result<()> {
    let (shared, work, sender) = (Arc::clone(shared), Arc::clone(work), sender.clone());
    let run = move || {
        let (items, work) = &*work;
        while let Some(index) = shared.take(items.len()) {
            let event = match catch_unwind(AssertUnwindSafe(|| work(&items[index]))) {
                Ok(result) => Event::Done(index, result),
                Err(panic) => Event::Panicked(panic),
            };
            if sender.send(event).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().name("replay".to_owned()).stack_size(THREAD_STACK_BYTES).spawn(run).map(drop)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::{Duration, Instant},
    };

    use super::*;

    const FOUR: NonZeroUsize = NonZeroUsize::new(4).unwrap();

    fn never(_: Interrupter) {}

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..200).collect();
        let mut collected = Vec::new();
        let work = |item: &u64| {
            // The earlier of each four takes longest.
            thread::sleep(Duration::from_micros(300 * (4 - item % 4)));
            *item
        };
        let end = in_order(items.clone(), FOUR, work, never, |item| {
            collected.push(item);
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(end.unwrap(), End::Complete);
        assert_eq!(collected, items);
    }

    #[test]
    fn collector_that_breaks_stops_the_work() {
        let worked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&worked);
        let work = move |item: &u64| {
            counted.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_micros(50));
            *item
        };
        let end = in_order((0..100_000).collect(), FOUR, work, never, |item| {
            if item == 10 { ControlFlow::Break(item) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(end.unwrap(), End::Broken(10));
        assert!(worked.load(Ordering::Relaxed) < 1_000);
    }

    #[test]
    fn slow_item_holds_up_a_bounded_number_of_results() {
        let most = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&most);
        let work = move |item: &usize| {
            seen.fetch_max(*item, Ordering::Relaxed);
            if *item == 0 {
                thread::sleep(Duration::from_millis(200));
                return seen.load(Ordering::Relaxed);
            }
            0
        };
        let mut first = None;
        in_order((0..10_000).collect(), FOUR, work, never, |item| {
            first.get_or_insert(item);
            ControlFlow::<()>::Continue(())
        })
        .unwrap();
        assert!(first.unwrap() <= 4 * AHEAD_PER_THREAD, "{first:?}");
    }

    #[test]
    fn interrupted_work_does_not_wait_for_what_the_threads_have_in_hand() {
        let begun = Instant::now();
        let work = |_: &u64| thread::sleep(Duration::from_secs(30));
        let interrupt = |interrupter: Interrupter| {
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                interrupter.interrupt();
            });
        };
        let end = in_order(vec![1, 2, 3], FOUR, work, interrupt, |()| ControlFlow::<()>::Continue(()));
        assert_eq!(end.unwrap(), End::Interrupted);
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn panic_of_the_work_is_one_of_the_caller() {
        let work = |item: &u64| assert_ne!(*item, 3, "three");
        let run = || in_order((0..10).collect(), FOUR, work, never, |()| ControlFlow::<()>::Continue(()));
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    }

    #[test]
    fn no_items_are_no_work() {
        let end = in_order(Vec::new(), FOUR, |(): &()| (), never, |()| ControlFlow::<()>::Continue(()));
        assert_eq!(end.unwrap(), End::Complete);
    }
}
