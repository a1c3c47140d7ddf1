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
    workspace_members: Vec<String>,
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
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `dev` or `build`; none for what is linked.
    kind: Option<String>,
}

impl Packages {
    /// The packages of the program for `target`, and of the rules.
    pub fn of_release(target: &str) -> Result<Self> {
        let mut packages = Self { all: BTreeMap::new() };
        let root = tree::root();
        packages.add(&root, target, |name| name == "refiner")?;
        packages.add(&tree::rules(), toolchain::TARGET, |_| true)?;
        Ok(packages)
    }

    /// Adds what the members of a workspace that `is_root` need to be linked.
    fn add(&mut self, workspace: &Path, target: &str, is_root: impl Fn(&str) -> bool) -> Result<()> {
        let line = format!("cargo metadata --locked --format-version 1 --filter-platform {target} --manifest-path");
        let metadata = answer(command::line(&line).arg(workspace.join("Cargo.toml")))?;
        let metadata: Metadata = serde_json::from_str(&metadata).context("the answer of cargo metadata")?;
        let checksums = checksums(&workspace.join("Cargo.lock"))?;
        let by_id: BTreeMap<_, _> = metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let nodes: BTreeMap<_, _> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut next: Vec<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
        next.retain(|id| by_id.get(id).is_some_and(|package| is_root(&package.name)));
        let mut seen = BTreeSet::new();
        while let Some(id) = next.pop() {
            let (true, Some(package), Some(node)) = (seen.insert(id), by_id.get(id), nodes.get(id)) else { continue };
            let is_linked = |dependency: &&Dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
            let linked: Vec<_> = node.deps.iter().filter(is_linked).map(|dependency| dependency.pkg.as_str()).collect();
            let key = |package: &MetadataPackage| (package.name.clone(), package.version.clone());
            let dependencies = linked.iter().filter_map(|id| by_id.get(id)).map(|package| key(package));
            let found = self.all.entry(key(package)).or_insert_with(|| Package {
                name: package.name.clone(),
                version: package.version.clone(),
                licence: package.license.as_ref().map(|licence| licence.replace('/', " OR ")),
                repository: package.repository.clone(),
                folder: package.manifest_path.parent().map(Path::to_owned).unwrap_or_default(),
                checksum: checksums.get(&key(package)).cloned(),
                dependencies: BTreeSet::new(),
            });
            found.dependencies.extend(dependencies);
            next.extend(linked);
        }
        Ok(())
    }
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
