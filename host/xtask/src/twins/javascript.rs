//! The twins in JavaScript, by componentize-js: their components import nothing but the contract.

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
/// The folder of their sources.
const SOURCES: &str = "javascript";

/// A twin and its files.
struct Variant {
    name: &'static str,
    /// Name of the script and of the manifest beside it.
    source: &'static str,
    world: &'static str,
}

const VARIANTS: [Variant; 2] = [
    Variant { name: "javascript", source: "by_sender", world: "transform" },
    Variant { name: "lens-javascript", source: "lens", world: "analyze" },
];

/// Builds them, or finds them built from the same sources.
pub(super) fn build() -> Result<Vec<Twin>> {
    VARIANTS.iter().map(build_one).collect()
}

fn build_one(variant: &Variant) -> Result<Twin> {
    let Variant { name, .. } = *variant;
    let inputs = inputs(variant)?;
    let built = directory().join(name);
    let (component, bare, stamp) =
        (built.with_extension("wasm"), built.with_extension("bare.wasm"), built.with_extension("stamp"));
    if fs::read_to_string(&stamp).is_ok_and(|found| found == inputs)
        && bare.is_file()
        && let Ok(bytes) = fs::read(&component)
    {
        return Ok(Twin { name, built: Ok(bytes) });
    }
    let built = match installed() {
        Ok(program) => Ok(componentize(&program, variant, &bare)?),
        Err(why) => Err(why),
    };
    if built.is_ok() {
        fs::write(&stamp, &inputs)?;
    }
    Ok(Twin { name, built })
}

/// sha256 over everything the component is made of.
fn inputs(variant: &Variant) -> Result<String> {
    let source = sources().join(SOURCES).join(variant.source);
    let mut files = vec![source.with_extension("js"), source.with_extension("toml")];
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

fn componentize(program: &Path, variant: &Variant, bare: &Path) -> Result<Vec<u8>> {
    let Variant { source, world, .. } = *variant;
    let mut command = command::program(program);
    command.arg(sources().join(SOURCES).join(source).with_extension("js")).arg("--wit").arg(contract());
    command.args(["--world-name", world, "--disable", "random", "stdio", "clocks", "http", "fetch-event"]);
    command::run(command.arg("--out").arg(bare))?;
    Ok(refiner_manifest::embed(&fs::read(bare)?, &manifest(&format!("{SOURCES}/{source}.toml"))?))
}
