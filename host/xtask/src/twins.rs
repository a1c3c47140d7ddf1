//! `cargo xtask twins`: rules, each written several times over, for the tests that hold the twins against each other.
//!
//! Components go to `target/twins`. A twin that cannot be built here, because a toolchain or a package cannot be fetched,
//! leaves its reason there in place of a component, and the tests print it.

mod c;
mod go;
mod javascript;
mod python;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use refiner_authoring::{
    component, digest,
    toolchain::{self, BuildDirectories, Guest, TARGET},
};

use crate::{command, step::Steps, tree};

/// The target of the twin that uses what `std` has under WASI.
const WASI_TARGET: &str = "wasm32-wasip2";

/// The outcome of building a twin.
pub struct Twin {
    name: &'static str,
    /// Bytes of its component, or why there is none.
    built: Result<Vec<u8>, String>,
}

/// Builds the twins and prints what came out.
pub fn run() -> Result<()> {
    let mut steps = Steps::of(2);
    let guest = steps.take("Find the guest toolchain", None, || Ok(toolchain::find()?))?;
    let twins = steps.take("Build the twins", None, || build(&guest))?;
    print(&twins);
    Ok(())
}

/// Builds every twin that can be built here.
pub fn build(guest: &Guest) -> Result<Vec<Twin>> {
    fs::create_dir_all(directory())?;
    let mut twins = vec![
        Twin { name: "rust", built: Ok(rust(guest, "twin-rust", "rust/rule.toml")?) },
        Twin { name: "lens", built: Ok(rust(guest, "twin-lens", "lens/rule.toml")?) },
        Twin { name: "wasip2", built: wasip2()? },
    ];
    twins.extend(python::build()?);
    twins.push(javascript::build()?);
    twins.push(c::build()?);
    twins.extend(go::build()?);
    for Twin { name, built } in &twins {
        let component = directory().join(name).with_extension("wasm");
        let reason = directory().join(name).with_extension("skipped");
        match built {
            Ok(bytes) => {
                component::write_if_changed(&component, bytes)?;
                fs::remove_file(&reason).ok();
            }
            Err(why) => {
                fs::remove_file(&component).ok();
                fs::write(&reason, why)?;
            }
        }
    }
    Ok(twins)
}

/// One line a twin: name, size and digest, or why there is none.
pub fn print(twins: &[Twin]) {
    for Twin { name, built } in twins {
        match built {
            Ok(component) => {
                println!("      {name}  {}  sha256 {}", digest::size(component.len()), digest::sha256(component));
            }
            Err(why) => println!("      {name}  skipped: {why}"),
        }
    }
}

/// Where the twins' components go.
fn directory() -> PathBuf {
    tree::root().join("target/twins")
}

/// Where their sources are.
fn sources() -> PathBuf {
    tree::root().join("tests/twins")
}

/// Where the contract is.
fn contract() -> PathBuf {
    tree::root().join("wit/refiner-rule-1")
}

fn place() -> BuildDirectories {
    BuildDirectories {
        directory: sources(),
        target: directory().join("build"),
        remapped: vec![(tree::root(), "/refiner".to_owned())],
    }
}

fn rust(guest: &Guest, package: &str, of_rule: &str) -> Result<Vec<u8>> {
    command::run(guest.cargo("build", &place()).args(["--release", "--package", package]))?;
    let module = release(TARGET).join(package.replace('-', "_")).with_extension("wasm");
    let module = fs::read(&module).with_context(|| module.display().to_string())?;
    Ok(component::of_rule(&module, &manifest(of_rule)?)?)
}

/// This toolchain's own wasm32-wasip2, which links components itself.
fn wasip2() -> Result<Result<Vec<u8>, String>> {
    let installed =
        command::answer(command::program("rustc").args(["--print", "target-libdir", "--target", WASI_TARGET]));
    if !installed.is_some_and(|libraries| Path::new(&libraries).is_dir())
        && let Err(error) = command::run(command::program("rustup").args(["target", "add", WASI_TARGET]))
    {
        return Ok(Err(format!("{WASI_TARGET} is not installed: {error}")));
    }
    let mut cargo = command::cargo();
    cargo.current_dir(sources()).args(["build", "--release", "--locked", "--package", "twin-wasip2"]);
    cargo.args(["--target", WASI_TARGET, "--target-dir"]).arg(place().target);
    command::run(&mut cargo)?;
    let component = release(WASI_TARGET).join("twin_wasip2.wasm");
    let component = fs::read(&component).with_context(|| component.display().to_string())?;
    Ok(Ok(refiner_manifest::embed(&component, &manifest("wasip2/rule.toml")?)))
}

fn release(target: &str) -> PathBuf {
    place().target.join(target).join("release")
}

fn manifest(path: &str) -> Result<String> {
    fs::read_to_string(sources().join(path)).with_context(|| path.to_owned())
}
