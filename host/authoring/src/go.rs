//! A rule in Go: one `go build`, and a component of what it makes and the stub that stands for WASI.

mod component;
mod toolchain;

pub use component::{NoGoComponent, component, component_with_adapter};
pub use toolchain::{Go, NoGo};

use std::{io, path::Path};

use refiner_manifest::Manifest;

use crate::command::CommandError;

/// The file that makes a directory a Go module.
pub const MODULE_FILE: &str = "go.mod";

/// Errors of building a rule in Go.
#[derive(Debug, thiserror::Error)]
pub enum GoError {
    /// No toolchain that builds it.
    #[error(transparent)]
    Toolchain(#[from] NoGo),
    /// Go does not build it. Its reason stands on standard error.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The module that Go built is no rule.
    #[error(transparent)]
    Component(#[from] NoGoComponent),
    /// No place for what Go builds.
    #[error("no temporary directory: {0}")]
    Temporary(#[source] io::Error),
}

/// Builds the module in `directory` and returns its component, without the manifest inside.
pub fn build(directory: &Path, manifest: &Manifest, with_names: bool) -> Result<Vec<u8>, GoError> {
    let go = Go::find()?;
    let go = if with_names { go.with_names() } else { go };
    Ok(component(&go.compile(directory, manifest, &[])?)?)
}

/// What the SDK's `describe` returns, as `guest-sdk/go/export_wasip1.go` reads it: a flag of the linker takes no spaces.
fn description(manifest: &Manifest) -> String {
    let mut text = format!("{}\n{}\n{}", manifest.name, manifest.version, manifest.layouts.join(","));
    for output in &manifest.outputs {
        text.push_str(&format!("\n{}\t{}", output.name, output.media_type));
        if let Some(schema) = &output.schema {
            text.push_str(&format!("\t{schema}"));
        }
    }
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_is_the_manifest_in_digits() {
        let manifest = Manifest::parse(
            "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = [\"0.37\", \"0.38\"]\nlicence = \"x\"\n\
             source = \"y\"\n[[outputs]]\nname = \"o\"\nmedia-type = \"text/csv\"\nschema = \"s\"\n\
             [[outputs]]\nname = \"p\"\nmedia-type = \"text/csv\"\n",
        );
        let expected: String =
            "a\n1\n0.37,0.38\no\ttext/csv\ts\np\ttext/csv".bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(description(&manifest.expect("a manifest")), expected);
    }
}
