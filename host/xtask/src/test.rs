//! `cargo xtask test`: everything, from unit tests to acceptance.

use std::{env, num::NonZeroUsize, thread};

use anyhow::Result;
use refiner_authoring::toolchain;

use crate::{chain, command, lint, readers, rules, step::Steps, tool, twins};

/// Steps that are cargo's own, in the order that fails soonest.
const CARGO_STEPS: [(&str, &str); 3] = [
    ("Unit and acceptance tests", "cargo nextest run --workspace --locked"),
    ("Documentation tests", "cargo test --doc --workspace --locked"),
    ("Tests of the rules", "cargo test --locked --manifest-path rules/Cargo.toml --target-dir rules/target"),
];

/// The variable by which cargo-nextest learns how many tests run at once.
const TEST_THREADS: &str = "NEXTEST_TEST_THREADS";

/// One more than there are processors: about half of the time of all tests is waiting, for a chain's next block or a timeout.
fn at_once() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get) + 1
}

pub fn run() -> Result<()> {
    let mut steps = Steps::of(5 + CARGO_STEPS.len() + lint::STEPS);
    steps.take("Find cargo-nextest", None, || tool::ensure("nextest", "cargo-nextest"))?;
    steps.take("Find node and npm", None, chain::ensure)?;
    let rules = steps.take("Build the rules", Some("cargo xtask rules"), || {
        let guest = toolchain::find()?;
        rules::build(&guest)
    })?;
    rules::print(&rules);
    let twins = steps.take("Build the twins", Some("cargo xtask twins"), || {
        let guest = toolchain::find()?;
        twins::build(&guest)
    })?;
    twins::print(&twins);
    let readers = steps.take("Install the readers of tables", Some("cargo xtask readers"), readers::install)?;
    println!("      {readers}");
    for (what, line) in CARGO_STEPS {
        steps.take(what, Some(line), || {
            let mut command = command::line(line);
            if env::var_os(TEST_THREADS).is_none() {
                command.env(TEST_THREADS, at_once().to_string());
            }
            Ok(command::run(&mut command)?)
        })?;
    }
    lint::all(&mut steps)?;
    println!("\nEverything passes, in {}.", steps.elapsed());
    Ok(())
}
