//! `refiner version`: the build, for bug reports.

use clap::Args;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_journal::SCHEMA_VERSION;
use refiner_rule_package::builtin;
use serde_json::json;

use crate::terminal;

/// Commit of the build; empty for one that is none of a release.
const COMMIT: &str = env!("REFINER_BUILD_COMMIT");
const PROFILE: &str = env!("REFINER_BUILD_PROFILE");
const TARGET: &str = env!("REFINER_BUILD_TARGET");
/// Features of the processor and of linking.
const FEATURES: &str = env!("REFINER_BUILD_FEATURES");

/// `refiner version`.
#[derive(Debug, Args)]
pub struct Version {
    /// Also prints commit, profile, target, engine, features, and the built-in rules with their hashes.
    #[arg(long, short)]
    pub verbose: bool,
    /// One JSON object with all of it.
    #[arg(long)]
    pub json: bool,
}

/// Prints the version.
pub fn run(arguments: &Version) -> Result<ExitCode, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let rules: Vec<_> = builtin::RULES.iter().map(|(name, bytes)| (*name, refiner_specimen::sha256(bytes))).collect();
    let (engine, commit) = (
        format!("wasmtime {}", refiner_rule_model::engine::WASMTIME_VERSION),
        Some(COMMIT).filter(|commit| !commit.is_empty()),
    );
    let features: Vec<_> = FEATURES.split(',').collect();
    let mut out = terminal::out(arguments.json);
    if arguments.json {
        let rules: Vec<_> = rules.iter().map(|(name, sha256)| json!({ "name": name, "sha256": sha256 })).collect();
        out.json_line(&json!({
            "schemaVersion": 1,
            "version": version,
            "commit": commit,
            "profile": PROFILE,
            "target": TARGET,
            "engine": engine,
            "features": features,
            "journalVersion": SCHEMA_VERSION,
            "rules": rules,
        }))?;
        return Ok(ExitCode::Done);
    }
    writeln!(out, "refiner {version}")?;
    if arguments.verbose {
        writeln!(out, "commit    {}", commit.unwrap_or("not stated: no release build"))?;
        writeln!(out, "profile   {PROFILE}")?;
        writeln!(out, "target    {TARGET}")?;
        writeln!(out, "engine    {engine}")?;
        writeln!(out, "features  {}", features.join(", "))?;
        writeln!(out, "journal   version {SCHEMA_VERSION}")?;
        for (name, sha256) in rules {
            writeln!(out, "rule      {name}  sha256 {sha256:x}")?;
        }
    }
    Ok(ExitCode::Done)
}
