//! The bill of materials, as CycloneDX 1.5 in JSON.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{
    answer,
    packages::{Package, Packages},
};
use crate::command;

/// The document. It has no serial number: one would differ from build to build.
pub fn document(packages: &Packages, epoch: &str) -> Result<Value> {
    let time = answer(command::program("date").args(["-u", "-d", &format!("@{epoch}"), "+%Y-%m-%dT%H:%M:%SZ"]))?;
    let program = ("refiner".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let others = packages.all.iter().filter(|(key, _)| **key != program);
    let components: Vec<_> = others.map(|(_, package)| component(package, "library")).collect();
    let dependencies: Vec<_> = packages
        .all
        .values()
        .map(|package| {
            let on: Vec<_> = package.dependencies.iter().map(|(name, version)| reference(name, version)).collect();
            json!({ "ref": reference(&package.name, &package.version), "dependsOn": on })
        })
        .collect();
    let program = packages.all.get(&program).map(|package| component(package, "application"));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "timestamp": time, "component": program },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn reference(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}

fn component(package: &Package, kind: &str) -> Value {
    let Package { name, version, licence, repository, checksum, .. } = package;
    let mut component = Map::new();
    component.insert("type".into(), kind.into());
    component.insert("bom-ref".into(), reference(name, version).into());
    component.insert("name".into(), name.as_str().into());
    component.insert("version".into(), version.as_str().into());
    component.insert("purl".into(), reference(name, version).into());
    if let Some(licence) = licence {
        component.insert("licenses".into(), json!([{ "expression": licence }]));
    }
    if let Some(checksum) = checksum {
        component.insert("hashes".into(), json!([{ "alg": "SHA-256", "content": checksum }]));
    }
    if let Some(repository) = repository {
        component.insert("externalReferences".into(), json!([{ "type": "vcs", "url": repository }]));
    }
    Value::Object(component)
}
