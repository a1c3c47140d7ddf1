//! Facts about the toolchains of this machine.

use std::path::{Path, PathBuf};

use super::{Package, TARGET};
use crate::command;

/// Debian's compiler and cargo. Their version is what matters: older Debian packages of the same path do not build us.
pub const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
pub const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// The oldest minor version of Rust 1 that builds the rules (`rust-version` in rules/Cargo.toml).
const OLDEST_MINOR: u32 = 95;

/// Where Debian's linkers for WebAssembly are found, newest first.
const DEBIAN_LINKERS: [&str; 4] =
    ["/usr/bin/wasm-ld-22", "/usr/bin/wasm-ld-21", "/usr/bin/wasm-ld-20", "/usr/bin/wasm-ld"];

/// The facts that decide the way to a guest toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The toolchain in use has the target's standard library.
    pub target_installed: bool,
    /// There is a rustup to ask.
    pub rustup: bool,
    /// Packages that Debian's way lacks.
    pub missing: Vec<Package>,
    /// A linker for WebAssembly.
    pub linker: Option<PathBuf>,
}

impl Facts {
    pub fn gather() -> Self {
        let sysroot = sysroot(&rustc());
        let linker = linker(sysroot.as_deref());
        let source = self::sysroot(DEBIAN_RUSTC).map(|sysroot| sysroot.join("lib/rustlib/src/rust/library/std"));
        let missing = [
            (Package::Compiler, recent(DEBIAN_RUSTC)),
            (Package::Cargo, recent(DEBIAN_CARGO)),
            (Package::Source, source.is_some_and(|source| source.is_dir())),
            (Package::Linker, linker.is_some()),
        ];
        Self {
            target_installed: sysroot
                .is_some_and(|sysroot| sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()),
            rustup: command::answer(command::program("rustup").arg("--version")).is_some(),
            missing: missing.into_iter().filter_map(|(package, there)| (!there).then_some(package)).collect(),
            linker,
        }
    }
}

/// The compiler that cargo uses here.
pub fn rustc() -> String {
    refiner_environment::variable("RUSTC")
        .map_or_else(|| "rustc".to_owned(), |rustc| rustc.to_string_lossy().into_owned())
}

/// Where a compiler keeps its standard libraries.
pub fn sysroot(rustc: &str) -> Option<PathBuf> {
    command::answer(command::program(rustc).args(["--print", "sysroot"])).map(PathBuf::from)
}

/// A linker for WebAssembly: Debian's, or the one that comes with rustup's compiler.
fn linker(sysroot: Option<&Path>) -> Option<PathBuf> {
    let host = concat!("lib/rustlib/", env!("REFINER_BUILT_FOR"), "/bin/rust-lld");
    let of_rustup = sysroot.map(|sysroot| sysroot.join(host));
    DEBIAN_LINKERS.iter().map(PathBuf::from).chain(of_rustup).find(|path| path.is_file())
}

/// True when the program is there and new enough.
fn recent(program: &str) -> bool {
    command::answer(command::program(program).arg("--version")).is_some_and(|text| is_recent(&text))
}

/// `text` is what `rustc --version` or `cargo --version` prints.
fn is_recent(text: &str) -> bool {
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    let mut numbers = version.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(1), Some(minor)) => minor >= OLDEST_MINOR,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiler_is_recent_from_the_version_that_the_rules_need() {
        let check = |text, expected| assert_eq!(is_recent(text), expected, "{text}");
        check("rustc 1.95.0 (59807616e 2026-04-14)", true);
        check("cargo 1.96.0", true);
        check("rustc 1.97.0-nightly (0123456 2026-06-01)", true);
        check("rustc 1.94.1 (0123456 2026-03-01)", false);
        check("rustc 1.63.0", false);
        check("rustc", false);
        check("", false);
    }
}
