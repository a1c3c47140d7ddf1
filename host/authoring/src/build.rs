//! A rule's sources, in any of the languages, into a component with its manifest inside.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_manifest::{Manifest, ManifestError};
use serde::Deserialize;

use crate::{
    c::{self, CError, NoZig},
    command::{self, CommandError},
    component::{self, NoComponent},
    componentize::{Script, ScriptError},
    go::{self, GoError},
    toolchain::{self, BuildDirectories, NoToolchain, TARGET},
};

/// A built rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The rule's name, from its manifest.
    pub name: String,
    /// Where the component is.
    pub path: PathBuf,
    /// The component.
    pub component: Vec<u8>,
}

/// Errors of building a rule.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file that a rule has is not there.
    #[error("{}: {source}", .path.display())]
    File {
        /// Path of the file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The component would take the place of another file of the author's.
    #[error("{}: expected no file or an earlier component for the result, found {found}", .path.display())]
    NotReplaced {
        /// Path of the component.
        path: PathBuf,
        /// The kind of what is there.
        found: &'static str,
    },
    /// The manifest is not one.
    #[error("{}: {source}", .path.display())]
    Manifest {
        /// Path of the file.
        path: PathBuf,
        /// The fault that was found.
        source: ManifestError,
    },
    /// A directory of another toolchain than those that are run here.
    #[error("{}: found {file}, and a rule that is built here has Cargo.toml, go.mod, pyproject.toml, package.json or rule.c", .directory.display())]
    OtherToolchain {
        /// The directory of the rule.
        directory: PathBuf,
        /// The file that identifies its toolchain.
        file: &'static str,
        /// Commands of that toolchain.
        remedy: &'static str,
    },
    /// Cargo gives no metadata of the crate. Its reason stands on standard error.
    #[error("cargo finds no crate in {}", .0.display())]
    NoCrate(PathBuf),
    /// The crate is not made for wasm.
    #[error("{} has no library of the crate type cdylib, which becomes the component", .0.display())]
    NoLibrary(PathBuf),
    /// Nothing here builds for wasm.
    #[error(transparent)]
    Toolchain(#[from] NoToolchain),
    /// Cargo does not build the crate. Its reason stands on standard error.
    #[error(transparent)]
    Cargo(#[from] CommandError),
    /// The file that cargo built is no component.
    #[error(transparent)]
    Component(#[from] NoComponent),
    /// Go does not build the module.
    #[error(transparent)]
    Go(#[from] GoError),
    /// The rule in Python or JavaScript is not built.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The rule in C is not built.
    #[error(transparent)]
    C(#[from] CError),
}

impl Diagnostic for BuildError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Toolchain(_)
            | Self::Cargo(_)
            | Self::Script(ScriptError::Tool(_) | ScriptError::Command(_) | ScriptError::Copy { .. })
            | Self::Go(GoError::Toolchain(_) | GoError::Command(_) | GoError::Temporary(_))
            | Self::C(CError::Compiler(_) | CError::Command(_) | CError::Source { .. } | CError::Temporary(_)) => {
                ExitCode::Host
            }
            Self::File { .. }
            | Self::NotReplaced { .. }
            | Self::Manifest { .. }
            | Self::OtherToolchain { .. }
            | Self::NoCrate(_)
            | Self::NoLibrary(_)
            | Self::Component(_)
            | Self::Script(ScriptError::Missing { .. })
            | Self::Go(GoError::Component(_))
            | Self::C(CError::NoSdk(_) | CError::Component(_)) => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NotReplaced { .. } => Some("name another file with --out, such as rule.wasm".into()),
            Self::OtherToolchain { remedy, .. } => Some((*remedy).into()),
            Self::NoCrate(_) => Some(
                "Cargo.toml, go.mod, pyproject.toml, package.json or rule.c has to be in it; `refiner rule new` writes them"
                    .into(),
            ),
            Self::Script(ScriptError::Tool(missing)) => Some(missing.remedy().into()),
            Self::Script(ScriptError::Missing { .. }) => {
                Some("compare with a folder that `refiner rule new --language python` or `javascript` writes".into())
            }
            Self::C(CError::Compiler(_)) => Some(NoZig::remedy().into()),
            Self::C(CError::NoSdk(_)) => Some("`refiner rule new NAME --language c` writes one; copy its folder sdk".into()),
            Self::C(CError::Component(_)) => Some("rule.c has to define `refine`, as refiner.h declares it".into()),
            Self::C(CError::Command(_) | CError::Source { .. } | CError::Temporary(_))
            | Self::File { .. }
            | Self::Manifest { .. }
            | Self::NoLibrary(_)
            | Self::Toolchain(_)
            | Self::Cargo(_)
            | Self::Component(_)
            | Self::Script(ScriptError::Command(_) | ScriptError::Copy { .. })
            | Self::Go(_) => None,
        }
    }
}

/// The first bytes of all WebAssembly.
const MAGIC: &[u8] = b"\0asm";

/// Files that identify a directory which [`build()`] builds.
pub const PROJECT_FILES: [&str; 5] =
    ["Cargo.toml", go::MODULE_FILE, Script::Python.project_file(), Script::JavaScript.project_file(), c::ENTRY];

/// Files that identify toolchains which are not run here, each with its commands.
const OTHER_TOOLCHAINS: [(&str, &str); 4] =
    [("requirements.txt", OF_PYTHON), ("setup.py", OF_PYTHON), ("Makefile", OF_C), ("CMakeLists.txt", OF_C)];
const OF_PYTHON: &str = "build it with componentize-py (`componentize-py --wit-path wit --world transform componentize app --stub-wasi \
                         --output rule.wasm`), then put its manifest inside: `refiner rule embed FILE rule.toml`";
const OF_C: &str = "name its source rule.c beside the SDK that `refiner rule new --language c` writes, or build it with clang and `wasm-tools component new`, then put its manifest inside: `refiner rule embed FILE rule.toml`";

/// The error of a directory whose toolchain is not run here.
fn of_another_toolchain(directory: &Path) -> Option<BuildError> {
    let has = |file: &str| directory.join(file).is_file();
    let (file, remedy) = OTHER_TOOLCHAINS.into_iter().find(|(file, _)| has(file))?;
    Some(BuildError::OtherToolchain { directory: directory.to_owned(), file, remedy })
}

/// Builds the rule in `directory`, by the toolchain that its `go.mod`, `Cargo.toml`, `pyproject.toml`, `package.json` or `rule.c` tells, the first of them
/// that is there, and writes `<name>.wasm` into `directory`, or to `out`.
///
/// The same source and compiler give the same bytes in any directory. The compiler's output goes to standard error.
pub fn build(directory: &Path, out: Option<&Path>) -> Result<Built, BuildError> {
    build_naming(directory, out, Names::OfTheSource)
}

/// The same, and the component names its functions in Rust and Go too, for traps and profiles. It is larger, and another rule by its digest.
pub fn build_with_names(directory: &Path, out: Option<&Path>) -> Result<Built, BuildError> {
    build_naming(directory, out, Names::Kept)
}

/// The fate of functions' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// The source and its toolchain decide.
    OfTheSource,
    /// They stay in the component.
    Kept,
}

fn build_naming(directory: &Path, out: Option<&Path>, names: Names) -> Result<Built, BuildError> {
    let directory = directory.canonicalize().map_err(at(directory))?;
    let has = |file: &str| directory.join(file).is_file();
    let (is_go, is_crate, script) = (has(go::MODULE_FILE), has("Cargo.toml"), Script::of(&directory));
    if !PROJECT_FILES.into_iter().any(has)
        && let Some(error) = of_another_toolchain(&directory)
    {
        return Err(error);
    }
    let manifest_path = directory.join("rule.toml");
    let text = fs::read_to_string(&manifest_path).map_err(at(&manifest_path))?;
    let manifest =
        Manifest::parse(&text).map_err(|source| BuildError::Manifest { path: manifest_path.clone(), source })?;
    let path = out.map_or_else(|| directory.join(&manifest.name).with_added_extension("wasm"), Path::to_path_buf);
    // Before the toolchain runs, which can take minutes.
    let file = replaceable(&path)?;
    let component = match script {
        _ if is_go => refiner_manifest::embed(&go::build(&directory, &manifest, names == Names::Kept)?, &text),
        Some(script) if !is_crate => refiner_manifest::embed(&script.build(&directory, &manifest)?, &text),
        None if !is_crate && has(c::ENTRY) => refiner_manifest::embed(&c::build(&directory, &manifest)?, &text),
        _ => of_crate(&directory, &text, names)?,
    };
    component::write_if_changed(&file, &component).map_err(at(&path))?;
    Ok(Built { name: manifest.name, path, component })
}

/// The file that a path leads to, where a component can take its place: none is there, an empty one, or another component. A path of a source
/// or a manifest is a slip, and what it names would be lost.
fn replaceable(path: &Path) -> Result<PathBuf, BuildError> {
    let file = refiner_atomic_file::followed(path).map_err(at(path))?;
    let refuse = |found| Err(BuildError::NotReplaced { path: path.to_owned(), found });
    match fs::metadata(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(file),
        Err(error) => return Err(at(path)(error)),
        Ok(there) if there.is_dir() => return refuse("a directory"),
        Ok(there) if !there.is_file() => return refuse("a device or a pipe"),
        Ok(_) => {}
    }
    let mut magic = Vec::new();
    let there = fs::File::open(&file).map_err(at(path))?;
    there.take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(at(path))?;
    if magic.is_empty() || magic == MAGIC { Ok(file) } else { refuse("another file") }
}

fn of_crate(directory: &Path, manifest: &str, names: Names) -> Result<Vec<u8>, BuildError> {
    let (place, library) = crate_in(directory)?;
    let toolchain = toolchain::find()?;
    let mut cargo = toolchain.cargo("build", &place);
    if names == Names::Kept {
        // In place of what the crate's profile states: sections for debuggers alone are left out.
        cargo.env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
    }
    command::run(cargo.args(["--release", "--lib"]))?;
    let module = place.target.join(TARGET).join("release").join(library).with_extension("wasm");
    Ok(component::of_rule(&fs::read(&module).map_err(at(&module))?, manifest)?)
}

fn at(path: &Path) -> impl Fn(io::Error) -> BuildError + use<'_> {
    |source| BuildError::File { path: path.to_owned(), source }
}

