//! `cargo xtask test`: everything, from unit tests to acceptance.

use anyhow::Result;
use refiner_authoring::toolchain;

use crate::{chain, command, lint, readers, rules, step::Steps, tool, twins};

/// Steps that are cargo's own, in the order that fails soonest.
const CARGO_STEPS: [(&str, &str); 3] = [
    ("Unit and acceptance tests", "cargo nextest run --workspace --locked"),
    ("Documentation tests", "cargo test --doc --workspace --locked"),
    ("Tests of the rules", "cargo test --locked --manifest-path rules/Cargo.toml --target-dir rules/target"),
];

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
        steps.take(what, Some(line), || Ok(command::run(&mut command::line(line))?))?;
    }
    lint::all(&mut steps)?;
    println!("\nEverything passes, in {}.", steps.elapsed());
    Ok(())
}
