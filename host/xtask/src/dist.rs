//! `cargo xtask dist`: the release archive, the same bytes wherever and whenever it is made from one commit.

mod archive;
mod licences;
mod packages;
mod sbom;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use refiner_authoring::digest;

use self::packages::Packages;
use crate::{command, step::Steps, tree};

/// The target of releases, which is that of `compose/Dockerfile`.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Shells with a completion, and the file names that they look for.
const SHELLS: [(&str, &str); 3] = [("bash", "refiner.bash"), ("zsh", "_refiner"), ("fish", "refiner.fish")];
/// Files of the clone that are part of a release.
const FILES: [&str; 4] = ["LICENSE", "README.md", "CHANGELOG.md", "compose/systemd/refiner.service"];

/// `cargo xtask dist`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A program that is built already, instead of a release build.
    #[arg(long, value_name = "FILE", conflicts_with = "twice")]
    binary: Option<PathBuf>,
    /// Directory of the archive.
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
    /// Builds everything a second time in a directory of another name, and compares the archives byte for byte.
    #[arg(long)]
    twice: bool,
}

/// Makes the archive and its checksum.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut steps = Steps::of(if arguments.twice { 4 } else { 2 });
    let out = tree::root().join(&arguments.out);
    let build = |target: &str| match &arguments.binary {
        Some(binary) => fs::canonicalize(binary).with_context(|| binary.display().to_string()),
        None => build(&tree::root().join(target)),
    };
    let binary = steps.take("Build the program", None, || build("target/release-build"))?;
    let archive = steps.take("Pack the archive", None, || pack(&binary, &out))?;
    println!("      {}  sha256 {}", archive.display(), digest::sha256(&fs::read(&archive)?));
    if arguments.twice {
        let binary = steps.take("Build the program again", None, || build("target/release-build-again"))?;
        steps.take("Compare the archives", None, || {
            let again = pack(&binary, &out.join("again"))?;
            ensure!(fs::read(&archive)? == fs::read(&again)?, "{} differs from {}", again.display(), archive.display());
            Ok(())
        })?;
    }
    Ok(())
}

/// Builds the static program. No path of this machine and no time gets into it.
fn build(target: &Path) -> Result<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"), PathBuf::from);
    let (root, home) = (tree::root(), home.display().to_string());
    let flags = format!(
        "-C target-feature=+crt-static --remap-path-prefix={}=/refiner --remap-path-prefix={home}=/cargo --remap-path-prefix={}=/target",
        root.display(),
        target.display()
    );
    let c_flags = format!("-ffile-prefix-map={home}=/cargo -ffile-prefix-map={}=/target", target.display());
    let mut cargo = command::line(&format!("cargo build --release --locked --package refiner --target {TARGET}"));
    cargo
        .arg("--target-dir")
        .arg(target)
        .env("RUSTFLAGS", flags)
        .env("CFLAGS", c_flags)
        .env("SOURCE_DATE_EPOCH", epoch()?)
        .env("REFINER_RULES_DIR", tree::components())
        .env("REFINER_COMMIT", commit()?);
    without_unification(&mut cargo);
    command::run(&mut cargo)?;
    Ok(target.join(TARGET).join("release/refiner"))
}

/// Takes away the settings by which developers' builds share the features of the whole workspace.
fn without_unification(cargo: &mut Command) {
    cargo.env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION").env_remove("CARGO_UNSTABLE_FEATURE_UNIFICATION");
}

/// The output of a program that must succeed.
fn answer(command: &mut Command) -> Result<String> {
    command::answer(command).with_context(|| format!("no answer from {command:?}"))
}

/// The commit of the clone, and whether files differ from it.
fn commit() -> Result<String> {
    let commit = answer(command::program("git").args(["rev-parse", "HEAD"]))?;
    let changed = answer(command::program("git").args(["status", "--porcelain", "--untracked-files=no"]))?;
    Ok(format!("{commit}{}", if changed.is_empty() { "" } else { " (modified)" }))
}

/// The time of the commit, seconds since 1970: that of every file in the archive.
fn epoch() -> Result<String> {
    match env::var("SOURCE_DATE_EPOCH") {
        Ok(epoch) => Ok(epoch),
        Err(_) => answer(command::program("git").args(["log", "-1", "--format=%ct"])),
    }
}

