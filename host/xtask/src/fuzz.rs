//! `cargo xtask fuzz`: every parser that strangers reach under libFuzzer, in turn, with a corpus that is kept and totals over all runs.

use std::{collections::BTreeMap, fs, path::Path, process::Stdio};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{command, step::Steps, tool, tree};

/// The workspace of the libFuzzer program.
const DIRECTORY: &str = "tests/fuzz/libfuzzer";
/// The libFuzzer program, where cargo-fuzz builds it.
const PROGRAM: &str = "tests/fuzz/libfuzzer/target/x86_64-unknown-linux-gnu/release/any";
/// Inputs that reach new parts of a target, kept from run to run; not committed.
const CORPUS: &str = "tests/fuzz/corpus";
/// Inputs with findings.
const ARTIFACTS: &str = "tests/fuzz/artifacts";
/// Time and executions of each target over all runs, committed.
const TOTALS: &str = "tests/fuzz/totals.json";
/// Time after which one input is a finding.
const INPUT_SECONDS: &str = "-timeout=20";
/// Memory of the whole program, above which an input is a finding.
const MEMORY: &str = "-rss_limit_mb=4096";

/// The time, and the targets.
#[derive(clap::Args)]
pub struct Arguments {
    /// Minutes in all, shared evenly by the targets.
    #[arg(long, default_value_t = 14)]
    minutes: u64,
    /// Targets by name; all where none is given.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// Sums over all runs of one target.
#[derive(Default, Serialize, Deserialize)]
struct Total {
    seconds: u64,
    executions: u64,
    findings: u64,
}

/// A target as the crate of targets prints it.
struct Target {
    name: String,
    bytes_max: String,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let mut steps = Steps::of(4);
    steps.take("Find cargo-fuzz", None, || tool::ensure("fuzz", "cargo-fuzz"))?;
    steps.take("Build the targets", None, || {
        // Without a sanitizer there is no runtime to install, and a stable compiler can do it: panics, overflows, hangs and
        // memory are found all the same, and the parsers have no unsafe code.
        let mut build = command::line("cargo fuzz build any --sanitizer none --fuzz-dir");
        Ok(command::run(build.arg(DIRECTORY).env("RUSTC_BOOTSTRAP", "1"))?)
    })?;
    let targets = steps.take("Write the seeds", None, seeds)?;
    for name in &arguments.targets {
        if !targets.iter().any(|target| target.name == *name) {
            let known: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
            bail!("no target {name}; there are {}", known.join(", "));
        }
    }
    let is_chosen = |target: &Target| arguments.targets.is_empty() || arguments.targets.contains(&target.name);
    let chosen: Vec<_> = targets.into_iter().filter(is_chosen).collect();
    let seconds = arguments.minutes * 60 / chosen.len() as u64;
    if seconds == 0 {
        bail!("{} targets have no whole second each; raise --minutes", chosen.len());
    }
    steps.take("Run the targets", Some("cargo xtask fuzz"), || run_each(&chosen, seconds))
}

fn seeds() -> Result<Vec<Target>> {
    let mut write = command::program(tree::root().join(PROGRAM));
    let printed = command::answer(write.env("REFINER_FUZZ_SEEDS", CORPUS)).context("the seeds are not written")?;
    let targets = printed.lines().filter_map(|line| line.split_once(' '));
    Ok(targets.map(|(name, bytes)| Target { name: name.to_owned(), bytes_max: bytes.to_owned() }).collect())
}

fn run_each(targets: &[Target], seconds: u64) -> Result<()> {
    fs::create_dir_all(tree::root().join(ARTIFACTS))?;
    let path = tree::root().join(TOTALS);
    let mut totals = totals(&path)?;
    let mut with_findings = Vec::new();
    for target in targets {
        let (executions, is_finding) = run_one(target, seconds)?;
        let total = totals.entry(target.name.clone()).or_default();
        total.seconds += seconds;
        total.executions += executions;
        total.findings += u64::from(is_finding);
        println!("      {}: {executions} executions in {seconds} s; {} in all", target.name, total.executions);
        // After each target, so that a run that is ended keeps what it did.
        fs::write(&path, serde_json::to_string_pretty(&totals)? + "\n")?;
        if is_finding {
            with_findings.push(target.name.as_str());
        }
    }
    let minutes: u64 = totals.values().map(|total| total.seconds).sum::<u64>() / 60;
    let executions: u64 = totals.values().map(|total| total.executions).sum();
    println!("      {executions} executions in {minutes} minutes over all runs");
    if !with_findings.is_empty() {
        bail!("findings in {}; their inputs are in {ARTIFACTS}", with_findings.join(", "));
    }
    Ok(())
}

fn totals(path: &Path) -> Result<BTreeMap<String, Total>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("{}", path.display())),
    }
}

/// Runs one target; its executions, and whether an input is a finding.
fn run_one(target: &Target, seconds: u64) -> Result<(u64, bool)> {
    let corpus = format!("{CORPUS}/{}", target.name);
    let mut fuzz = command::program(tree::root().join(PROGRAM));
    fuzz.arg(corpus).args(["-print_final_stats=1", INPUT_SECONDS, MEMORY]);
    fuzz.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={}", target.bytes_max));
    fuzz.arg(format!("-artifact_prefix={ARTIFACTS}/{}-", target.name));
    fuzz.env("REFINER_FUZZ_TARGET", &target.name).stdin(Stdio::null()).stdout(Stdio::null());
    let output = fuzz.output().context("the libFuzzer program does not start")?;
    let report = String::from_utf8_lossy(&output.stderr);
    let is_finding = !output.status.success();
    if is_finding {
        let last: Vec<_> = report.lines().rev().take(30).collect();
        last.iter().rev().for_each(|line| println!("      {line}"));
    }
    Ok((executions(&report), is_finding))
}

/// The number of executions in libFuzzer's last lines.
fn executions(report: &str) -> u64 {
    let stated = report.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    stated.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn executions_are_read_from_the_last_lines() {
        let report = "#8 DONE\nstat::number_of_executed_units: 1234\nstat::average_exec_per_sec: 1\n";
        assert_eq!(super::executions(report), 1_234);
        assert_eq!(super::executions("killed"), 0);
    }
}
