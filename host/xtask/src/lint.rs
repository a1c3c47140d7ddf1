//! `cargo xtask lint`: formatting, lints, licences, and the rules of the house.

mod contract;
mod cycles;
mod documents;
mod errors;
mod house;
mod invariants;
mod libraries;
mod names;
mod rooms;
mod words;

use anyhow::{Result, ensure};
use refiner_authoring::toolchain;

use crate::{command, rules, step::Steps, tool};

/// Number of steps of [`all`].
pub const STEPS: usize = CARGO_STEPS.len() + 9;

const CARGO_STEPS: [(&str, &str); 4] = [
    ("Formatting", "cargo fmt --all --check"),
    ("Formatting of the rules", "cargo fmt --all --check --manifest-path rules/Cargo.toml"),
    ("Lints", "cargo clippy --workspace --all-targets --locked -- -D warnings"),
    (
        "Lints of the rules",
        "cargo clippy --all-targets --locked --manifest-path rules/Cargo.toml --target-dir rules/target -- -D warnings",
    ),
];

/// The checks of `cargo deny`. Its advisory database is left out: it cannot be fetched everywhere.
const DENY: &str = "cargo deny --locked check bans licenses sources";
/// The rules need fewer licences than the program, which is no fault.
const DENY_RULES: &str = "cargo deny --locked --manifest-path rules/Cargo.toml --config deny.toml check \
                          -A license-not-encountered bans licenses sources";

pub fn run() -> Result<()> {
    let mut steps = Steps::of(STEPS);
    all(&mut steps)?;
    println!("\nNo complaints, in {}.", steps.elapsed());
    Ok(())
}

/// Every lint, as steps of a longer task.
pub fn all(steps: &mut Steps) -> Result<()> {
    steps.take("Rules of the house", Some("cargo xtask lint"), || none_of(&house::offences()?))?;
    steps.take(
        "References of documents and comments",
        Some("cargo xtask lint"),
        || none_of(&documents::offences()?),
    )?;
    steps.take("Invariants", Some("cargo xtask lint"), || {
        none_of(&[invariants::offences()?, contract::offences()?].concat())
    })?;
    steps
        .take("Rooms", Some("cargo xtask lint"), || none_of(&[rooms::offences()?, libraries::offences()?].concat()))?;
    steps.take("Cycles of modules", Some("cargo xtask lint"), || none_of(&cycles::offences()?))?;
    steps.take("Measures of the language", Some("cargo xtask lint"), || {
        let (past, measures) = words::measure()?;
        measures.iter().for_each(|measure| println!("      {measure}"));
        none_of(&past)
    })?;
    for (what, line) in CARGO_STEPS {
        steps.take(what, Some(line), || Ok(command::run(&mut command::line(line))?))?;
    }
    steps.take("Lints of the guests for their own target", None, guests)?;
    steps.take("Licences, sources and bans", Some(DENY), || {
        tool::ensure("deny", "cargo-deny")?;
        Ok(command::run(&mut command::line(DENY))?)
    })?;
    steps.take("Licences, sources and bans of the rules", Some(DENY_RULES), || {
        Ok(command::run(&mut command::line(DENY_RULES))?)
    })
}

/// Prints each offence on a line of its own; any is an error.
fn none_of(offences: &[String]) -> Result<()> {
    offences.iter().for_each(|offence| println!("      {offence}"));
    ensure!(offences.is_empty(), "{} offences, listed above", offences.len());
    Ok(())
}

fn guests() -> Result<()> {
    match toolchain::find()?.clippy(&rules::place()) {
        Some(mut clippy) => Ok(command::run(clippy.args(["--workspace", "--locked", "--", "-D", "warnings"]))?),
        None => {
            println!("      skipped: Debian's compiler comes without clippy");
            Ok(())
        }
    }
}
