//! Bounds on the resources of this process.

use refiner_worker::Ceilings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ConfineError;

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