/// As much of `cargo metadata` as tells where what is built will be.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// None for a package that is a folder on this machine.
    source: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Where the crate is built, and the name of its library.
fn crate_in(directory: &Path) -> Result<(BuildDirectories, String), BuildError> {
    let mut ask = command::cargo();
    ask.args(["metadata", "--format-version", "1"]).current_dir(directory);
    let metadata = command::answer(ask.stderr(std::process::Stdio::inherit()));
    let metadata = metadata.and_then(|text| serde_json::from_str::<Metadata>(&text).ok());
    let metadata = metadata.ok_or_else(|| BuildError::NoCrate(directory.to_owned()))?;
    let library = metadata.library(&directory.join("Cargo.toml"));
    let library = library.ok_or_else(|| BuildError::NoLibrary(directory.to_owned()))?;
    let remapped = metadata.outside();
    Ok((BuildDirectories { directory: directory.to_owned(), target: metadata.target_directory, remapped }, library))
}

impl Metadata {
    /// The file name that cargo gives the library of the package with this manifest.
    fn library(&self, manifest: &Path) -> Option<String> {
        let package = self.packages.iter().find(|package| package.manifest_path == manifest)?;
        let library = package.targets.iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))?;
        Some(library.name.replace('-', "_"))
    }

    /// Folders with sources outside of the workspace. Within it, cargo names files without what is above it.
    fn outside(&self) -> Vec<(PathBuf, String)> {
        let local = self.packages.iter().filter(|package| package.source.is_none());
        let folders = local.filter_map(|package| Some((package.manifest_path.parent()?, &package.name)));
        folders
            .filter(|(folder, _)| !folder.starts_with(&self.workspace_root))
            .map(|(folder, name)| (folder.to_owned(), format!("/{name}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_that_holds_no_rule_is_told_what_it_lacks() {
        let directory = tempfile::tempdir().expect("a directory");
        let check = |expected: &str| {
            let error = build(directory.path(), None).expect_err("it is no rule").to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("rule.toml: No such file");
        fs::write(directory.path().join("rule.toml"), "name = 3").expect("the directory is there");
        check("rule.toml: line 1:");
    }

    #[test]
    fn component_takes_the_place_of_no_other_file_and_a_link_to_one_leads_to_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        for (name, content) in [("lib.rs", &b"fn f() {}"[..]), ("old.wasm", b"\0asm\x0d\0\x01\0"), ("empty", b"")] {
            fs::write(at(name), content).expect("the directory is there");
        }
        std::os::unix::fs::symlink("old.wasm", at("link.wasm")).expect("the directory is there");
        for (name, expected) in
            [("new.wasm", "new.wasm"), ("old.wasm", "old.wasm"), ("empty", "empty"), ("link.wasm", "old.wasm")]
        {
            assert_eq!(replaceable(&at(name)).expect(name), at(expected));
        }
        for (path, expected) in [
            (at("lib.rs"), "another file"),
            (at(""), "a directory"),
            (PathBuf::from("/dev/null"), "a device or a pipe"),
        ] {
            let error = replaceable(&path).expect_err(expected);
            assert!(error.to_string().ends_with(&format!("found {expected}")), "{error}");
            assert_eq!(error.exit_code(), ExitCode::Usage);
        }
        // Before anything is built: there is no crate here.
        fs::write(at("rule.toml"), "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = []\noutputs = []\nlicence = \"MIT\"\nsource = \"here\"\n")
            .expect("the directory is there");
        let error = build(directory.path(), Some(&at("lib.rs"))).expect_err("a source");
        assert!(matches!(error, BuildError::NotReplaced { .. }), "{error}");
    }

    #[test]
    fn directory_of_another_toolchain_gets_that_toolchains_commands() {
        for (file, command) in
            [("requirements.txt", "componentize-py --wit-path"), ("Makefile", "rule new --language c")]
        {
            let directory = tempfile::tempdir().expect("a directory");
            fs::write(directory.path().join(file), "").expect("the directory is there");
            fs::write(directory.path().join("rule.toml"), "name = 'x'").expect("the directory is there");
            let error = build(directory.path(), None).expect_err("it is built elsewhere");
            assert!(
                error.to_string().contains(&format!("found {file}, and a rule that is built here has Cargo.toml")),
                "{error}"
            );
            let remedy = error.hint().expect("a remedy").to_string();
            assert!(remedy.contains(command) && remedy.contains("refiner rule embed FILE rule.toml"), "{remedy}");
            // Beside a crate or a module such a file says nothing.
            fs::write(directory.path().join("go.mod"), "").expect("the directory is there");
            let error = build(directory.path(), None).expect_err("it is no rule").to_string();
            assert!(error.contains("rule.toml: line 1:"), "{error}");
        }
    }

    #[test]
    fn metadata_tells_library_and_sources_outside_of_the_workspace() {
        let text = r#"{"target_directory": "/w/target", "workspace_root": "/w", "packages": [
            {"name": "my-rule", "source": null, "manifest_path": "/w/a/Cargo.toml",
             "targets": [{"name": "probe", "crate_types": ["bin"]}, {"name": "my-rule", "crate_types": ["cdylib"]}]},
            {"name": "refiner-sdk", "source": null, "manifest_path": "/sdk/Cargo.toml", "targets": []},
            {"name": "serde", "source": "registry+x", "manifest_path": "/cargo/serde/Cargo.toml", "targets": []}]}"#;
        let metadata: Metadata = serde_json::from_str(text).expect("metadata");
        assert_eq!(metadata.library(Path::new("/w/a/Cargo.toml")).as_deref(), Some("my_rule"));
        assert_eq!(metadata.library(Path::new("/sdk/Cargo.toml")), None);
        assert_eq!(metadata.outside(), [(PathBuf::from("/sdk"), "/refiner-sdk".to_owned())]);
    }
}
