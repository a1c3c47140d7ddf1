//! `cargo xtask mutants`: changes the gate in every way that cargo-mutants knows, and shows the changes that no test notices.
//!
//! Each part of the gate has tests of its own that must notice every change of it without the others, so that a change takes seconds.

use std::fs;

use anyhow::Result;
use clap::Args;

use crate::{command, step::Steps, tool, tree};

/// The choices of a run.
#[derive(Args)]
pub struct Arguments {
    /// Files of the gate to change, such as `host/evm/src/gate/senders.rs`; all of them where none is given.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

/// A part of the gate and the tests that must notice its changes.
struct Part {
    title: &'static str,
    package: &'static str,
    files: &'static [&'static str],
    /// Test binaries as cargo chooses them, and the start of the tests' names.
    tests: &'static [&'static str],
    names: &'static [&'static str],
}

/// The gate: every check that needs no execution.
const PARTS: [Part; 2] = [
    Part {
        title: "Mutants of the gate",
        package: "refiner-evm",
        files: &["host/evm/src/gate/**/*.rs"],
        tests: &["--lib", "--test=gate"],
        names: &[],
    },
    Part {
        title: "Mutants of the checks of a specimen",
        package: "refiner-specimen",
        files: &["host/specimen/src/check.rs", "host/specimen/src/check/**/*.rs"],
        tests: &["--test=suite"],
        names: &["checks::"],
    },
];

/// A mutant can make a loop endless; the tests themselves take a fraction of this.
const TIMEOUT_SECONDS: &str = "300";

pub fn run(arguments: &Arguments) -> Result<()> {
    let mut steps = Steps::of(1 + PARTS.len());
    steps.take("Find cargo-mutants", None, || tool::ensure("mutants", "cargo-mutants"))?;
    let outcomes =
        PARTS.map(|part| steps.take(part.title, Some("cargo xtask mutants"), || change(&part, &arguments.files)));
    outcomes.into_iter().collect()
}

fn change(part: &Part, chosen: &[String]) -> Result<()> {
    let target = tree::root().join("target");
    let mut mutants = command::cargo();
    mutants.args(["mutants", "--timeout", TIMEOUT_SECONDS, "--no-shuffle"]);
    mutants.args(["--package", part.package, "--test-package", part.package]);
    match chosen {
        [] => mutants.args(part.files.iter().flat_map(|files| ["--file", files])),
        // The package leaves out what is not of this part.
        chosen => mutants.args(chosen.iter().flat_map(|file| ["--file", file])),
    };
    let output = target.join("mutants").join(part.package);
    fs::create_dir_all(&output)?;
    mutants.arg("--output").arg(output);
    // The other test binaries of the package are not even built; one process for all tests, and not nextest's one for each.
    mutants.args(part.tests.iter().map(|test| format!("--cargo-arg={test}")));
    mutants.arg("--").args(part.names);
    // The mutants are made in a copy of the tree. With this directory the dependencies need not be compiled again.
    mutants.env("CARGO_TARGET_DIR", target);
    // A change costs its compilation more than its tests.
    mutants.envs([("CARGO_PROFILE_DEV_OPT_LEVEL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "0")]);
    Ok(command::run(&mut mutants)?)
}
