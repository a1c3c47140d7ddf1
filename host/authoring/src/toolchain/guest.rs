//! A toolchain that builds guests, and how to call it.

use std::{ffi::OsString, path::PathBuf, process::Command};

use super::{
    TARGET,
    facts::{self, DEBIAN_CARGO, DEBIAN_RUSTC},
};
use crate::command;

/// A cargo that builds for [`TARGET`].
pub struct Guest {
    kind: Kind,
    rustc: String,
}

/// Where a build happens, and what of that must not be seen in what it makes.
pub struct BuildDirectories {
    /// Working directory of cargo.
    pub directory: PathBuf,
    /// Where cargo leaves what it builds.
    pub target: PathBuf,
    /// Directories of this machine with the names that stand for them in what is built.
    pub remapped: Vec<(PathBuf, String)>,
}

enum Kind {
    ThisToolchain,
    Debian { linker: PathBuf },
}

/// Variables that would change a guest's bytes from one machine to the next.
const OF_THE_MACHINE: [&str; 6] = [
    "RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_INCREMENTAL",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
];

/// Variables of rustup and of the toolchain that runs us, which mean nothing to Debian's.
const OF_RUSTUP: [&str; 4] = ["RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "LD_LIBRARY_PATH"];

impl Guest {
    pub(super) fn of_this_toolchain() -> Self {
        Self { kind: Kind::ThisToolchain, rustc: facts::rustc() }
    }

    pub(super) fn of_debian(linker: PathBuf) -> Self {
        Self { kind: Kind::Debian { linker }, rustc: DEBIAN_RUSTC.to_owned() }
    }

    /// A short description of the toolchain.
    pub fn describe(&self) -> String {
        let version = command::answer(command::program(&self.rustc).arg("--version")).unwrap_or_default();
        match &self.kind {
            Kind::ThisToolchain => version,
            Kind::Debian { linker } => {
                format!("{version} of Debian, with its own standard library and {}", linker.display())
            }
        }
    }

    /// `cargo <subcommand>` in a place, for the guest target.
    pub fn cargo(&self, subcommand: &str, place: &BuildDirectories) -> Command {
        let mut cargo = match self.kind {
            Kind::ThisToolchain => command::cargo(),
            Kind::Debian { .. } => command::program(DEBIAN_CARGO),
        };
        for variable in OF_THE_MACHINE {
            cargo.env_remove(variable);
        }
        for (variable, _) in
            refiner_environment::variables().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PROFILE_"))
        {
            cargo.env_remove(variable);
        }
        let mut flags = self.remapped(place);
        cargo.current_dir(&place.directory).args([subcommand, "--target", TARGET, "--target-dir"]);
        cargo.arg(&place.target);
        if let Kind::Debian { linker } = &self.kind {
            for variable in OF_RUSTUP {
                cargo.env_remove(variable);
            }
            cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            cargo.args(["-Z", "build-std=std,panic_abort"]);
            flags.extend(["-C".into(), "linker-flavor=wasm-ld".into()]);
        }
        // With --target these reach the guest alone, not its build scripts; the encoded form takes paths with spaces.
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join(&OsString::from("\u{1f}")));
        cargo
    }

    /// `cargo clippy`, if this toolchain has it.
    pub fn clippy(&self, place: &BuildDirectories) -> Option<Command> {
        matches!(self.kind, Kind::ThisToolchain).then(|| self.cargo("clippy", place))
    }

    /// Replaces the places on this machine by names, so that the same source gives the same bytes in any directory.
    fn remapped(&self, place: &BuildDirectories) -> Vec<OsString> {
        let cargo_home = refiner_environment::variable("CARGO_HOME").map(PathBuf::from);
        let cargo_home = cargo_home.or_else(|| refiner_environment::home_directory().map(|home| home.join(".cargo")));
        let rust = facts::sysroot(&self.rustc).map(|sysroot| sysroot.join("lib/rustlib/src/rust"));
        let of_the_machine = [(cargo_home, "/cargo"), (rust, "/rust")];
        let of_the_machine = of_the_machine.into_iter().filter_map(|(place, name)| Some((place?, name.to_owned())));
        of_the_machine
            .chain(place.remapped.iter().cloned())
            .map(|(place, name)| {
                let mut flag = OsString::from("--remap-path-prefix=");
                flag.push(place);
                flag.push("=");
                flag.push(name);
                flag
            })
            .collect()
    }
}
