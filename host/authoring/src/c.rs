//! A rule in C: one `zig cc`, and a component of what it makes and the stub that stands for WASI.

mod description;
mod toolchain;

pub use toolchain::{NoZig, ZIG_VERSION};

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

use refiner_manifest::Manifest;
use toolchain::Zig;
use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::{
    command::{self, CommandError},
    stubbed::Surroundings,
};

/// The file that makes a directory a rule in C.
pub const ENTRY: &str = "rule.c";

/// Folder of the SDK in a rule's directory.
const SDK: &str = "sdk";
/// The header without which it is none.
const HEADER: &str = "refiner.h";
/// Name of the compiled module in its temporary directory.
const CORE: &str = "core.wasm";
/// The first bytes of a module: its magic number and its version.
const HEADER_BYTES: usize = 8;
/// The start of the names of sections for debuggers.
const DEBUG: &str = ".debug";
/// The end of the names of tests, which run natively.
const TEST: &str = "_test.c";

const SURROUNDINGS: Surroundings = Surroundings {
    contract: "wit/refiner-rule-1/",
    world: "analyze",
    version: env!("REFINER_CONTRACT"),
    stub: include_bytes!(concat!(env!("OUT_DIR"), "/preview1-current.wasm")),
};

/// A module of C that is no rule.
#[derive(Debug, thiserror::Error)]
#[error("what the C compiler built is no rule")]
pub struct NoCComponent(#[source] Box<dyn Error + Send + Sync>);

/// Errors of building a rule in C.
#[derive(Debug, thiserror::Error)]
pub enum CError {
    /// No compiler that builds it.
    #[error(transparent)]
    Compiler(#[from] NoZig),
    /// The compiler does not build it. Its reason stands on standard error.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The SDK is not beside the rule.
    #[error("{} is not there, and it holds the SDK of a rule in C", .0.display())]
    NoSdk(PathBuf),
    /// The sources cannot be read.
    #[error("{}: {source}", .path.display())]
    Source {
        /// Path of the directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The compiled module is no rule.
    #[error(transparent)]
    Component(#[from] NoCComponent),
    /// No place for what is compiled.
    #[error("no temporary directory: {0}")]
    Temporary(#[source] io::Error),
}

/// Builds the rule in `directory` and returns its component, without the manifest inside.
///
/// Every `.c` below the directory is compiled but tests and what is in hidden folders.
pub fn build(directory: &Path, manifest: &Manifest) -> Result<Vec<u8>, CError> {
    let header = directory.join(SDK).join(HEADER);
    if !header.is_file() {
        return Err(CError::NoSdk(header));
    }
    let zig = Zig::find(directory)?;
    let mut sources = Vec::new();
    collect(directory, Path::new(""), &mut sources)?;
    // The order of functions in the component is that of the files.
    sources.sort();
    let temporary = tempfile::tempdir().map_err(CError::Temporary)?;
    let (description, core) = (temporary.path().join("description.c"), temporary.path().join(CORE));
    fs::write(&description, description::of(manifest)).map_err(CError::Temporary)?;
    command::run(zig.compile(directory, &core).args(sources).arg(description))?;
    let module = without_debug_information(&fs::read(&core).map_err(CError::Temporary)?);
    let module = module.map_err(|error| NoCComponent(error.into()))?;
    Ok(component(&module)?)
}

/// The component of a module that was built with the SDK.
fn component(core: &[u8]) -> Result<Vec<u8>, NoCComponent> {
    SURROUNDINGS.encode(core, None).map_err(|error| NoCComponent(error.into()))
}

/// The module without what a debugger reads, which has paths of this machine and is ten times as long. Names of functions stay, which tell an
/// author where a rule trapped: the compiler's own flags take both or none.
fn without_debug_information(module: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut kept = module.get(..HEADER_BYTES).unwrap_or(module).to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section() else { continue };
        let is_debug = matches!(&payload, Payload::CustomSection(custom) if custom.name().starts_with(DEBUG));
        if !is_debug {
            let section = module.get(range).unwrap_or_default();
            kept.push(id);
            put_length(&mut kept, section.len());
            kept.extend_from_slice(section);
        }
    }
    Ok(kept)
}

/// A length as WebAssembly has it: seven bits a byte, the lowest first.
fn put_length(bytes: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    while rest >= 0x80 {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
}

/// Sources below a directory, by their paths from there. Links to folders are not followed.
fn collect(directory: &Path, below: &Path, sources: &mut Vec<PathBuf>) -> Result<(), CError> {
    let place = directory.join(below);
    let unread = |source| CError::Source { path: place.clone(), source };
    for entry in fs::read_dir(&place).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let (name, path) = (entry.file_name(), below.join(entry.file_name()));
        let kind = entry.file_type().map_err(unread)?;
        let name = name.to_string_lossy();
        if kind.is_dir() && !name.starts_with('.') {
            collect(directory, &path, sources)?;
        } else if !kind.is_dir() && name.ends_with(".c") && !name.ends_with(TEST) {
            sources.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_compiled_and_tests_and_hidden_folders_are_not() {
        let directory = tempfile::tempdir().expect("a directory");
        for file in ["rule.c", "rows.c", "rows_test.c", "rows.h", "sdk/refiner.c", "lib/more.c", ".venv/lib/zig.c"] {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, "").expect("a file");
        }
        let mut sources = Vec::new();
        collect(directory.path(), Path::new(""), &mut sources).expect("it can be read");
        sources.sort();
        assert_eq!(sources, ["lib/more.c", "rows.c", "rule.c", "sdk/refiner.c"].map(PathBuf::from));
    }

    #[test]
    fn sections_for_debuggers_are_left_out_and_names_stay() {
        let custom = |name: &str, length: usize| {
            let mut section = vec![u8::try_from(name.len()).expect("a short name")];
            section.extend(name.bytes());
            section.extend(vec![0; length]);
            let mut bytes = vec![0];
            put_length(&mut bytes, section.len());
            bytes.extend(section);
            bytes
        };
        let module = |parts: &[Vec<u8>]| [b"\0asm\x01\0\0\0".to_vec(), parts.concat()].concat();
        let (names, debug) = (custom("name", 300), custom(".debug_info", 20_000));
        let kept = without_debug_information(&module(&[debug.clone(), names.clone(), debug])).expect("a module");
        assert_eq!(kept, module(&[names]));
        assert!(without_debug_information(b"\0asm\x01\0\0\0\x01").is_err());
    }

    #[test]
    fn directory_without_the_sdk_is_told_what_it_lacks() {
        let directory = tempfile::tempdir().expect("a directory");
        let text =
            "name = 'a'\nversion = '1'\nworld = 'transform'\nlayouts = []\noutputs = []\nlicence = 'x'\nsource = 'y'\n";
        let manifest = Manifest::parse(text).expect("a manifest");
        let error = build(directory.path(), &manifest).expect_err("no SDK").to_string();
        assert!(error.ends_with("sdk/refiner.h is not there, and it holds the SDK of a rule in C"), "{error}");
    }

    #[test]
    fn module_that_exports_no_rule_is_refused() {
        let error = component(b"\0asm\x01\0\0\0").expect_err("it exports nothing");
        let causes = refiner_diagnostics::ErrorChain(&error).to_string();
        let expected = format!("refiner:rule/rule@{}", SURROUNDINGS.version);
        assert!(causes.contains(&expected), "{causes}");
    }
}
