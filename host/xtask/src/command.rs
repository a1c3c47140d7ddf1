//! Running other programs in the workspace's root.

use std::{ffi::OsStr, process::Command};

use refiner_authoring::command as anywhere;
pub use refiner_authoring::command::{answer, run, status, succeeded};

use crate::tree;

/// This toolchain's cargo, in the workspace's root.
pub fn cargo() -> Command {
    in_root(anywhere::cargo())
}

/// A program, in the workspace's root.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    in_root(anywhere::program(name))
}

/// This toolchain's cargo with the arguments of a line such as `cargo test --doc`, none of which has a space in it.
pub fn line(line: &str) -> Command {
    let mut command = cargo();
    command.args(line.split(' ').skip(1));
    command
}

fn in_root(mut command: Command) -> Command {
    command.current_dir(tree::root());
    command
}
