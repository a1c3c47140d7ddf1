//! User and groups of the process, and what it could become.

use nix::sched::CloneFlags;
use refiner_worker::Outcome;
use rustix::{
    process::{
        DumpableBehavior, Gid, Signal, Uid, getppid, getuid, set_dumpable_behavior, set_parent_process_death_signal,
    },
    thread::{
        CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
        set_thread_res_uid,
    },
};

use super::ConfineError;

/// The user and group that own nothing.
const NOBODY: u32 = 65_534;

/// A network without interfaces. Needs root or user namespaces; without either, the denied system calls are what stops a
/// connection.
pub(super) fn leave_network() -> Outcome {
    let network = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC;
    let left = nix::sched::unshare(network).or_else(|_| nix::sched::unshare(CloneFlags::CLONE_NEWUSER | network));
    match left {
        Ok(()) => Outcome::applied("its own, empty"),
        Err(error) => Outcome::unavailable(&error),
    }
}

pub(super) fn become_nobody() -> Outcome {
    if !getuid().is_root() {
        return Outcome::unavailable(&format!("stays user {}: only root can become another", getuid().as_raw()));
    }
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    let became = set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(group, group, group))
        .and_then(|()| set_thread_res_uid(user, user, user));
    match became {
        Ok(()) => Outcome::applied("65534"),
        Err(error) => Outcome::unavailable(&error),
    }
}

pub(super) fn drop_capabilities() -> Outcome {
    let none = CapabilitySet::empty();
    match set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }) {
        Ok(()) => Outcome::applied("none"),
        Err(error) => Outcome::unavailable(&error),
    }
}

/// After the change of user, which would undo the last two.
pub(super) fn renounce(supervisor: u32) -> Result<(), ConfineError> {
    set_no_new_privs(true).map_err(ConfineError::system("giving up new privileges"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(ConfineError::system("forbidding dumps"))?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(ConfineError::system("dying with the parent"))?;
    // A parent that died before the line above will never send the signal.
    let parent = getppid().map(|parent| parent.as_raw_nonzero().get().cast_unsigned());
    if parent == Some(supervisor) { Ok(()) } else { Err(ConfineError::Orphan) }
}
