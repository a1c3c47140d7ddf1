//! `cargo xtask test`: everything, from unit tests to acceptance.
//!
//! Building the tests waits for the network and linkers now and then, and running them waits about half of the time, for a chain's
//! next block or a timeout. What else there is to do goes on beside both, at the lowest priority.

use std::{
    env,
    fs::{self, File},
    num::NonZeroUsize,
    path::PathBuf,
    process::Command,
    thread,
};

use anyhow::{Context as _, Result};
use refiner_authoring::toolchain;

use crate::{beside::Beside, chain, command, lint, rules, step::Steps, tool, tree};

/// Builds the tests, and prints where their programs are.
const BUILD: &str = "cargo nextest list --workspace --locked --list-type binaries-only --message-format json";
/// Repeats the tests alone.
const NEXTEST: &str = "cargo nextest run --workspace --locked";
/// Runs what [`BUILD`] printed: without cargo's lock, which [`lint::CLIPPY`] holds meanwhile.
const RUN: &str = "cargo nextest run --no-fail-fast --binaries-metadata";

const DOCUMENTATION: &str = "cargo test --doc --workspace --locked";
const RULES: &str = "cargo test --locked --manifest-path rules/Cargo.toml --target-dir rules/target";

/// The variable by which cargo-nextest learns how many tests run at once.
const TEST_THREADS: &str = "NEXTEST_TEST_THREADS";

/// Steps that are neither lints nor beside others.
const STEPS: usize = 6;

/// One more than there are processors: about half of the time of all tests is waiting, for a chain's next block or a timeout.
fn at_once() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get) + 1
}

pub fn run() -> Result<()> {
    let beside = ["twins", "readers", "tests of the rules", "lints"].len();
    let mut steps = Steps::of(STEPS + beside + lint::HOUSE_STEPS + lint::RULES_STEPS + 2);
    steps.take("Find cargo-nextest", None, || tool::ensure("nextest", "cargo-nextest"))?;
    steps.take("Find node and npm", None, chain::ensure)?;
    lint::of_the_house(&mut steps)?;
    let rules = steps.take("Build the rules", Some("cargo xtask rules"), || {
        let guest = toolchain::find()?;
        rules::build(&guest)
    })?;
    rules::print(&rules);

    let mut while_it_builds = vec![
        Beside::start("Build the twins", "cargo xtask twins", &task("twins")?)?,
        Beside::start("Install the readers of tables", "cargo xtask readers", &task("readers")?)?,
        Beside::start("Tests of the rules", RULES, &command::line(RULES))?,
    ];
    for (what, again, command) in lint::of_the_rules()? {
        while_it_builds.push(Beside::start(what, &again, &command)?);
    }
    let tests = steps.take("Build the tests", Some(NEXTEST), built)?;
    // All are done before tests run: some build rules where the rules are built, and would wait for cargo's lock there.
    for work in while_it_builds {
        work.join(&mut steps)?;
    }

    // Before the tests, which take ten times as long, and before clippy, which holds cargo's lock.
    steps.take("Documentation tests", Some(DOCUMENTATION), || Ok(command::run(&mut command::line(DOCUMENTATION))?))?;

    let (what, line) = lint::CLIPPY;
    let clippy = Beside::start(what, line, &command::line(line))?;
    steps.take("Unit and acceptance tests", Some(NEXTEST), || {
        let mut nextest = command::line(RUN);
        nextest.arg(&tests);
        if env::var_os(TEST_THREADS).is_none() {
            nextest.env(TEST_THREADS, at_once().to_string());
        }
        Ok(command::run(&mut nextest)?)
    })?;
    clippy.join(&mut steps)?;
    lint::licences(&mut steps)?;
    println!("\nEverything passes, in {}.", steps.elapsed());
    Ok(())
}

/// Another task of this program.
fn task(name: &str) -> Result<Command> {
    let mut task = command::program(env::current_exe()?);
    task.arg(name);
    Ok(task)
}

/// Builds the tests; where their programs are listed.
fn built() -> Result<PathBuf> {
    let list = tree::root().join("target/xtask/tests.json");
    fs::create_dir_all(list.parent().context("a file in a directory")?)?;
    command::run(command::line(BUILD).stdout(File::create(&list)?))?;
    Ok(list)
}
