//! Passes on which machine this is built for, because rustup keeps its linker in a folder of that name; and embeds the
//! sources of the SDKs, which `refiner rule new` writes beside a rule; and compiles the stub of WASI, for the contract of the SDK of Go and
//! for the current one.
#![allow(clippy::print_stdout, reason = "cargo reads it")]

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// Parts of the SDK, below the workspace's root. Its tests stay here.
const SDK: [&str; 12] = [
    "guest-sdk/Cargo.toml",
    "guest-sdk/README.md",
    "guest-sdk/c",
    "guest-sdk/go",
    "guest-sdk/javascript",
    "guest-sdk/python",
    "guest-sdk/src",
    "guest-sdk/macros/Cargo.toml",
    "guest-sdk/macros/src",
    "guest-sdk/manifest/Cargo.toml",
    "guest-sdk/manifest/src",
    "wit/refiner-rule-1",
];

/// Sources. Editors leave other files beside them.
const ENDINGS: [&str; 11] = ["rs", "toml", "wit", "md", "go", "mod", "s", "py", "js", "c", "h"];

/// The end of the names of Go's tests, which stay here too.
const GO_TEST: &str = "_test.go";

/// The stand-in for WASI under rules in Go and C, as text.
const STUB: &str = "stub/preview1.wat";

/// The import of the stub, in the version of the SDK of Go.
const LOG_OF_GO: &str = "refiner:rule/log@1.0.0";

/// The file whose first line states the version of the contract, below the workspace's root, and what stands before the version.
const CONTRACT: &str = "wit/refiner-rule-1/worlds.wit";
const PACKAGE: &str = "package refiner:rule@";

fn main() -> io::Result<()> {
    let host = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=REFINER_BUILT_FOR={host}");
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let root = Path::new(&manifest).join("../..").canonicalize()?;
    let mut files = Vec::new();
    for part in SDK {
        let path = root.join(part);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, &mut files)?;
        }
    }
    files.sort();
    let mut table = String::from("[\n");
    for path in files {
        let name = path.strip_prefix(&root).map_err(io::Error::other)?.display().to_string();
        writeln!(table, "    ({name:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    println!("cargo::rerun-if-changed={STUB}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);
    let version = contract(&root)?;
    println!("cargo::rustc-env=REFINER_CONTRACT={version}");
    let stub = fs::read_to_string(STUB)?;
    let current = stub.replace(LOG_OF_GO, &format!("refiner:rule/log@{version}"));
    for (name, text) in [("preview1.wasm", stub), ("preview1-current.wasm", current)] {
        fs::write(out.join(name), wat::parse_str(text).map_err(io::Error::other)?)?;
    }
    fs::write(out.join("sdk.rs"), table)
}

/// The version of the contract.
fn contract(root: &Path) -> io::Result<String> {
    let text = fs::read_to_string(root.join(CONTRACT))?;
    let version = text.strip_prefix(PACKAGE).and_then(|rest| Some(rest.split_once(';')?.0.to_owned()));
    version.ok_or_else(|| io::Error::other(format!("{CONTRACT} does not begin with `{PACKAGE}VERSION;`")))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.extension().is_some_and(|found| ENDINGS.iter().any(|ending| found == *ending))
        && !path.to_string_lossy().ends_with(GO_TEST)
    {
        files.push(path.to_owned());
    }
    Ok(())
}
