//! Hands over what `refiner version` prints of the build.

use std::{env, process::Command};

/// Only a release looks for its commit, so that others need not be built anew with every one.
fn main() {
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
