//! Finds the tools that come from a package of Debian, or unpacks them into `target/<package>`.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    TestChainError,
    install::{locked, root},
};

/// The package that has Prometheus and promtool.
const PROMETHEUS: &str = "prometheus";
/// The package, and the program in it, of the registry of images and artifacts.
const REGISTRY: &str = "docker-registry";

/// The path of `prometheus` or `promtool`: on `PATH`, in `target/prometheus`, or unpacked there without an installation. `None`, with a
/// line on standard error, where neither is possible outside of CI.
///
/// # Errors
///
/// [`TestChainError::Apt`] under CI, and [`TestChainError::File`].
pub fn of_prometheus(tool: &'static str) -> Result<Option<PathBuf>, TestChainError> {
    found_or_skipped(tool, PROMETHEUS)
}

/// The path of `docker-registry`, likewise.
///
/// # Errors
///
/// As [`of_prometheus`].
pub fn docker_registry() -> Result<Option<PathBuf>, TestChainError> {
    found_or_skipped(REGISTRY, REGISTRY)
}

fn found_or_skipped(tool: &'static str, package: &'static str) -> Result<Option<PathBuf>, TestChainError> {
    match find(tool, package) {
        Err(missing @ TestChainError::Apt { .. }) if env::var_os("CI").is_none() => {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: {missing}");
            }
            Ok(None)
        }
        found => found.map(Some),
    }
}

fn find(tool: &'static str, package: &'static str) -> Result<PathBuf, TestChainError> {
    let on_path = env::var_os("PATH")
        .and_then(|path| env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file()));
    if let Some(file) = on_path {
        return Ok(file);
    }
    let folder = root().join("target").join(package);
    let file = folder.join("usr/bin").join(tool);
    if file.is_file() {
        return Ok(file);
    }
    // Tests run in many processes at once; the first one unpacks, the others wait and find it.
    let _lock = locked(&folder)?;
    if !file.is_file() {
        // Only a whole package has the final name.
        let unpacked = folder.join("unpacked");
        let _ = fs::remove_dir_all(&unpacked);
        fs::create_dir_all(&unpacked).map_err(|source| TestChainError::File { path: unpacked.clone(), source })?;
        let script = format!("apt-get download {package} && dpkg -x {package}_*.deb . && rm {package}_*.deb");
        let status = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&unpacked)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(TestChainError::Apt { tool, package });
        }
        let (from, to) = (unpacked.join("usr"), folder.join("usr"));
        fs::rename(&from, &to).map_err(|source| TestChainError::File { path: to, source })?;
    }
    Ok(file)
}
