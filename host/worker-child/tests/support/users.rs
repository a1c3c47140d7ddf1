//! The users that a supervisor can be.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Uid, geteuid};

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

/// This user and, where this one can become another, nobody.
pub fn users() -> Vec<Uid> {
    let this = geteuid();
    if this.is_root() {
        return vec![this, Uid::from_raw(NOBODY)];
    }
    println!("as user {} alone: only root can become another", this.as_raw());
    vec![this]
}

/// Has the program run as this user.
pub fn run_as(command: &mut Command, user: Uid) -> &mut Command {
    if user == geteuid() { command } else { command.uid(user.as_raw()).gid(user.as_raw()) }
}

/// Gives a file or directory to this user.
pub fn give(path: &Path, user: Uid) {
    if user != geteuid() {
        chown(path, Some(user.as_raw()), Some(user.as_raw())).unwrap();
    }
}

/// This crate's child program where every user can start it: its own place may be in somebody's home.
pub struct Program {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Program {
    pub fn reachable() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("child");
        fs::copy(env!("CARGO_BIN_EXE_refiner-worker-child"), &path).unwrap();
        for path in [directory.path(), &path] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        Self { _directory: directory, path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}
