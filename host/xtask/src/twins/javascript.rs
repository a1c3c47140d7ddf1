//! The twin in JavaScript, by componentize-js: its component imports nothing but the contract.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use refiner_authoring::digest;

use super::{Twin, contract, directory, manifest, sources};
use crate::{command, tree};

/// The package installed by npm into `target/javascript`.
const COMPONENTIZE: &str = "@bytecodealliance/componentize-js@0.23.0";
const NAME: &str = "javascript";

/// Builds it, or finds it built from the same sources.
pub(super) fn build() -> Result<Twin> {
    let inputs = inputs()?;
    let built = directory().join(NAME);
    let (component, bare, stamp) =
        (built.with_extension("wasm"), built.with_extension("bare.wasm"), built.with_extension("stamp"));
    if fs::read_to_string(&stamp).is_ok_and(|found| found == inputs)
        && bare.is_file()
        && let Ok(bytes) = fs::read(&component)
    {
        return Ok(Twin { name: NAME, built: Ok(bytes) });
    }
    let built = match installed() {
        Ok(program) => Ok(componentize(&program, &bare)?),
        Err(why) => Err(why),
    };
    if built.is_ok() {
        fs::write(&stamp, &inputs)?;
    }
    Ok(Twin { name: NAME, built })
}

/// sha256 over everything the component is made of.
fn inputs() -> Result<String> {
    let mut files = tree::entries(&sources().join(NAME), "js")?;
    files.extend(tree::entries(&sources().join(NAME), "toml")?);
    files.extend(tree::entries(&contract(), "wit")?);
    let mut all = COMPONENTIZE.as_bytes().to_vec();
    for file in files {
        all.extend(fs::read(&file).with_context(|| file.display().to_string())?);
    }
    Ok(digest::sha256(&all))
}

/// The program, installed if need be, or why it is not here.
fn installed() -> Result<PathBuf, String> {
    let prefix = tree::root().join("target/javascript");
    let program = prefix.join("node_modules/.bin/componentize-js");
    if program.is_file() {
        return Ok(program);
    }
    let made = fs::create_dir_all(&prefix).map_err(|error| error.to_string());
    let mut npm = command::program("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(&prefix).arg(COMPONENTIZE);
    let installed = made.and_then(|()| command::run(&mut npm).map_err(|error| error.to_string()));
    installed.map(|()| program).map_err(|error| format!("{COMPONENTIZE} cannot be installed: {error}"))
}

fn componentize(program: &Path, bare: &Path) -> Result<Vec<u8>> {
    let mut command = command::program(program);
    command.arg(sources().join(NAME).join("by_sender.js")).arg("--wit").arg(contract());
    command.args(["--world-name", "transform", "--disable", "random", "stdio", "clocks", "http", "fetch-event"]);
    command::run(command.arg("--out").arg(bare))?;
    Ok(refiner_manifest::embed(&fs::read(bare)?, &manifest("javascript/by_sender.toml")?))
}
