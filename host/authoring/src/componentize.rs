//! Rules in Python and JavaScript: the toolchains that put an interpreter and a rule into one component.

mod tools;

pub use tools::NoTool;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use refiner_manifest::{Capability, Manifest, Wasi, World};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{self, CommandError};

/// The version of componentize-py that the SDK is written for and tested with.
pub const PYTHON_VERSION: &str = "0.25.1";
/// The version of componentize-js that the SDK is written for and tested with.
pub const JAVASCRIPT_VERSION: &str = "0.23.0";

/// Folder of the SDK in a rule's directory, with the contract in its folder `wit`.
const SDK: &str = "sdk";
/// The version of the contract that this program carries.
const CONTRACT: &str = env!("REFINER_CONTRACT");
/// Name of the world that is written for a rule.
const WORLD: &str = "as-asked";
/// Features of componentize-js that would need WASI.
const WITHOUT_WASI: [&str; 5] = ["random", "stdio", "clocks", "http", "fetch-event"];
/// Those of them that no rule has.
const WITH_WASI: [&str; 2] = ["http", "fetch-event"];

/// A language whose interpreter is part of its components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// By componentize-py.
    Python,
    /// By componentize-js.
    JavaScript,
}

/// Errors of building a rule in Python or JavaScript.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A file that such a rule has is not there.
    #[error("{} is not there, and {role}", .path.display())]
    Missing {
        /// Path of the file or directory.
        path: PathBuf,
        /// Its purpose in the rule.
        role: &'static str,
    },
    /// No toolchain that builds it.
    #[error(transparent)]
    Tool(#[from] NoTool),
    /// The toolchain does not build it. Its reason stands on standard error.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A copy of the rule cannot be made.
    #[error("{}: {source}", .path.display())]
    Copy {
        /// Path of the file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl Script {
    /// The file that identifies the language of a directory.
    pub const fn project_file(self) -> &'static str {
        match self {
            Self::Python => "pyproject.toml",
            Self::JavaScript => "package.json",
        }
    }

    /// The language of a directory, where it has one of the two.
    pub fn of(directory: &Path) -> Option<Self> {
        [Self::Python, Self::JavaScript].into_iter().find(|script| directory.join(script.project_file()).is_file())
    }

    /// The module that exports the rule.
    const fn entry(self) -> &'static str {
        match self {
            Self::Python => "rule.py",
            Self::JavaScript => "rule.js",
        }
    }

    /// Ending of the files that a component is made of.
    const fn ending(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::JavaScript => "js",
        }
    }

    /// The text of the module with what the rule says of itself, which is its manifest's.
    fn description(self, manifest: &Manifest) -> String {
        let output_of = |media_type: &str, without: bool| -> Vec<Value> {
            let outputs = manifest.outputs.iter().map(|output| {
                let mut fields = json!({ "name": output.name, media_type: output.media_type });
                if !without || output.schema.is_some() {
                    fields["schema"] = json!(output.schema);
                }
                fields
            });
            outputs.collect()
        };
        let described = |outputs: Vec<Value>| json!({ "name": manifest.name, "version": manifest.version, "layouts": manifest.layouts, "outputs": outputs });
        match self {
            // Every string of JSON is one of Python, and `null` is the only word that differs.
            Self::Python => {
                format!("null = None\nDESCRIPTION = {}\n", described(output_of("media-type", false)))
            }
            Self::JavaScript => format!("export const DESCRIPTION = {};\n", described(output_of("mediaType", true))),
        }
    }

    /// Builds the rule in `directory` and returns its component, without the manifest inside.
    pub fn build(self, directory: &Path, manifest: &Manifest) -> Result<Vec<u8>, ScriptError> {
        let entry = directory.join(self.entry());
        if !entry.is_file() {
            return Err(ScriptError::Missing { path: entry, role: "it exports the rule" });
        }
        let tool = self.tool(directory)?;
        let copy = self.copied(directory, manifest)?;
        let (place, out) = (copy.path(), copy.path().join("out.wasm"));
        let mut command = command::program(tool);
        command.current_dir(place);
        let has_wasi = manifest.wasi == Some(Wasi::Sealed);
        match self {
            Self::Python => {
                command.args(["--wit-path", "sdk/wit", "--world", WORLD, "--quiet", "componentize", "rule"]);
                command.args(["--python-path", "."]);
                if !has_wasi {
                    command.arg("--stub-wasi");
                }
                command.arg("--output").arg(&out);
            }
            Self::JavaScript => {
                command.arg(self.entry()).args(["--wit", "sdk/wit", "--world-name", WORLD, "--disable"]);
                command.args(if has_wasi { &WITH_WASI[..] } else { &WITHOUT_WASI[..] });
                command.arg("--out").arg(&out);
            }
        }
        command::run(&mut command)?;
        fs::read(&out).map_err(at(&out))
    }

    /// The sources, the contract with the rule's world, and its description: what the toolchain gets to see, and where the interpreter
    /// may leave what it compiles.
    fn copied(self, directory: &Path, manifest: &Manifest) -> Result<TempDir, ScriptError> {
        let copy = tempfile::tempdir().map_err(at(directory))?;
        let mut files = Vec::new();
        self.collect(directory, Path::new(""), &mut files)?;
        let contract = directory.join(SDK).join("wit");
        if !contract.is_dir() {
            return Err(ScriptError::Missing { path: contract, role: "it holds the contract of rules" });
        }
        for entry in fs::read_dir(&contract).map_err(at(&contract))? {
            files.push(Path::new(SDK).join("wit").join(entry.map_err(at(&contract))?.file_name()));
        }
        for file in files {
            let (from, to) = (directory.join(&file), copy.path().join(&file));
            let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(&from, &to));
            made.map_err(at(&from))?;
        }
        let sdk = copy.path().join(SDK);
        let description = sdk.join("description").with_extension(self.ending());
        fs::write(&description, self.description(manifest)).map_err(at(&description))?;
        let world = sdk.join("wit").join(WORLD).with_extension("wit");
        fs::write(&world, world_of(manifest)).map_err(at(&world))?;
        Ok(copy)
    }

    /// Sources below a directory, by their paths from there. Hidden folders and those of packages hold none of the rule's.
    fn collect(self, directory: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<(), ScriptError> {
        let place = directory.join(below);
        for entry in fs::read_dir(&place).map_err(at(&place))? {
            let entry = entry.map_err(at(&place))?;
            let (name, path) = (entry.file_name(), below.join(entry.file_name()));
            let kind = entry.file_type().map_err(at(&place))?;
            let is_hidden = name.to_string_lossy().starts_with('.');
            if kind.is_dir() && !is_hidden && name != "node_modules" && name != "__pycache__" {
                self.collect(directory, &path, files)?;
            } else if kind.is_file() && path.extension().is_some_and(|ending| ending == self.ending()) {
                files.push(path);
            }
        }
        Ok(())
    }
}

