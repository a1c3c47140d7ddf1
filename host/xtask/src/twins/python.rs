//! The twins in Python, by componentize-py: of the one rule once with its imports of WASI cut off and once with them, and of the rule
//! that asks for every interface.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use refiner_authoring::digest;

use super::{Twin, contract, directory, manifest, sources};
use crate::{command, tree};

/// Packages installed by `pip` into `target/python`.
const COMPONENTIZE: &str = "componentize-py==0.25.1";

struct Variant {
    name: &'static str,
    /// The module with the class `Rule`.
    module: &'static str,
    world: &'static str,
    flags: &'static [&'static str],
}

const VARIANTS: [Variant; 3] = [
    Variant { name: "python-stubbed", module: "stubbed", world: "transform", flags: &["--stub-wasi"] },
    Variant { name: "python-sealed", module: "sealed", world: "transform", flags: &[] },
    Variant { name: "lens-python", module: "lens", world: "analyze", flags: &["--stub-wasi"] },
];

/// Builds them, or finds them built from the same sources.
pub(super) fn build() -> Result<Vec<Twin>> {
    let inputs = inputs()?;
    let mut compiler = None;
    let mut twins = Vec::new();
    for variant in &VARIANTS {
        let built = directory().join(variant.name);
        let (component, stamp) = (built.with_extension("wasm"), built.with_extension("stamp"));
        if fs::read_to_string(&stamp).is_ok_and(|found| found == inputs)
            && built.with_extension("bare.wasm").is_file()
            && let Ok(bytes) = fs::read(&component)
        {
            twins.push(Twin { name: variant.name, built: Ok(bytes) });
            continue;
        }
        let built = match compiler.get_or_insert_with(compiler_installed) {
            Ok(program) => Ok(componentize(program, variant)?),
            Err(why) => Err(why.clone()),
        };
        if built.is_ok() {
            fs::write(&stamp, &inputs)?;
        }
        twins.push(Twin { name: variant.name, built });
    }
    Ok(twins)
}

/// sha256 over everything the components are made of. The compiler's output differs from call to call, so what is built is
/// kept for as long as this stays the same.
fn inputs() -> Result<String> {
    let mut files = tree::entries(&sources().join("python"), "py")?;
    files.extend(tree::entries(&sources().join("python"), "toml")?);
    files.extend(tree::entries(&contract(), "wit")?);
    let mut all = COMPONENTIZE.as_bytes().to_vec();
    for file in files {
        all.extend(fs::read(&file).with_context(|| file.display().to_string())?);
    }
    Ok(digest::sha256(&all))
}

/// The program, installed if need be, or why it is not here.
fn compiler_installed() -> Result<PathBuf, String> {
    let environment = tree::root().join("target/python");
    let program = environment.join("bin/componentize-py");
    let there = command::answer(command::program(&program).arg("--version"));
    if there.is_some_and(|version| COMPONENTIZE.ends_with(version.trim_start_matches("componentize-py "))) {
        return Ok(program);
    }
    let installed = command::run(command::program("python3").args(["-m", "venv"]).arg(&environment)).and_then(|()| {
        command::run(command::program(environment.join("bin/pip")).args(["install", "--quiet", COMPONENTIZE]))
    });
    installed.map(|()| program).map_err(|error| format!("{COMPONENTIZE} cannot be installed: {error}"))
}

fn componentize(program: &Path, variant: &Variant) -> Result<Vec<u8>> {
    let component = directory().join(variant.name).with_extension("bare.wasm");
    let mut command = command::program(program);
    command.arg("--wit-path").arg(contract()).args(["--world", variant.world, "--quiet"]);
    command.args(["componentize", variant.module, "--python-path"]).arg(copied()?);
    command.args(variant.flags).arg("--output").arg(&component);
    command::run(&mut command)?;
    // What the compiler wrote stays: `refiner rule embed` is tried on it.
    let bytes = fs::read(&component)?;
    Ok(refiner_manifest::embed(&bytes, &manifest(&format!("python/{}.toml", variant.module))?))
}

/// The modules, where the interpreter that componentize-py runs may leave its `__pycache__`.
fn copied() -> Result<PathBuf> {
    let copies = directory().join("source");
    fs::create_dir_all(&copies)?;
    for module in tree::entries(&sources().join("python"), "py")? {
        fs::copy(&module, copies.join(module.file_name().unwrap_or_default()))
            .with_context(|| module.display().to_string())?;
    }
    Ok(copies)
}
