//! Work on many items at once, results in the order of the items.

use std::{
    collections::BTreeMap,
    io,
    num::NonZeroUsize,
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

/// A rule's stack is 1 MiB of WebAssembly and the host's frames below it.
const THREAD_STACK_BYTES: usize = 8 * 1024 * 1024;

/// A thread that the operating system does not grant.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a thread: {0}")]
pub struct NoThread(#[source] io::Error);

impl Diagnostic for NoThread {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        Some("use fewer threads (-j N)".into())
    }
}

/// Calls `work` on every item with `threads` threads and `collect` on every result, in the items' order, on the calling
/// thread. Stops early when `collect` breaks; items already begun are finished and dropped. Fails when the operating
/// system grants no thread.
///
/// Results that wait for a slower one before them are kept, so they should be small; the items are in memory anyway.
pub fn in_order<Item: Sync, Done: Send, Stop>(
    items: &[Item],
    threads: NonZeroUsize,
    work: impl Fn(&Item) -> Done + Sync,
    mut collect: impl FnMut(Done) -> ControlFlow<Stop>,
) -> Result<ControlFlow<Stop>, NoThread> {
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..threads.get().min(items.len()) {
            let sender = sender.clone();
            let (next, stopped, work) = (&next, &stopped, &work);
            let worker = move || {
                while !stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    if sender.send((index, work(item))).is_err() {
                        break;
                    }
                }
            };
            let thread = thread::Builder::new().name("replay".to_owned()).stack_size(THREAD_STACK_BYTES);
            if let Err(error) = thread.spawn_scoped(scope, worker) {
                stopped.store(true, Ordering::Relaxed);
                return Err(NoThread(error));
            }
        }
        drop(sender);

        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (index, result) in results {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&due) {
                due += 1;
                if let ControlFlow::Break(stop) = collect(result) {
                    stopped.store(true, Ordering::Relaxed);
                    return Ok(ControlFlow::Break(stop));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FOUR: NonZeroUsize = NonZeroUsize::new(4).unwrap();

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..200).collect();
        let mut collected = Vec::new();
        let work = |item: &u64| {
            // The earlier of each four takes longest.
            thread::sleep(Duration::from_micros(300 * (4 - item % 4)));
            *item
        };
        let end = in_order(&items, FOUR, work, |item| {
            collected.push(item);
            ControlFlow::<()>::Continue(())
        });
        assert!(end.unwrap().is_continue());
        assert_eq!(collected, items);
    }

    #[test]
    fn collector_that_breaks_stops_the_work() {
        let items: Vec<u64> = (0..100_000).collect();
        let worked = AtomicUsize::new(0);
        let work = |item: &u64| {
            worked.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_micros(50));
            *item
        };
        let end =
            in_order(
                &items,
                FOUR,
                work,
                |item| if item == 10 { ControlFlow::Break(item) } else { ControlFlow::Continue(()) },
            );
        assert_eq!(end.unwrap(), ControlFlow::Break(10));
        assert!(worked.load(Ordering::Relaxed) < items.len());
    }

    #[test]
    fn no_items_are_no_work() {
        assert!(in_order(&[], FOUR, |(): &()| (), |()| ControlFlow::<()>::Continue(())).unwrap().is_continue());
    }
}
