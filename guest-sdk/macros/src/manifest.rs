//! The manifest of a rule: what it is, what it needs, what it makes.

use std::{fmt, io, str::FromStr};

use serde::Deserialize;

/// Longest artifact name the host takes (`output.wit`).
const ARTIFACT_NAME_MAX: usize = 64;

/// `rule.toml`. Unknown keys are errors, so a typing mistake is not a silent default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub world: World,
    /// Empty accepts every layout.
    pub layouts: Vec<String>,
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    pub outputs: Vec<Output>,
    #[serde(rename = "licence")]
    _licence: String,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Output {
    pub name: String,
    pub media_type: String,
    pub schema: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    Transform,
    TransformWithEvm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    Evm,
}

/// What is wrong with a manifest.
#[derive(Debug)]
pub enum ManifestError {
    NoCargo,
    Unreadable(io::Error),
    Syntax(toml::de::Error),
    UnknownWorld,
    OtherWorld { stated: World, exported: World },
    OtherVersion { stated: String, package: String },
    EvmWithoutCapability,
    CapabilityWithoutEvm,
    ArtifactName(String),
    ArtifactTwice(String),
}

impl FromStr for Manifest {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        toml::from_str(text).map_err(ManifestError::Syntax)
    }
}

impl Manifest {
    /// Checks the manifest against itself and against what the crate says.
    pub fn agrees_with(&self, exported: World, package: &str) -> Result<(), ManifestError> {
        if self.world != exported {
            return Err(ManifestError::OtherWorld { stated: self.world, exported });
        }
        if self.version != package {
            return Err(ManifestError::OtherVersion { stated: self.version.clone(), package: package.to_owned() });
        }
        match (self.world, self.capabilities.contains(&Capability::Evm)) {
            (World::TransformWithEvm, false) => return Err(ManifestError::EvmWithoutCapability),
            (World::Transform, true) => return Err(ManifestError::CapabilityWithoutEvm),
            _ => {}
        }
        for (position, output) in self.outputs.iter().enumerate() {
            if !is_artifact_name(&output.name) {
                return Err(ManifestError::ArtifactName(output.name.clone()));
            }
            if self.outputs[..position].iter().any(|earlier| earlier.name == output.name) {
                return Err(ManifestError::ArtifactTwice(output.name.clone()));
            }
        }
        Ok(())
    }
}

fn is_artifact_name(name: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= ARTIFACT_NAME_MAX
        && name.bytes().next().is_some_and(alphanumeric)
        && name.bytes().all(|byte| alphanumeric(byte) || b"-_.".contains(&byte))
}

impl World {
    /// The world of a string literal as it stands in the source, quotes included.
    pub fn from_literal(literal: &str) -> Result<Self, ManifestError> {
        match literal {
            r#""transform""# => Ok(Self::Transform),
            r#""transform-with-evm""# => Ok(Self::TransformWithEvm),
            _ => Err(ManifestError::UnknownWorld),
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transform => "transform",
            Self::TransformWithEvm => "transform-with-evm",
        })
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCargo => f.write_str("a rule is built by cargo, and CARGO_MANIFEST_DIR is not set"),
            Self::Unreadable(error) => write!(f, "it belongs beside the rule's Cargo.toml: {error}"),
            Self::Syntax(error) => write!(f, "{error}"),
            Self::UnknownWorld => f.write_str("the worlds are transform and transform-with-evm"),
            Self::OtherWorld { stated, exported } => {
                write!(f, "world is \"{stated}\", but the rule is exported for \"{exported}\"")
            }
            Self::OtherVersion { stated, package } => {
                write!(f, "version is {stated:?}, but Cargo.toml says {package:?}")
            }
            Self::EvmWithoutCapability => f.write_str("the world transform-with-evm needs capabilities = [\"evm\"]"),
            Self::CapabilityWithoutEvm => f.write_str("the capability evm needs the world transform-with-evm"),
            Self::ArtifactName(name) => write!(
                f,
                "output {name:?} is no artifact name: 1 to {ARTIFACT_NAME_MAX} of a-z, 0-9, `-`, `_`, `.`, starting with a letter or digit"
            ),
            Self::ArtifactTwice(name) => write!(f, "output {name:?} is named twice"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "transfers"
        version = "1.2.3"
        world = "transform"
        layouts = ["0.38"]
        licence = "MIT"
        source = "https://example.org/transfers"
        [[outputs]]
        name = "transfers.jsonl"
        media-type = "application/jsonl"
    "#;

    fn check(change: (&str, &str), expected: Result<(), &str>) {
        let text = GOOD.replace(change.0, change.1);
        let result = text.parse::<Manifest>().and_then(|manifest| manifest.agrees_with(World::Transform, "1.2.3"));
        match (result, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) if error.to_string().contains(part) => {}
            (result, expected) => panic!("{change:?} gives {result:?}, not {expected:?}"),
        }
    }

    #[test]
    fn manifest_is_checked_against_the_crate_and_itself() {
        let name_of = |length: usize| format!("\"{}\"", "a".repeat(length));
        check(("", ""), Ok(()));
        check(("1.2.3", "1.2.4"), Err("but Cargo.toml says \"1.2.3\""));
        check(("= \"transform\"", "= \"transform-with-evm\""), Err("exported for \"transform\""));
        check(("layouts", "capabilities = [\"evm\"]\nlayouts"), Err("capability evm needs the world"));
        check(("licence", "license"), Err("unknown field `license`"));
        check(("media-type = \"application/jsonl\"", ""), Err("missing field `media-type`"));
        check(("\"transfers.jsonl\"", "\"../transfers\""), Err("is no artifact name"));
        check(("\"transfers.jsonl\"", "\"Transfers\""), Err("is no artifact name"));
        check(("\"transfers.jsonl\"", "\"\""), Err("is no artifact name"));
        check(("\"transfers.jsonl\"", &name_of(64)), Ok(()));
        check(("\"transfers.jsonl\"", &name_of(65)), Err("is no artifact name"));
        check(
            ("[[outputs]]", "[[outputs]]\nname = \"transfers.jsonl\"\nmedia-type = \"text/plain\"\n[[outputs]]"),
            Err("is named twice"),
        );
    }

    #[test]
    fn world_with_evm_asks_for_the_capability() {
        let text = GOOD.replace("\"transform\"", "\"transform-with-evm\"");
        let manifest: Manifest = text.parse().expect("a manifest");
        let error = manifest.agrees_with(World::TransformWithEvm, "1.2.3").expect_err("evm is not asked for");
        assert_eq!(error.to_string(), "the world transform-with-evm needs capabilities = [\"evm\"]");
    }
}
