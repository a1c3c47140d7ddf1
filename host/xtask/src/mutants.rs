//! `cargo xtask mutants`: changes the gate, the limits and the admission of rules in every way that cargo-mutants knows, and shows the changes that
//! no test notices.
//!
//! Each part has tests of its own that must notice every change of it without the others, so that a change takes seconds.

use std::fs;

use anyhow::Result;
use clap::Args;

use crate::{command, step::Steps, tool, tree};

/// The choices of a run.
#[derive(Args)]
pub struct Arguments {
    /// Files to change, such as `host/evm/src/gate/senders.rs`; all of a part where none is given.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// Parts to change: gate, checks, limits, admission, allowance. All where none is named.
    #[arg(long = "part", value_name = "PART", value_parser = PARTS.map(|part| part.name))]
    parts: Vec<String>,
}

/// A part of the program and the tests that must notice its changes.
struct Part {
    name: &'static str,
    title: &'static str,
    packages: &'static [&'static str],
    files: &'static [&'static str],
    /// Test binaries as cargo chooses them, and the start of the tests' names.
    tests: &'static [&'static str],
    names: &'static [&'static str],
}

/// The gate, which is every check that needs no execution, and the bounds of rules.
const PARTS: [Part; 5] = [
    Part {
        name: "gate",
        title: "Mutants of the gate",
        packages: &["refiner-evm"],
        files: &["host/evm/src/gate/**/*.rs"],
        tests: &["--lib", "--test=gate"],
        names: &[],
    },
    Part {
        name: "checks",
        title: "Mutants of the checks of a specimen",
        packages: &["refiner-specimen"],
        files: &["host/specimen/src/check.rs", "host/specimen/src/check/**/*.rs"],
        tests: &["--test=suite"],
        names: &["checks::"],
    },
    Part {
        name: "limits",
        title: "Mutants of limits, ceilings and prices",
        packages: &["refiner-rule-model", "refiner-sandbox"],
        files: &["host/rule-model/src/limits/*.rs", "host/sandbox/src/prices.rs"],
        tests: &["--lib"],
        names: &["limits::", "prices::"],
    },
    Part {
        name: "admission",
        title: "Mutants of admission, budget and memory",
        packages: &["refiner-rule-model", "refiner-sandbox"],
        files: &[
            "host/rule-model/src/admission/*.rs",
            "host/sandbox/src/transcoding.rs",
            "host/sandbox/src/host/budget.rs",
            "host/sandbox/src/host/memory.rs",
        ],
        tests: &["--lib", "--test=admission", "--test=manifest", "--test=limits", "--test=wasi", "--test=hostile"],
        names: &[],
    },
    Part {
        name: "allowance",
        title: "Mutants of the time of a child",
        packages: &["refiner-worker"],
        files: &["host/worker/src/allowance.rs"],
        tests: &["--lib"],
        names: &["allowance::"],
    },
];

/// A mutant can make a loop endless; the tests themselves take a fraction of this.
const TIMEOUT_SECONDS: &str = "300";

pub fn run(arguments: &Arguments) -> Result<()> {
    let wanted = |part: &Part| arguments.parts.is_empty() || arguments.parts.iter().any(|name| name == part.name);
    let parts: Vec<_> = PARTS.into_iter().filter(wanted).collect();
    let mut steps = Steps::of(1 + parts.len());
    steps.take("Find cargo-mutants", None, || tool::ensure("mutants", "cargo-mutants"))?;
    let again = "cargo xtask mutants";
    let outcomes: Vec<_> =
        parts.iter().map(|part| steps.take(part.title, Some(again), || change(part, &arguments.files))).collect();
    outcomes.into_iter().collect()
}

fn change(part: &Part, chosen: &[String]) -> Result<()> {
    let target = tree::root().join("target");
    let mut mutants = command::cargo();
    mutants.args(["mutants", "--timeout", TIMEOUT_SECONDS, "--no-shuffle"]);
    mutants.args(part.packages.iter().flat_map(|package| ["--package", package, "--test-package", package]));
    match chosen {
        [] => mutants.args(part.files.iter().flat_map(|files| ["--file", files])),
        // The package leaves out what is not of this part.
        chosen => mutants.args(chosen.iter().flat_map(|file| ["--file", file])),
    };
    let output = target.join("mutants").join(part.name);
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
