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

use std::process::Command;

use anyhow::{Result, ensure};
use refiner_authoring::toolchain;

use crate::{command, rules, step::Steps, tool};

/// Number of steps of [`of_the_house`], of [`of_the_rules`] and of both with [`CLIPPY`] and [`licences`].
pub const HOUSE_STEPS: usize = 6 + FORMATTING.len();
pub const RULES_STEPS: usize = 2;
pub const STEPS: usize = HOUSE_STEPS + 1 + RULES_STEPS + 2;

const FORMATTING: [(&str, &str); 2] = [
    ("Formatting", "cargo fmt --all --check"),
    ("Formatting of the rules", "cargo fmt --all --check --manifest-path rules/Cargo.toml"),
];

/// The longest of all.
pub const CLIPPY: (&str, &str) = ("Lints", "cargo clippy --workspace --all-targets --locked -- -D warnings");

const CLIPPY_RULES: (&str, &str) = (
    "Lints of the rules",
    "cargo clippy --all-targets --locked --manifest-path rules/Cargo.toml --target-dir rules/target -- -D warnings",
);

const GUESTS: &str = "Lints of the guests for their own target";

/// The checks of `cargo deny`. Its advisory database is left out: it cannot be fetched everywhere.
const DENY: &str = "cargo deny --locked check bans licenses sources";
/// The rules need fewer licences than the program, which is no fault.
const DENY_RULES: &str = "cargo deny --locked --manifest-path rules/Cargo.toml --config deny.toml check \
                          -A license-not-encountered bans licenses sources";

pub fn run() -> Result<()> {
    let mut steps = Steps::of(STEPS);
    of_the_house(&mut steps)?;
    let (what, line) = CLIPPY;
    steps.take(what, Some(line), || Ok(command::run(&mut command::line(line))?))?;
    for (what, again, mut lint) in of_the_rules()? {
        steps.take(what, Some(&again), || Ok(command::run(&mut lint)?))?;
    }
    licences(&mut steps)?;
    println!("\nNo complaints, in {}.", steps.elapsed());
    Ok(())
}

/// The checks that compile nothing.
pub fn of_the_house(steps: &mut Steps) -> Result<()> {
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
    for (what, line) in FORMATTING {
        steps.take(what, Some(line), || Ok(command::run(&mut command::line(line))?))?;
    }
    Ok(())
}

/// Clippy over the rules: a title, the line that repeats it, and the command.
pub fn of_the_rules() -> Result<[(&'static str, String, Command); RULES_STEPS]> {
    let (what, line) = CLIPPY_RULES;
    let guests = match toolchain::find()?.clippy(&rules::place()) {
        Some(mut clippy) => {
            clippy.args(["--workspace", "--locked", "--", "-D", "warnings"]);
            clippy
        }
        None => {
            let mut skipped = command::program("echo");
            skipped.arg("      skipped: Debian's compiler comes without clippy");
            skipped
        }
    };
    Ok([(what, line.to_owned(), command::line(line)), (GUESTS, "cargo xtask lint".to_owned(), guests)])
}

/// Licences, sources and bans of everything that is locked.
pub fn licences(steps: &mut Steps) -> Result<()> {
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
