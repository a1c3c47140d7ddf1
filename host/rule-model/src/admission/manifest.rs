//! The manifest a rule is admitted by, checked against what the component imports and how it describes itself.

use std::{collections::BTreeSet, fmt};

use refiner_manifest::{Manifest, ReadError, Wasi};
use refiner_specimen::Layout;
use wasmparser::Parser;

use super::{
    error::{AdmissionError, ManifestPlace},
    found::Found,
};
use crate::{
    Description, OutputDescription, UntrustedText,
    contract::{Capability, NAME_BYTES_SHOWN},
};

/// The manifest inside a component or, where it has none, the one beside it. Two must be equal.
///
/// Pure, and cheap next to everything else that admission does: for callers that need the limits of a rule before a
/// compiler looks at it.
pub fn manifest_of(component: &[u8], beside: Option<&str>) -> Result<Manifest, AdmissionError> {
    if !Parser::is_component(component) {
        return Err(AdmissionError::NotAComponent { found: Found::of(component) });
    }
    let inside = refiner_manifest::read(component).map_err(|error| match error {
        ReadError::Malformed { offset, message } => {
            AdmissionError::Malformed { offset: offset as u64, message: UntrustedText::new(&message) }
        }
        ReadError::Two { .. } | ReadError::NotText(_) => refused(ManifestPlace::Inside, &error),
    })?;
    let inside = inside.map(|text| parse(text, ManifestPlace::Inside)).transpose()?;
    let beside = beside.map(|text| parse(text, ManifestPlace::Beside)).transpose()?;
    match (inside, beside) {
        (None, None) => Err(AdmissionError::NoManifest { looked_for: None }),
        (Some(manifest), None) | (None, Some(manifest)) => Ok(manifest),
        (Some(inside), Some(beside)) => match first_difference(stated(&inside), stated(&beside)) {
            None => Ok(inside),
            Some((field, inside, beside)) => Err(AdmissionError::ManifestsDiffer { field, inside, beside }),
        },
    }
}

fn parse(text: &str, place: ManifestPlace) -> Result<Manifest, AdmissionError> {
    Manifest::parse(text).map_err(|error| refused(place, &error))
}

fn refused(place: ManifestPlace, error: &impl fmt::Display) -> AdmissionError {
    AdmissionError::Manifest { place, message: UntrustedText::new(&error.to_string()) }
}

/// A rule asks for what it imports, all of it and nothing else.
pub(super) fn agrees_with_imports(manifest: &Manifest, imported: &BTreeSet<Capability>) -> Result<(), AdmissionError> {
    let asked = asked(manifest);
    if let Some(capability) = imported.difference(&asked).next() {
        return Err(AdmissionError::Unasked { capability: *capability });
    }
    match asked.difference(imported).next() {
        Some(capability) => Err(AdmissionError::Unused { capability: *capability }),
        None => Ok(()),
    }
}

pub(super) fn asked(manifest: &Manifest) -> BTreeSet<Capability> {
    let capabilities = manifest.capabilities.iter().map(|capability| match capability {
        refiner_manifest::Capability::Evm => Capability::Evm,
        refiner_manifest::Capability::Receipts => Capability::Receipts,
        refiner_manifest::Capability::Traces => Capability::Traces,
        refiner_manifest::Capability::StateChanges => Capability::StateChanges,
        refiner_manifest::Capability::GasProfile => Capability::GasProfile,
        refiner_manifest::Capability::WhatIf => Capability::WhatIf,
    });
    capabilities.chain(manifest.wasi.map(|Wasi::Sealed| Capability::Wasi)).collect()
}

/// The layouts a rule accepts; none means all.
pub(super) fn layouts(manifest: &Manifest) -> Result<Vec<Layout>, AdmissionError> {
    let layout =
        |name: &String| Layout::from_version(name).ok_or_else(|| AdmissionError::Layout { layout: shown(name) });
    manifest.layouts.iter().map(layout).collect()
}

/// Checks that a rule describes itself as its manifest does.
pub fn agrees_with_description(manifest: &Manifest, description: &Description) -> Result<(), AdmissionError> {
    let Description { name, version, layouts, outputs } = description;
    let described = [
        ("name", name.clone()),
        ("version", version.clone()),
        ("layouts", list(layouts.iter().map(quoted))),
        ("outputs", list(outputs)),
    ];
    match first_difference(described, stated(manifest)) {
        None => Ok(()),
        Some((field, described, stated)) => Err(AdmissionError::Disagrees { field, described, stated }),
    }
}

/// The first field of `left` that differs from the one at its place in `right`, with both values.
fn first_difference(
    left: impl IntoIterator<Item = (&'static str, String)>,
    right: impl IntoIterator<Item = (&'static str, String)>,
) -> Option<(&'static str, UntrustedText, UntrustedText)> {
    let mut pairs = left.into_iter().zip(right);
    let ((field, left), (_, right)) = pairs.find(|(left, right)| left.1 != right.1)?;
    Some((field, shown(&left), shown(&right)))
}

/// Every field, first those that a rule also states of itself.
fn stated(manifest: &Manifest) -> [(&'static str, String); 11] {
    let Manifest { name, version, world, layouts, capabilities, wasi, limits, outputs, licence, source } = manifest;
    let columns = outputs.iter().flat_map(|output| &output.columns).map(|column| format!("{column:?}"));
    let columns = list(columns);
    let outputs = outputs.iter().map(|output| OutputDescription {
        name: output.name.clone(),
        media_type: output.media_type.clone(),
        schema: output.schema.clone(),
    });
    [
        ("name", name.clone()),
        ("version", version.clone()),
        ("layouts", list(layouts.iter().map(quoted))),
        ("outputs", list(outputs)),
        ("world", world.to_string()),
        ("capabilities", list(capabilities)),
        ("wasi", wasi.map_or("none", |Wasi::Sealed| "sealed").to_owned()),
        ("limits", list(limits.iter().map(|(name, value)| format!("{name} = {value}")))),
        ("licence", licence.clone()),
        ("source", source.clone()),
        ("columns", columns),
    ]
}

/// Quoted, so that no item of a guest's list can pass for two.
fn quoted(item: &String) -> String {
    format!("{item:?}")
}

fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

fn shown(text: &str) -> UntrustedText {
    UntrustedText::at_most(text, NAME_BYTES_SHOWN)
}
