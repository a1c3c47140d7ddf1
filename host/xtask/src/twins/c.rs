//! The twin in C, as `refiner rule build` builds a rule in C: with the SDK beside it, by the compiler of Zig.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use refiner_authoring::c::{self, ZIG_VERSION};
use refiner_manifest::Manifest;

use super::{Twin, directory, manifest, sources};
use crate::{command, tree};

const NAME: &str = "c";
/// The package installed by `pip` into `target/zig`.
const PACKAGE: &str = "ziglang";

pub(super) fn build() -> Result<Twin> {
    let environment = match installed() {
        Ok(environment) => environment,
        Err(why) => return Ok(Twin { name: NAME, built: Err(why) }),
    };
    let text = manifest("c/rule.toml")?;
    let component = c::build(&copied(&environment)?, &Manifest::parse(&text)?)?;
    Ok(Twin { name: NAME, built: Ok(refiner_manifest::embed(&component, &text)) })
}

/// The virtual environment with Zig, installed if need be, or why there is none.
fn installed() -> Result<PathBuf, String> {
    let environment = tree::root().join("target/zig");
    let there = command::answer(command::program(environment.join("bin/python-zig")).arg("version"));
    if there.as_deref() == Some(ZIG_VERSION) {
        return Ok(environment);
    }
    let package = format!("{PACKAGE}=={ZIG_VERSION}");
    let made = command::run(command::program("python3").args(["-m", "venv"]).arg(&environment));
    let installed = made.and_then(|()| {
        command::run(command::program(environment.join("bin/pip")).args(["install", "--quiet", &package]))
    });
    installed.map(|()| environment).map_err(|error| format!("{package} cannot be installed: {error}"))
}

/// The rule's sources with the SDK and the compiler beside them.
fn copied(environment: &Path) -> Result<PathBuf> {
    let copy = directory().join("c-source");
    let removed = fs::remove_dir_all(&copy);
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    let sdk = tree::root().join("guest-sdk/c");
    for (from, to) in [(sources().join(NAME), copy.clone()), (sdk, copy.join("sdk"))] {
        fs::create_dir_all(&to)?;
        for ending in ["c", "h"] {
            for file in tree::entries(&from, ending)? {
                fs::copy(&file, to.join(file.file_name().unwrap_or_default()))
                    .with_context(|| file.display().to_string())?;
            }
        }
    }
    symlink(environment, copy.join(".venv"))?;
    Ok(copy)
}
