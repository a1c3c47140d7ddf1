//! Finds the tools that come from npm, or installs them into `target/node`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{TestChainError, anvil::or_skip};

/// The anvil that the tests were written with.
const ANVIL: &str = "@foundry-rs/anvil@1.7.1";
/// The compiler that `tests/proofchain/build.mjs` asks for.
const SOLC: &str = "solc@0.8.28";

/// Reads and writes archives of content (CAR) with the libraries of those who specified them.
const IPFS_CAR: &str = "ipfs-car@3.1.0";

/// Root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The path of anvil: `$ANVIL`, on `PATH`, in `target/node`, or installed there.
///
/// # Errors
///
/// [`TestChainError::NoNpm`], [`TestChainError::Npm`] and [`TestChainError::File`].
pub fn anvil() -> Result<PathBuf, TestChainError> {
    if let Some(named) = env::var_os("ANVIL") {
        return Ok(named.into());
    }
    let on_path = env::var_os("PATH")
        .and_then(|path| env::split_paths(&path).map(|folder| folder.join("anvil")).find(|file| file.is_file()));
    if let Some(file) = on_path {
        return Ok(file);
    }
    installed(ANVIL, anvil_of_npm)
}

/// The folder in which `require("solc")` finds the pinned compiler.
///
/// # Errors
///
/// As [`anvil`].
pub fn solc() -> Result<PathBuf, TestChainError> {
    installed(SOLC, |modules| {
        let package = fs::read_to_string(modules.join("solc/package.json")).ok()?;
        let (_, version) = SOLC.split_once('@')?;
        package.contains(&format!("\"version\": \"{version}\"")).then(|| modules.join("solc"))
    })
}

/// The script of `ipfs-car`, for node; `None`, and a line, on a machine without npm. Under CI that is an error.
///
/// # Errors
///
/// As [`anvil`].
pub fn ipfs_car() -> Result<Option<PathBuf>, TestChainError> {
    or_skip(installed(IPFS_CAR, |modules| Some(modules.join("ipfs-car/bin.js")).filter(|script| script.is_file())))
}

/// The program itself: npm's own `anvil` is a script that starts it, and would outlive us when killed.
fn anvil_of_npm(modules: &Path) -> Option<PathBuf> {
    let packages = fs::read_dir(modules.join("@foundry-rs")).ok()?;
    let programs = packages.filter_map(|package| Some(package.ok()?.path().join("bin/anvil")));
    programs.into_iter().find(|program| program.is_file())
}

fn installed(package: &'static str, find: impl Fn(&Path) -> Option<PathBuf>) -> Result<PathBuf, TestChainError> {
    let prefix = root().join("target/node");
    let modules = prefix.join("node_modules");
    if let Some(found) = find(&modules) {
        return Ok(found);
    }
    // Tests run in many processes at once; the first one installs, the others wait and find it.
    let _lock = locked(&prefix)?;
    if let Some(found) = find(&modules) {
        return Ok(found);
    }
    let status = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(&prefix)
        .arg(package)
        .stdout(Stdio::null())
        .status()
        .map_err(|_| TestChainError::NoNpm { wanted: package })?;
    if !status.success() {
        return Err(TestChainError::Npm { package });
    }
    find(&modules).ok_or(TestChainError::Npm { package })
}

pub(crate) fn locked(prefix: &Path) -> Result<fs::File, TestChainError> {
    let path = prefix.join("install.lock");
    let open = || {
        fs::create_dir_all(prefix)?;
        let file = fs::File::create(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|source| TestChainError::File { path: path.clone(), source })
}
