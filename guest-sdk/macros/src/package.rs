//! The manifest of the crate that is being compiled, checked against the crate.

use std::{env, fs, io, path::Path};

use refiner_manifest::{Manifest, ManifestError, World};

/// The faults of a crate's manifest.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("a rule is built by cargo, and CARGO_MANIFEST_DIR is not set")]
    NoCargo,
    #[error("it belongs beside the rule's Cargo.toml: {0}")]
    Unreadable(io::Error),
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    #[error("the worlds are transform and transform-with-evm")]
    UnknownWorld,
    #[error("world is \"{stated}\", but the rule is exported for \"{exported}\"")]
    OtherWorld { stated: World, exported: World },
    #[error("version is {stated:?}, but Cargo.toml states {package:?}")]
    OtherVersion { stated: String, package: String },
}

/// Reads the manifest of the crate under work, which is exported for `world`.
pub fn manifest(world: World) -> Result<Manifest, PackageError> {
    let directory = env::var("CARGO_MANIFEST_DIR").map_err(|_| PackageError::NoCargo)?;
    let version = env::var("CARGO_PKG_VERSION").map_err(|_| PackageError::NoCargo)?;
    let text = fs::read_to_string(Path::new(&directory).join("rule.toml")).map_err(PackageError::Unreadable)?;
    let manifest = Manifest::parse(&text)?;
    agrees_with(&manifest, world, &version)?;
    Ok(manifest)
}

/// The world of a string literal as it stands in the source, quotes included.
pub fn world_of(literal: &str) -> Result<World, PackageError> {
    match literal {
        r#""transform""# => Ok(World::Transform),
        r#""transform-with-evm""# => Ok(World::TransformWithEvm),
        _ => Err(PackageError::UnknownWorld),
    }
}

fn agrees_with(manifest: &Manifest, exported: World, package: &str) -> Result<(), PackageError> {
    if manifest.world != exported {
        return Err(PackageError::OtherWorld { stated: manifest.world, exported });
    }
    if manifest.version != package {
        return Err(PackageError::OtherVersion { stated: manifest.version.clone(), package: package.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "transfers"
        version = "1.2.3"
        world = "transform"
        layouts = []
        outputs = []
        licence = "MIT"
        source = "https://example.org/transfers"
    "#;

    fn check(exported: World, package: &str, expected: Result<(), &str>) {
        let manifest = Manifest::parse(GOOD).expect("a manifest");
        let result = agrees_with(&manifest, exported, package).map_err(|error| error.to_string());
        assert_eq!(result, expected.map_err(str::to_owned));
    }

    #[test]
    fn manifest_is_checked_against_the_crate() {
        check(World::Transform, "1.2.3", Ok(()));
        check(World::Transform, "1.2.4", Err("version is \"1.2.3\", but Cargo.toml states \"1.2.4\""));
        let other = "world is \"transform\", but the rule is exported for \"transform-with-evm\"";
        check(World::TransformWithEvm, "1.2.3", Err(other));
    }
}
