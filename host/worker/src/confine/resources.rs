//! Resources that a process may use in all its life.

use std::fmt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ConfineError;

/// Resources that a child may use in all its life.
///
/// `data_bytes` counts private writable memory, which is what a process can really hold: a worker's engine reserves four
/// gigabytes of addresses for each memory of a guest and leaves them empty, so that a bound on addresses would mean little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Private writable memory, in bytes.
    pub data_bytes: u64,
    /// Addresses, reserved ones included. `None` for workers.
    pub address_bytes: Option<u64>,
    /// Processor time of all threads.
    pub cpu_seconds: u64,
    /// Size of a file. No file can be opened; the engine keeps initial memories in anonymous ones.
    pub file_bytes: u64,
}

/// Descriptors: the three of the pipes and one for each initial memory.
const DESCRIPTORS_MAX: u64 = 64;

pub(super) fn limit(ceilings: &Ceilings) -> Result<(), ConfineError> {
    let limits = [
        (Resource::Core, Some(0), "forbidding core dumps"),
        (Resource::Data, Some(ceilings.data_bytes), "limiting memory"),
        (Resource::As, ceilings.address_bytes, "limiting addresses"),
        (Resource::Cpu, Some(ceilings.cpu_seconds), "limiting processor time"),
        (Resource::Fsize, Some(ceilings.file_bytes), "limiting files"),
        (Resource::Nofile, Some(DESCRIPTORS_MAX), "limiting descriptors"),
        (Resource::Memlock, Some(0), "limiting locked memory"),
        (Resource::Msgqueue, Some(0), "forbidding message queues"),
    ];
    limits.into_iter().filter_map(|(resource, most, what)| Some((resource, most?, what))).try_for_each(lower)
}

/// No more processes or threads, for any user but root. The denied system calls hold for root too.
pub(super) fn forbid_processes() -> Result<(), ConfineError> {
    lower((Resource::Nproc, 0, "forbidding processes"))
}

/// Lowers both limits to `most`. A lower one that was there stays: raising it is not ours to ask for.
fn lower((resource, most, what): (Resource, u64, &'static str)) -> Result<(), ConfineError> {
    let there = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    // At the lower limit of processor time comes a signal of its own, at the higher one the same that ends everything.
    let room = if resource == Resource::Cpu { 1 } else { 0 };
    let limit = Rlimit { current: Some(there.min(most)), maximum: Some(there.min(most.saturating_add(room))) };
    setrlimit(resource, limit).map_err(ConfineError::system(what))
}

impl fmt::Display for Ceilings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of data", self.data_bytes)?;
        if let Some(bytes) = self.address_bytes {
            write!(f, ", {bytes} bytes of addresses")?;
        }
        write!(f, ", {} s of processor time", self.cpu_seconds)
    }
}
