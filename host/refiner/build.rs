//! Embeds the built-in rules, every component that `cargo xtask rules` left in `target/rules`, and facts for `refiner version`.

use std::{env, fmt::Write as _, fs, io, path::PathBuf, process::Command};

fn main() -> io::Result<()> {
    describe();
    println!("cargo::rerun-if-env-changed=REFINER_RULES_DIR");
    let rules = env::var_os("REFINER_RULES_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/rules"), PathBuf::from);
    println!("cargo::rerun-if-changed={}", rules.display());

    let mut components: Vec<PathBuf> = match fs::read_dir(&rules) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    components.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    components.sort();
    if components.is_empty() {
        println!("cargo::warning=no rules in {}: run `cargo xtask rules` first to embed them", rules.display());
    }

    let mut table = String::from("[\n");
    for path in components {
        let path = path.canonicalize()?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);
    fs::write(out.join("builtin.rs"), table)
}

/// Hands over what `refiner version` prints of the build. Only a release looks for its commit, so that others need not be built anew
/// with every one.
fn describe() {
    println!("cargo::rerun-if-env-changed=REFINER_COMMIT");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let profile = variable("PROFILE");
    let commit = match env::var("REFINER_COMMIT") {
        Ok(commit) => commit,
        Err(_) if profile == "release" => commit_of_clone().unwrap_or_default(),
        Err(_) => String::new(),
    };
    for (name, value) in [
        ("REFINER_BUILD_COMMIT", commit),
        ("REFINER_BUILD_PROFILE", profile),
        ("REFINER_BUILD_TARGET", variable("TARGET")),
        ("REFINER_BUILD_FEATURES", variable("CARGO_CFG_TARGET_FEATURE")),
    ] {
        println!("cargo::rustc-env={name}={value}");
    }
}

fn commit_of_clone() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
    };
    for path in [git(&["rev-parse", "--git-path", "HEAD"])?, git(&["rev-parse", "--git-path", "logs/HEAD"])?] {
        println!("cargo::rerun-if-changed={path}");
    }
    git(&["rev-parse", "HEAD"])
}
