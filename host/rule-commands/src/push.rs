//! `refiner rule push`: a rule into a registry.

use refiner_authoring::{digest, surface};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_manifest::Manifest;
use refiner_rule_model::{Grants, examine, manifest_of};
use refiner_sources::{Package, RuleSource};
use refiner_text::OneLine;
use serde_json::json;

use super::{RuleError, arguments::Push, session::PrepareError};
use crate::{
    rules::{FindError, Sources},
    terminal,
};

pub fn run(arguments: &Push) -> Result<ExitCode, Failure> {
    let Push { component, to, settings, json } = arguments;
    let target: RuleSource = to.parse().map_err(FindError::from)?;
    let RuleSource::Oci(reference) = &target else {
        return Err(RuleError::NoRegistry { target: target.shown() }.into());
    };
    let resolver = Sources::publisher(&settings.values()?);
    let found = resolver.resolve(&RuleSource::File(component.clone())).map_err(FindError::from)?;
    let refused = |source| PrepareError::Refused { rule: component.display().to_string(), source };
    // What nobody could use is not published.
    examine(&found.bytes, found.beside.as_deref(), &Grants::all()).map_err(refused)?;
    let manifest = manifest_of(&found.bytes, found.beside.as_deref()).map_err(refused)?;
    let package = package(found.bytes, found.beside, &manifest);
    let (bytes, sha256) = (package.component.len(), digest::sha256(&package.component));
    let pinned = resolver.push(&package, reference).map_err(FindError::from)?;
    let stdout = &mut terminal::out(*json);
    if *json {
        let pushed = json!({ "name": manifest.name, "source": pinned.to_string(), "bytes": bytes, "sha256": sha256 });
        writeln!(stdout, "{pushed}")?;
    } else {
        writeln!(stdout, "{}  {}  sha256 {sha256}", OneLine(pinned), digest::size(bytes))?;
    }
    Ok(ExitCode::Done)
}

/// The rule with what registries show of it. A manifest that the component holds too is left out.
fn package(component: Vec<u8>, beside: Option<String>, manifest: &Manifest) -> Package {
    let beside = beside.filter(|_| !matches!(refiner_manifest::read(&component), Ok(Some(_))));
    // It was examined: what cannot be read here was refused.
    let surface = surface::read(&component).unwrap_or_default();
    let annotations = vec![
        ("org.opencontainers.image.licenses", manifest.licence.clone()),
        ("org.opencontainers.image.source", manifest.source.clone()),
        ("org.opencontainers.image.title", manifest.name.clone()),
        ("org.opencontainers.image.version", manifest.version.clone()),
    ];
    Package {
        component,
        beside: beside.map(String::into_bytes),
        imports: surface.imports,
        exports: surface.exports,
        annotations,
    }
}