/// The world with what the manifest asks for and nothing else: these toolchains import all of a world.
fn world_of(manifest: &Manifest) -> String {
    let base = match manifest.world {
        World::Transform => "transform",
        World::TransformWithEvm => "transform-with-evm",
    };
    let imports: String = Capability::ALL
        .into_iter()
        .filter(|capability| *capability != Capability::Evm && manifest.capabilities.contains(capability))
        .map(|capability| format!("    import {};\n", capability.as_str()))
        .collect();
    format!("package refiner:rule@{};\n\nworld {WORLD} {{\n    include {base};\n{imports}}}\n", CONTRACT)
}

fn at(path: &Path) -> impl Fn(io::Error) -> ScriptError + use<'_> {
    |source| ScriptError::Copy { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(more: &str) -> Manifest {
        let text = format!(
            "name = \"a\"\nversion = \"1\"\nlayouts = [\"0.37\"]\nlicence = \"x\"\nsource = \"y\"\n{more}\n\
             [[outputs]]\nname = \"o\"\nmedia-type = \"text/csv\"\nschema = \"s\"\n\
             [[outputs]]\nname = \"p\"\nmedia-type = \"text/csv\"\n"
        );
        Manifest::parse(&text).expect("a manifest")
    }

    #[test]
    fn description_is_the_manifest_in_the_terms_of_the_language() {
        let manifest = manifest("world = \"transform\"");
        assert_eq!(
            Script::Python.description(&manifest),
            "null = None\nDESCRIPTION = {\"name\":\"a\",\"version\":\"1\",\"layouts\":[\"0.37\"],\"outputs\":[\
             {\"name\":\"o\",\"media-type\":\"text/csv\",\"schema\":\"s\"},{\"name\":\"p\",\"media-type\":\"text/csv\",\"schema\":null}]}\n"
        );
        assert_eq!(
            Script::JavaScript.description(&manifest),
            "export const DESCRIPTION = {\"name\":\"a\",\"version\":\"1\",\"layouts\":[\"0.37\"],\"outputs\":[\
             {\"name\":\"o\",\"mediaType\":\"text/csv\",\"schema\":\"s\"},{\"name\":\"p\",\"mediaType\":\"text/csv\"}]};\n"
        );
    }

    #[test]
    fn world_has_what_the_manifest_asks_for_and_nothing_else() {
        let version = CONTRACT;
        assert!(version.starts_with("1."), "{version:?}");
        assert_eq!(
            world_of(&manifest("world = \"transform\"")),
            format!("package refiner:rule@{version};\n\nworld as-asked {{\n    include transform;\n}}\n")
        );
        let asking = manifest("world = \"transform-with-evm\"\ncapabilities = [\"evm\", \"traces\", \"receipts\"]");
        assert_eq!(
            world_of(&asking),
            format!(
                "package refiner:rule@{version};\n\nworld as-asked {{\n    include transform-with-evm;\n    import receipts;\n    import traces;\n}}\n"
            )
        );
    }

    #[test]
    fn sources_are_taken_and_what_packages_bring_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        for file in [
            "rule.py",
            "rows.py",
            "sdk/__init__.py",
            "lib/more.py",
            ".venv/bin/other.py",
            "node_modules/x.py",
            "__pycache__/rows.py",
            "notes.md",
        ] {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, "").expect("a file");
        }
        let mut files = Vec::new();
        Script::Python.collect(directory.path(), Path::new(""), &mut files).expect("it can be read");
        files.sort();
        assert_eq!(files, ["lib/more.py", "rows.py", "rule.py", "sdk/__init__.py"].map(PathBuf::from));
        let error =
            Script::Python.copied(directory.path(), &manifest("world = \"transform\"")).expect_err("no contract");
        assert!(error.to_string().ends_with("sdk/wit is not there, and it holds the contract of rules"), "{error}");
        let error =
            Script::JavaScript.build(directory.path(), &manifest("world = \"transform\"")).expect_err("no entry");
        assert!(error.to_string().ends_with("rule.js is not there, and it exports the rule"), "{error}");
    }
}
