//! The toolchain that builds guests: found, installed, or named so that a person can install it.

mod facts;
mod guest;

pub use guest::{BuildDirectories, Guest};

use std::{fmt, path::PathBuf};

use facts::Facts;

use crate::command;

/// The target of every guest: no WASI, so nothing is imported but what the contract gives.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Forces one way: `rustup` or `debian`.
const FORCE: &str = "REFINER_GUEST_TOOLCHAIN";

/// A way to a toolchain that builds guests.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// The toolchain in use has the target.
    Installed,
    /// rustup can be asked for it.
    AddTarget,
    /// Debian's compiler builds the standard library from Debian's source of it.
    BuildStd {
        /// The linker: rust-lld or wasm-ld.
        linker: PathBuf,
    },
}

/// A way that the user insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forced {
    Rustup,
    Debian,
}

/// No way is open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToolchain {
    /// The variable that forces a way names none.
    #[error("{FORCE} is {0:?}; it can be \"rustup\" or \"debian\"")]
    UnknownForce(String),
    /// Nothing here builds for the target.
    #[error(
        "no toolchain here builds {TARGET}. Either\n  rustup target add {TARGET}\nor, on Debian,\n  apt-get install {}",
        names(.missing)
    )]
    Missing {
        /// Debian packages that would open Debian's way.
        missing: Vec<Package>,
    },
}

/// A Debian package that building guests needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// The package with rustc.
    Compiler,
    /// The package with cargo.
    Cargo,
    /// The standard library's source.
    Source,
    /// A linker for WebAssembly.
    Linker,
}

/// Finds the toolchain, installing the target when rustup can.
///
/// # Errors
/// What a person can install, when no way is open.
pub fn find() -> Result<Guest, NoToolchain> {
    let forced = match refiner_environment::variable(FORCE) {
        Some(text) => Some(forced(&text.to_string_lossy())?),
        None => None,
    };
    let facts = Facts::gather();
    for way in ways(&facts, forced) {
        match way {
            Way::Installed => return Ok(Guest::of_this_toolchain()),
            Way::AddTarget => {
                if command::run(command::program("rustup").args(["target", "add", TARGET])).is_ok() {
                    return Ok(Guest::of_this_toolchain());
                }
            }
            Way::BuildStd { linker } => return Ok(Guest::of_debian(linker)),
        }
    }
    Err(NoToolchain::Missing { missing: facts.missing })
}

/// The ways that are open, best first. Pure: the facts decide.
fn ways(facts: &Facts, forced: Option<Forced>) -> Vec<Way> {
    let installed = facts.target_installed.then_some(Way::Installed);
    let added = (!facts.target_installed && facts.rustup).then_some(Way::AddTarget);
    let linker = facts.linker.clone().filter(|_| facts.missing.is_empty());
    let built = linker.map(|linker| Way::BuildStd { linker });
    match forced {
        None => [installed, added, built].into_iter().flatten().collect(),
        Some(Forced::Rustup) => [installed, added].into_iter().flatten().collect(),
        Some(Forced::Debian) => built.into_iter().collect(),
    }
}

fn forced(text: &str) -> Result<Forced, NoToolchain> {
    match text {
        "rustup" => Ok(Forced::Rustup),
        "debian" => Ok(Forced::Debian),
        _ => Err(NoToolchain::UnknownForce(text.to_owned())),
    }
}

fn names(packages: &[Package]) -> String {
    packages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compiler => "rustc-web",
            Self::Cargo => "cargo-web",
            Self::Source => "rust-web-src",
            Self::Linker => "lld",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINKER: &str = "/usr/bin/wasm-ld-22";

    fn facts(target_installed: bool, rustup: bool, missing: &[Package]) -> Facts {
        let linker = (!missing.contains(&Package::Linker)).then(|| PathBuf::from(LINKER));
        Facts { target_installed, rustup, missing: missing.to_vec(), linker }
    }

    #[test]
    fn target_that_is_installed_is_used_else_added_else_built() {
        let build_std = || Way::BuildStd { linker: PathBuf::from(LINKER) };
        let check = |target, rustup, missing: &[Package], force, expected: &[Way]| {
            let facts = facts(target, rustup, missing);
            assert_eq!(ways(&facts, force), expected, "{facts:?} {force:?}");
        };
        let debian: &[Package] = &[];
        let none: &[Package] = &[Package::Compiler, Package::Cargo, Package::Source, Package::Linker];
        check(true, true, debian, None, &[Way::Installed, build_std()]);
        check(true, false, none, None, &[Way::Installed]);
        check(false, true, debian, None, &[Way::AddTarget, build_std()]);
        check(false, true, none, None, &[Way::AddTarget]);
        check(false, false, debian, None, &[build_std()]);
        check(false, false, none, None, &[]);
        for lacking in none {
            check(false, false, &[*lacking], None, &[]);
        }
        check(true, true, debian, Some(Forced::Debian), &[build_std()]);
        check(true, true, none, Some(Forced::Debian), &[]);
        check(true, true, debian, Some(Forced::Rustup), &[Way::Installed]);
        check(false, true, debian, Some(Forced::Rustup), &[Way::AddTarget]);
        check(false, false, debian, Some(Forced::Rustup), &[]);
    }

    #[test]
    fn machine_without_a_way_is_told_what_to_install() {
        let error = NoToolchain::Missing { missing: vec![Package::Source, Package::Linker] };
        assert_eq!(
            error.to_string(),
            "no toolchain here builds wasm32-unknown-unknown. Either\n  rustup target add wasm32-unknown-unknown\nor, on \
             Debian,\n  apt-get install rust-web-src lld"
        );
    }

    #[test]
    fn way_that_nobody_knows_is_refused() {
        assert_eq!(forced("rustup"), Ok(Forced::Rustup));
        assert_eq!(forced("debian"), Ok(Forced::Debian));
        assert_eq!(forced("Debian"), Err(NoToolchain::UnknownForce("Debian".to_owned())));
    }
}
