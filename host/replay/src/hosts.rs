//! Other machines that run the rules of a replay: the port, which `refiner-replay-hosts` implements.

use std::{
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use alloy_primitives::{B256, Bytes};
use refiner_diagnostics::Failure;
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::{Run, UntrustedText};
use refiner_rule_session::LoadedRule;
use refiner_specimen_files::input::Input;

use crate::parallel::{NoThread, THREAD_STACK_BYTES};

/// Worker hosts that were given nothing yet.
pub trait Hosts {
    /// Number of specimens that are under way at once, where the user names none.
    fn specimens_at_once(&self) -> NonZeroUsize;

    /// True where an earlier run of this queue file left something with the hosts.
    fn has_left(&self, queue_file: &Path) -> bool;

    /// Gives them the rules of a data set. The file has the name of its queue for as long as the data set is incomplete, and no other
    /// process uses it.
    ///
    /// # Errors
    ///
    /// Those of settings, and of the way to the hosts.
    fn open(
        &self,
        queue_file: &Path,
        rules: &[LoadedRule],
        policy: ExecutionPolicy,
    ) -> Result<Arc<dyn HostsAtWork>, Failure>;
}

/// Worker hosts with the rules of a replay. Shared by its threads.
pub trait HostsAtWork: Send + Sync {
    /// Has hosts run every rule over a specimen. One result for each rule, in their order; waits for the last.
    fn run(&self, specimen: HostSpecimen) -> Vec<Result<HostRun, HostsFailure>>;

    /// Calls `act` from another thread if the hosts cannot be worked with any more.
    fn when_lost(&self, act: Box<dyn Fn() + Send + Sync>);

    /// Ends the work with them. Of a complete data set nothing stays there.
    ///
    /// # Errors
    ///
    /// The reason for which they were lost.
    fn close(&self, is_complete: bool) -> Result<(), Failure>;
}

/// A specimen that was read, decoded and checked here.
pub struct HostSpecimen {
    /// The place of its bytes, from which they can be read again.
    pub input: Input,
    /// Chain of the block.
    pub chain_id: u64,
    /// Height of the block.
    pub height: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// The hash that the network announces.
    pub specimen_hash: B256,
    /// Its bytes.
    pub raw: Bytes,
}

/// A run on a host.
pub struct HostRun {
    /// With artifacts whose hashes were compared.
    pub run: Run,
    /// Their hashes, in their order.
    pub sha256: Vec<B256>,
    /// Name of the host.
    pub host: Arc<str>,
    /// Time of the run there.
    pub elapsed: Duration,
}

/// A run without a verdict, on whatever host it was tried.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostsFailure(pub UntrustedText);

/// Hosts beside the threads that read for them: hundreds of specimens are under way, and a few at a time are decoded, on threads whose
/// memory is in use all the time.
pub struct Elsewhere {
    pub hosts: Arc<dyn HostsAtWork>,
    readers: Sender<Reading>,
}

type Reading = Box<dyn FnOnce() + Send>;

impl Elsewhere {
    /// Hosts, with so many threads that read.
    ///
    /// # Errors
    ///
    /// The operating system grants no thread.
    pub fn new(hosts: Arc<dyn HostsAtWork>, readers: NonZeroUsize) -> Result<Self, NoThread> {
        let (sender, readings) = mpsc::channel::<Reading>();
        let readings = Arc::new(Mutex::new(readings));
        for _ in 0..readers.get() {
            let readings = Arc::clone(&readings);
            // Ends with the last sender.
            let read = move || {
                while let Some(reading) = next(&readings) {
                    reading();
                }
            };
            let thread = thread::Builder::new().name("read".to_owned()).stack_size(THREAD_STACK_BYTES).spawn(read);
            thread.map_err(NoThread::new)?;
        }
        Ok(Self { hosts, readers: sender })
    }

    /// Has one of the threads read.
    pub fn read<T: Send + 'static>(&self, read: impl FnOnce() -> T + Send + 'static) -> T {
        let (sender, done) = mpsc::channel();
        let reading = move || {
            // The caller waits.
            let _ = sender.send(catch_unwind(AssertUnwindSafe(read)));
        };
        let sent = self.readers.send(Box::new(reading));
        match sent.ok().and_then(|()| done.recv().ok()) {
            Some(Ok(done)) => done,
            Some(Err(panic)) => resume_unwind(panic),
            None => unreachable!("a thread that reads lives as long as its sender, and catches panics"),
        }
    }
}

fn next(readings: &Mutex<Receiver<Reading>>) -> Option<Reading> {
    readings.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoHosts;

    impl HostsAtWork for NoHosts {
        fn run(&self, _: HostSpecimen) -> Vec<Result<HostRun, HostsFailure>> {
            Vec::new()
        }

        fn when_lost(&self, _: Box<dyn Fn() + Send + Sync>) {}

        fn close(&self, _: bool) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[test]
    fn readings_are_done_by_as_many_threads_as_were_asked_for_and_a_panic_is_the_callers() {
        let two = Elsewhere::new(Arc::new(NoHosts), NonZeroUsize::new(2).unwrap()).unwrap();
        let threads: std::collections::BTreeSet<_> = thread::scope(|scope| {
            let asked: Vec<_> = (0..50)
                .map(|_| {
                    scope.spawn(|| {
                        two.read(|| {
                            thread::sleep(Duration::from_millis(2));
                            format!("{:?}", thread::current().id())
                        })
                    })
                })
                .collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        assert_eq!(threads.len(), 2);
        for _ in 0..3 {
            assert!(catch_unwind(AssertUnwindSafe(|| two.read(|| -> u32 { panic!("malformed") }))).is_err());
        }
        assert_eq!(two.read(|| 7), 7);
    }
}
