//! The packages that a release is made of: those of the program and of the rules in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use refiner_authoring::toolchain;
use serde::Deserialize;

use super::answer;
use crate::{command, tree};

/// The packages, by name and version.
pub struct Packages {
    pub all: BTreeMap<(String, String), Package>,
}

/// A package of a release.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// SPDX expression.
    pub licence: Option<String>,
    pub repository: Option<String>,
    /// Folder of its source.
    pub folder: PathBuf,
    /// sha256 of its archive in the registry; none for the project's own.
    pub checksum: Option<String>,
    pub dependencies: BTreeSet<(String, String)>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl Packages {
    /// The packages of the program for `target`, and of the rules.
    pub fn of_release(target: &str) -> Result<Self> {
        let mut packages = Self { all: BTreeMap::new() };
        packages.add(&tree::root(), &["--package", "refiner"], target)?;
        packages.add(&tree::rules(), &["--workspace"], toolchain::TARGET)?;
        Ok(packages)
    }

    /// Adds what is linked into the `selected` packages of a workspace.
    fn add(&mut self, workspace: &Path, selected: &[&str], target: &str) -> Result<()> {
        let linked = linked(workspace, selected, target)?;
        let mut cargo = command::line("cargo metadata --locked --format-version 1");
        let metadata = answer(cargo.args(["--filter-platform", target, "--manifest-path"]).arg(manifest(workspace)))?;
        let metadata: Metadata = serde_json::from_str(&metadata).context("the answer of cargo metadata")?;
        let checksums = checksums(&workspace.join("Cargo.lock"))?;
        let key = |package: &MetadataPackage| (package.name.clone(), package.version.clone());
        let by_id: BTreeMap<_, _> = metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        for node in &metadata.resolve.nodes {
            let Some(package) = by_id.get(node.id.as_str()).filter(|package| linked.contains(&key(package))) else {
                continue;
            };
            let needed = node.dependencies.iter().filter_map(|id| by_id.get(id.as_str())).map(|package| key(package));
            let found = self.all.entry(key(package)).or_insert_with(|| Package {
                name: package.name.clone(),
                version: package.version.clone(),
                licence: package.license.as_ref().map(|licence| licence.replace('/', " OR ")),
                repository: package.repository.clone(),
                folder: package.manifest_path.parent().map(Path::to_owned).unwrap_or_default(),
                checksum: checksums.get(&key(package)).cloned(),
                dependencies: BTreeSet::new(),
            });
            found.dependencies.extend(needed.filter(|needed| linked.contains(needed)));
        }
        Ok(())
    }
}

fn manifest(workspace: &Path) -> PathBuf {
    workspace.join("Cargo.toml")
}

/// Name and version of each package that is linked, which `cargo metadata` does not tell from those of tests.
fn linked(workspace: &Path, selected: &[&str], target: &str) -> Result<BTreeSet<(String, String)>> {
    let mut cargo = command::line("cargo tree --locked --edges normal --prefix none --format {p}");
    super::without_unification(&mut cargo);
    let tree = answer(cargo.args(selected).args(["--target", target, "--manifest-path"]).arg(manifest(workspace)))?;
    let package = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    };
    Ok(tree.lines().filter_map(package).collect())
}

/// The checksums of a lock file, by name and version.
fn checksums(lock: &Path) -> Result<BTreeMap<(String, String), String>> {
    let text = fs::read_to_string(lock).with_context(|| lock.display().to_string())?;
    let mut checksums = BTreeMap::new();
    for package in text.split("[[package]]") {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(checksum)) = (field("name"), field("version"), field("checksum")) {
            checksums.insert((name, version), checksum);
        }
    }
    Ok(checksums)
}