/// Packs a program with everything that belongs to it. Returns the path of the archive.
fn pack(binary: &Path, out: &Path) -> Result<PathBuf> {
    let epoch = epoch()?;
    let name = format!("refiner-{}-{TARGET}", env!("CARGO_PKG_VERSION"));
    let folder = out.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    program(binary, &folder)?;
    for file in FILES {
        let target = folder.join(file.strip_prefix("compose/").unwrap_or(file));
        fs::create_dir_all(target.parent().unwrap_or(&folder))?;
        fs::copy(tree::root().join(file), &target).with_context(|| file.to_owned())?;
    }
    let packages = Packages::of_release(TARGET)?;
    let sbom = serde_json::to_string_pretty(&sbom::document(&packages, &epoch)?)?;
    fs::write(folder.join("refiner.cdx.json"), sbom + "\n")?;
    fs::write(folder.join("THIRD-PARTY-LICENCES.txt"), licences::texts(&packages)?)?;
    archive::checksums(&folder)?;
    archive::pack(out, &name, &epoch)
}

/// The stripped program, its completions and its manual pages.
fn program(binary: &Path, folder: &Path) -> Result<()> {
    let program = folder.join("refiner");
    fs::copy(binary, &program).with_context(|| binary.display().to_string())?;
    let is_elf = fs::read(&program)?.starts_with(b"\x7fELF");
    if is_elf {
        command::run(command::program("strip").arg("--strip-all").arg(&program))?;
    }
    let ask = |arguments: &[OsString]| {
        let mut command = command::program(&program);
        // Help shows variables, and those of this machine are none of a release.
        command.env_clear().args(arguments);
        command
    };
    fs::create_dir_all(folder.join("completions"))?;
    for (shell, file) in SHELLS {
        let completion = answer(&mut ask(&["completions".into(), shell.into()]))?;
        fs::write(folder.join("completions").join(file), completion + "\n")?;
    }
    command::run(&mut ask(&["man".into(), folder.join("man").into()]))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::Value;

    use super::*;

    /// Answers as the program does.
    const PROGRAM: &str = "#!/bin/sh\ncase $1 in completions) echo \"complete for $2\";; man) mkdir -p \"$2\" && echo page > \"$2/refiner.1\";; esac\n";

    fn packed(directory: &Path) -> PathBuf {
        let binary = directory.join("program");
        fs::write(&binary, PROGRAM).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        pack(&binary, &directory.join("out")).unwrap()
    }

    #[test]
    fn archive_of_one_program_is_the_same_bytes_twice_and_holds_what_a_release_has() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let archive = packed(first.path());
        assert_eq!(fs::read(&archive).unwrap(), fs::read(packed(second.path())).unwrap());
        let sum = fs::read_to_string(archive.with_extension("gz.sha256")).unwrap();
        let digest = digest::sha256(&fs::read(&archive).unwrap());
        assert!(sum.starts_with(&digest), "{sum}");

        let folder = archive.parent().unwrap().join(format!("refiner-{}-{TARGET}", env!("CARGO_PKG_VERSION")));
        let checked =
            command::program("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&folder).status();
        assert!(checked.unwrap().success());
        let listed = answer(command::program("tar").arg("-tvf").arg(&archive)).unwrap();
        for name in
            ["refiner", "LICENSE", "completions/_refiner", "man/refiner.1", "systemd/refiner.service", "SHA256SUMS"]
        {
            let ending = format!("/{name}");
            assert!(listed.lines().any(|line| line.ends_with(&ending)), "{name} is not in\n{listed}");
        }
        assert!(listed.lines().all(|line| line.contains(" 0/0 ")), "{listed}");

        let sbom: Value = serde_json::from_slice(&fs::read(folder.join("refiner.cdx.json")).unwrap()).unwrap();
        let components = sbom["components"].as_array().unwrap();
        let named = |name: &str| components.iter().find(|component| component["name"] == name);
        let wasmtime = named("wasmtime").unwrap();
        assert!(wasmtime["purl"].as_str().unwrap().starts_with("pkg:cargo/wasmtime@"));
        assert_eq!(wasmtime["hashes"][0]["content"].as_str().unwrap().len(), 64);
        assert!(named("proptest").is_none(), "dependencies of tests are no part of a release");
        let licences = fs::read_to_string(folder.join("THIRD-PARTY-LICENCES.txt")).unwrap();
        for component in components.iter().filter(|component| component["hashes"].is_array()) {
            let heading = format!("{} {}", component["name"].as_str().unwrap(), component["version"].as_str().unwrap());
            assert!(licences.contains(&heading), "{heading} is not among the licences");
        }
    }
}
