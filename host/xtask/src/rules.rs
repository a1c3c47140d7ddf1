//! `cargo xtask rules`: every crate of `rules/` to a component.

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

/// A rule as it was built.
pub struct Rule {
    name: String,
    component: Vec<u8>,
}

/// Builds the rules and prints what came out.
pub fn run() -> Result<()> {
    let mut steps = Steps::of(2);
    let guest = steps.take("Find the guest toolchain", None, || Ok(toolchain::find()?))?;
    println!("      {}", guest.describe());
    let rules = steps.take("Build the rules", None, || build(&guest))?;
    print(&rules);
    Ok(())
}

/// Builds the rules with a toolchain that is found already.
pub fn build(guest: &Guest) -> Result<Vec<Rule>> {
    command::run(guest.cargo("build", &place()).args(["--release", "--locked"]))?;
    let crates = crates()?;
    let rules: Vec<Rule> = crates.iter().map(|path| rule(path)).collect::<Result<_>>()?;
    remove_all_but(&rules)?;
    Ok(rules)
}

/// The workspace of the rules, as guests are built in it.
pub fn place() -> BuildDirectories {
    BuildDirectories {
        directory: tree::rules(),
        target: tree::rules().join("target"),
        remapped: vec![(tree::root(), "/refiner".to_owned())],
    }
}

/// One line a rule: name, size, digest.
pub fn print(rules: &[Rule]) {
    for Rule { name, component } in rules {
        println!("      {name}  {}  sha256 {}", digest::size(component.len()), digest::sha256(component));
    }
}

/// Folders of `rules/` that hold a rule.
fn crates() -> Result<Vec<PathBuf>> {
    let mut crates = Vec::new();
    for entry in fs::read_dir(tree::rules()).context("the rules")? {
        let path = entry?.path();
        if path.join("rule.toml").is_file() {
            crates.push(path);
        }
    }
    crates.sort();
    Ok(crates)
}

fn rule(path: &Path) -> Result<Rule> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let module = tree::rules().join("target").join(TARGET).join("release").join(name.replace('-', "_"));
    let module = module.with_extension("wasm");
    let module = fs::read(&module).with_context(|| module.display().to_string())?;
    let manifest = path.join("rule.toml");
    let manifest = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let component = component::of_rule(&module, &manifest).with_context(|| name.clone())?;

    let built = tree::components().join(&name);
    fs::create_dir_all(tree::components())?;
    component::write_if_changed(&built.with_extension("wasm"), &component)?;
    component::write_if_changed(&built.with_extension("toml"), manifest.as_bytes())?;
    Ok(Rule { name, component })
}

/// A rule that is no longer there must not stay embedded in the program.
fn remove_all_but(rules: &[Rule]) -> Result<()> {
    for path in tree::entries(&tree::components(), "wasm")? {
        if !rules.iter().any(|rule| path.file_stem().is_some_and(|stem| stem == rule.name.as_str())) {
            fs::remove_file(&path)?;
            fs::remove_file(path.with_extension("toml")).ok();
        }
    }
    Ok(())
}
