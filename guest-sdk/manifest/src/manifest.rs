//! The manifest's fields, and what must hold between them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;

use crate::{Column, ManifestError, column, label};

/// Longest manifest. A rule with 32 outputs, each with a long name, media type and schema, needs half of it.
pub const MANIFEST_BYTES_MAX: usize = 32 << 10;

/// Most outputs: as many artifacts as a run can be granted.
pub const OUTPUTS_MAX: usize = 32;

/// Most layouts: several times as many as there are, of which a year adds a few at most.
const LAYOUTS_MAX: usize = 64;

/// Names that `[limits]` can have, in the order of the host's table, which holds defaults and caps.
pub const LIMIT_NAMES: [&str; 14] = [
    "component_bytes",
    "specimen_bytes",
    "memory_bytes",
    "fuel",
    "wall_ms",
    "calls",
    "call_bytes",
    "copied_bytes",
    "log_lines",
    "log_bytes",
    "artifacts",
    "output_bytes",
    "evm_executions",
    "record_bytes",
];

/// `rule.toml`. Unknown keys are errors, so a typing mistake is not a silent default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// 1 to 64 characters of a-z, 0-9, `-`, `_` and `.`, starting with a letter or a digit.
    pub name: String,
    /// The same characters and `+`; in Rust, the version of the crate.
    pub version: String,
    /// The world of the contract that the rule is built for.
    pub world: World,
    /// Codec layouts accepted, `"0.38"`; empty accepts every layout.
    pub layouts: Vec<String>,
    /// Capabilities needed beyond the specimen, output, log and parameters.
    #[serde(default)]
    pub capabilities: BTreeSet<Capability>,
    /// Whether it is built for WASI.
    pub wasi: Option<Wasi>,
    /// The amount requested of each limit, by the names in [`LIMIT_NAMES`]; a limit without a name gets the default.
    #[serde(default)]
    pub limits: BTreeMap<String, u64>,
    /// The artifacts it may produce.
    pub outputs: Vec<Output>,
    /// The licence it is given under, best as an SPDX expression.
    pub licence: String,
    /// Where its source is.
    pub source: String,
}

/// An artifact that a rule may produce: one `[[outputs]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Output {
    /// Its name, unique in the manifest ([`crate::is_artifact_name`]).
    pub name: String,
    /// Its media type, `"application/json"`.
    pub media_type: String,
    /// Schema that the bytes follow.
    pub schema: Option<String>,
    /// The columns of its rows; none for an output that is not checked row by row, and is no table.
    #[serde(default)]
    pub columns: Vec<Column>,
}

/// A world of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// The rule transforms what the specimen contains.
    Transform,
    /// It also needs the block executed.
    TransformWithEvm,
}

/// A capability beyond those that every rule gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Execution of the block, by the host.
    Evm,
    /// Receipts from wherever they are proven.
    Receipts,
    /// The calls of an execution.
    Traces,
    /// The differences of state of an execution.
    StateChanges,
    /// The gas of an execution by opcode and contract.
    GasProfile,
    /// Execution of the block under other conditions.
    WhatIf,
}

/// The use that a rule makes of WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wasi {
    /// WASI with nothing behind it.
    Sealed,
}

impl Manifest {
    /// Reads and checks a manifest.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge { found_bytes: text.len() });
        }
        let manifest: Self = toml::from_str(text).map_err(|error| ManifestError::syntax(text, &error))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// True when the results of the rule are hypothetical: it executes blocks under other conditions than their own.
    pub fn is_hypothetical(&self) -> bool {
        self.capabilities.contains(&Capability::WhatIf)
    }

    fn check(&self) -> Result<(), ManifestError> {
        valid("name", &self.name, label::is_rule_name)?;
        valid("version", &self.version, label::is_version)?;
        valid("licence", &self.licence, label::is_note)?;
        valid("source", &self.source, label::is_note)?;
        match (self.world, self.capabilities.contains(&Capability::Evm)) {
            (World::TransformWithEvm, false) => return Err(ManifestError::EvmWithoutCapability),
            (World::Transform, true) => return Err(ManifestError::CapabilityWithoutEvm),
            _ => {}
        }
        if let Some(capability) = self.capabilities.iter().find(|capability| **capability != Capability::Evm)
            && !self.capabilities.contains(&Capability::Evm)
        {
            return Err(ManifestError::WithoutEvm { capability: *capability });
        }
        few("layouts", self.layouts.len(), LAYOUTS_MAX)?;
        few("outputs", self.outputs.len(), OUTPUTS_MAX)?;
        for (position, layout) in self.layouts.iter().enumerate() {
            valid("layouts", layout, label::is_layout)?;
            once("layouts", layout, &self.layouts[..position])?;
        }
        for (position, output) in self.outputs.iter().enumerate() {
            valid("outputs.name", &output.name, label::is_artifact_name)?;
            valid("outputs.media-type", &output.media_type, label::is_media_type)?;
            valid("outputs.schema", output.schema.as_deref().unwrap_or("none"), label::is_schema_name)?;
            once("outputs", &output.name, self.outputs[..position].iter().map(|earlier| &earlier.name))?;
            column::check(&output.name, &output.media_type, &output.columns)?;
        }
        match self.limits.keys().find(|name| !LIMIT_NAMES.contains(&name.as_str())) {
            Some(name) => Err(ManifestError::UnknownLimit { name: name.clone() }),
            None => Ok(()),
        }
    }
}

fn valid(field: &'static str, value: &str, allowed: fn(&str) -> bool) -> Result<(), ManifestError> {
    if allowed(value) { Ok(()) } else { Err(ManifestError::Value { field, value: value.to_owned() }) }
}

fn few(field: &'static str, found: usize, allowed: usize) -> Result<(), ManifestError> {
    if found > allowed { Err(ManifestError::TooMany { field, found, allowed }) } else { Ok(()) }
}

fn once<'a>(
    field: &'static str,
    value: &String,
    earlier: impl IntoIterator<Item = &'a String>,
) -> Result<(), ManifestError> {
    match earlier.into_iter().any(|other| other == value) {
        true => Err(ManifestError::Twice { field, value: value.clone() }),
        false => Ok(()),
    }
}

impl World {
    /// The name of the world, `"transform-with-evm"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transform => "transform",
            Self::TransformWithEvm => "transform-with-evm",
        }
    }
}

impl Capability {
    /// Every capability, in order.
    pub const ALL: [Self; 6] =
        [Self::Evm, Self::Receipts, Self::Traces, Self::StateChanges, Self::GasProfile, Self::WhatIf];

    /// The name of the capability, `"evm"`: that of the interface.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Receipts => "receipts",
            Self::Traces => "traces",
            Self::StateChanges => "state-changes",
            Self::GasProfile => "gas-profile",
            Self::WhatIf => "what-if",
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
