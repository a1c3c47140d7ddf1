//! A mount namespace with an empty tree of files: what landlock denies is not there either.

use std::path::Path;

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};
use refiner_worker::Outcome;
use rustix::process::{chdir, pivot_root};

/// Directories of which one becomes the empty root; which one makes no difference.
const PLACES: [&str; 4] = ["/proc", "/tmp", "/dev", "/etc"];
const NOTHING: Option<&str> = None;

/// Leaves every file behind. Needs root or user namespaces, and a kernel that lets them mount.
pub(super) fn leave() -> Outcome {
    let own = CloneFlags::CLONE_NEWNS;
    let left = unshare(own).or_else(|_| unshare(CloneFlags::CLONE_NEWUSER | own)).and_then(|()| empty_root());
    match left {
        Ok(()) => Outcome::applied("its own, empty"),
        Err(error) => Outcome::unavailable(&error),
    }
}

/// Replaces the root of this namespace by an empty one that cannot be written to.
fn empty_root() -> Result<(), Errno> {
    let place = PLACES.into_iter().find(|place| Path::new(place).is_dir()).ok_or(Errno::ENOENT)?;
    mount(NOTHING, "/", NOTHING, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NOTHING)?;
    let nothing_runs = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("none"), place, Some("tmpfs"), nothing_runs, Some("size=4k"))?;
    // The former root is stacked upon the new one, and is what the last step takes away.
    let pivoted = chdir(place).and_then(|()| pivot_root(".", "."));
    pivoted.map_err(|error| Errno::from_raw(error.raw_os_error()))?;
    umount2(".", MntFlags::MNT_DETACH)
}
