//! Other machines that run the rules of a replay: the port, which `refiner-replay-hosts` implements.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use alloy_primitives::{B256, Bytes};
use refiner_diagnostics::Failure;
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::{Run, UntrustedText};
use refiner_rule_session::LoadedRule;
use refiner_specimen_files::input::Input;

/// Worker hosts that were given nothing yet.
pub trait Hosts {
    /// Number of specimens that are under way at once, where the user names none.
    fn specimens_at_once(&self) -> NonZeroUsize;

    /// True where an earlier run over this data set left something with the hosts.
    fn has_left(&self, data_set: &Path) -> bool;

    /// Gives them the rules of a data set, which this process alone writes.
    ///
    /// # Errors
    ///
    /// Those of settings, and of the way to the hosts.
    fn open(
        &self,
        data_set: &Path,
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
    /// Name of the host.
    pub host: Arc<str>,
    /// Time of the run there.
    pub elapsed: Duration,
}

/// A run without a verdict, on whatever host it was tried.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostsFailure(pub UntrustedText);

/// Hosts beside the turns in which specimens are read for them: hundreds are under way, and a few at a time are in memory.
pub struct Elsewhere {
    pub hosts: Arc<dyn HostsAtWork>,
    free: Mutex<usize>,
    given_back: Condvar,
}

impl Elsewhere {
    /// Hosts, with so many specimens read at once.
    pub fn new(hosts: Arc<dyn HostsAtWork>, reading_at_once: NonZeroUsize) -> Self {
        Self { hosts, free: Mutex::new(reading_at_once.get()), given_back: Condvar::new() }
    }

    /// Reads when it is this thread's turn.
    pub fn read<T>(&self, read: impl FnOnce() -> T) -> T {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.given_back.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        drop(free);
        // Given back after a panic too, which ends the replay.
        let _turn = Turn(self);
        read()
    }
}

struct Turn<'a>(&'a Elsewhere);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.given_back.notify_one();
    }
}
