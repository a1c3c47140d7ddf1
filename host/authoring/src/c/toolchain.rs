//! The C compiler of Zig, and how to call it.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::command;

/// The version of Zig that the SDK is tested with.
pub const ZIG_VERSION: &str = "0.17.1";
/// The oldest minor version of Zig 0 that builds rules.
const OLDEST_MINOR: u32 = 16;

/// Folder of a rule's directory where `pip` installs it.
const BESIDE: &str = ".venv/bin";
/// The program as its own packages name it, and as the one on PyPI does.
const PROGRAMS: [&str; 2] = ["zig", "python-zig"];

/// Flags of every rule. Zig puts the stack before everything else, so that one that is too deep traps in place of writing over data, and gives it
/// 16 MiB by default, which every run would have in its memory; it also leaves assertions out of optimised code.
const FLAGS: [&str; 11] = [
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-O2",
    "-UNDEBUG",
    "-Wall",
    "-Wextra",
    "-I",
    "sdk",
    "-Wl,-z,stack-size=1048576",
    "-o",
];

/// Variables of the machine that would change a rule's bytes.
const OF_THE_MACHINE: [&str; 3] = ["CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"];

/// No Zig that builds rules.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoZig {
    /// No Zig at all.
    #[error("a rule in C is compiled by Zig, and neither zig nor python-zig is in {} nor on the PATH", .beside.display())]
    Missing {
        /// Where it was looked for in the rule's directory.
        beside: PathBuf,
    },
    /// An older one, or a program that is not Zig.
    #[error("{} is of version {found:?}, and a rule in C needs Zig 0.{OLDEST_MINOR} or later", .program.display())]
    TooOld {
        /// Path of the program.
        program: PathBuf,
        /// The output of `zig version`.
        found: String,
    },
}

impl NoZig {
    /// The commands that install it.
    pub fn remedy() -> String {
        format!("in the rule's folder: `python3 -m venv .venv && .venv/bin/pip install ziglang=={ZIG_VERSION}`")
    }
}

/// A Zig that builds rules.
#[derive(Debug, PartialEq, Eq)]
pub struct Zig {
    program: PathBuf,
}

impl Zig {
    /// The one of the rule's directory, or the one on the PATH.
    pub fn find(directory: &Path) -> Result<Self, NoZig> {
        Self::find_on(directory, refiner_environment::variable("PATH").as_deref().unwrap_or_default())
    }

    fn find_on(directory: &Path, path: &OsStr) -> Result<Self, NoZig> {
        let beside = directory.join(BESIDE);
        let folders = [beside.clone()].into_iter().chain(env::split_paths(path));
        let mut candidates = folders.flat_map(|folder| PROGRAMS.map(|program| folder.join(program)));
        let program = candidates.find(|program| program.is_file()).ok_or(NoZig::Missing { beside })?;
        let found = command::answer(command::program(&program).arg("version")).unwrap_or_default();
        if is_recent(&found) { Ok(Self { program }) } else { Err(NoZig::TooOld { program, found }) }
    }

    /// The command that compiles sources, which are to be added, to a core module. Run in the rule's directory, it names files without
    /// what is above it.
    pub fn compile(&self, directory: &Path, core: &Path) -> Command {
        let mut zig = command::program(&self.program);
        for variable in OF_THE_MACHINE {
            zig.env_remove(variable);
        }
        zig.current_dir(directory).arg("cc").args(FLAGS).arg(core);
        zig
    }
}

/// `version` is `0.17.1`, or that of a build between releases, `0.18.0-dev.12+0123456`.
fn is_recent(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(0), Some(minor)) => minor >= OLDEST_MINOR,
        (Some(major), Some(_)) => major > 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn zig_is_recent_from_the_version_that_builds_rules() {
        let check = |version, expected| assert_eq!(is_recent(version), expected, "{version}");
        check("0.16.0", true);
        check(ZIG_VERSION, true);
        check("0.18.0-dev.12+0123456", true);
        check("1.0.0", true);
        check("0.15.2", false);
        check("zig", false);
        check("", false);
    }

    /// A program that prints a version.
    fn program(path: &Path, version: &str) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, format!("#!/bin/sh\necho {version}\n")).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a file");
    }

    #[test]
    fn zig_of_the_rule_goes_before_the_one_on_the_path() {
        let (rule, path) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let find = || Zig::find_on(rule.path(), path.path().as_os_str());
        let missing = find().expect_err("it is nowhere").to_string();
        assert!(missing.ends_with("nor on the PATH"), "{missing}");
        program(&path.path().join("zig"), "0.13.0");
        let old = find().expect_err("it is old").to_string();
        assert!(old.ends_with("zig is of version \"0.13.0\", and a rule in C needs Zig 0.16 or later"), "{old}");
        let beside = rule.path().join(".venv/bin/python-zig");
        program(&beside, ZIG_VERSION);
        assert_eq!(find().map(|zig| zig.program), Ok(beside));
    }
}
