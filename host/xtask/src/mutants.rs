//! `cargo xtask mutants`: changes the gate in every way that cargo-mutants knows, and shows the changes that no test notices.

use anyhow::Result;

use crate::{command, step::Steps, tool, tree};

/// The gate: every check that needs no execution.
const FILES: [&str; 3] = ["host/specimen/src/check.rs", "host/specimen/src/check/**/*.rs", "host/evm/src/gate/**/*.rs"];

/// The crates whose tests must notice, and the tests.
const TESTED_BY: [&str; 2] = ["refiner-specimen", "refiner-evm"];
const TESTS: [&str; 4] = ["suite", "gate", "forks", "tampering"];

/// A mutant can make a loop endless; the tests themselves take a fraction of this.
const TIMEOUT_SECONDS: &str = "300";

pub fn run() -> Result<()> {
    let mut steps = Steps::of(3);
    steps.take("Find cargo-nextest", None, || tool::ensure("nextest", "cargo-nextest"))?;
    steps.take("Find cargo-mutants", None, || tool::ensure("mutants", "cargo-mutants"))?;
    steps.take("Mutants of the gate", Some("cargo xtask mutants"), || {
        let mut mutants = command::cargo();
        mutants.args([
            "mutants",
            "--workspace",
            "--test-tool",
            "nextest",
            "--timeout",
            TIMEOUT_SECONDS,
            "--no-shuffle",
        ]);
        mutants.args(FILES.into_iter().flat_map(|files| ["--file", files]));
        mutants.args(TESTED_BY.into_iter().flat_map(|package| ["--test-package", package]));
        mutants.arg("--output").arg(tree::root().join("target"));
        mutants.arg("--").args(TESTS.into_iter().flat_map(|test| ["--test", test]));
        // The mutants are made in a copy of the tree. With this directory the dependencies need not be compiled again.
        mutants.env("CARGO_TARGET_DIR", tree::root().join("target"));
        Ok(command::run(&mut mutants)?)
    })
}
