//! Places beside the executable of a test, which cargo puts into `deps` beside the program.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The program of this build.
pub fn program() -> PathBuf {
    let program = of_this_build().join("refiner");
    assert!(program.is_file(), "{} is not built; `cargo build --workspace` builds it", program.display());
    program
}

/// A directory that tests of every build may leave files in.
pub fn shared_directory() -> PathBuf {
    of_this_build().parent().map(Path::to_owned).unwrap_or_default().join("tmp")
}

/// The directory of a profile, such as `target/debug`.
fn of_this_build() -> PathBuf {
    let executable = env::current_exe().unwrap();
    executable.ancestors().nth(2).unwrap().to_owned()
}
