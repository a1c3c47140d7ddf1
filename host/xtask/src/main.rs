//! The tasks of newcomers and CI: `cargo xtask demo`, `test`, `rules`, `twins`, `lint`, `bench`, `conformance`,
//! `evm-diff`, `dist`.
//!
//! * **Inputs**: a clone and a Rust toolchain.
//! * **Outputs**: built rules, results on the screen, or the failed step and the command that repeats it.
//! * **Invariants**: the program needs nothing of it at run time.
#![allow(clippy::print_stdout, reason = "printing is what these commands are for")]

mod bench;
mod beside;
mod chain;
mod command;
mod compare;
mod conformance;
mod demo;
mod dist;
mod evm_diff;
mod fuzz;
mod lint;
mod measured;
mod mutants;
mod processors;
mod readers;
mod renumber;
mod rules;
mod screenshots;
mod soak;
mod step;
mod tables;
mod test;
mod tool;
mod tree;
mod twins;
mod wheel;

use std::process::ExitCode;

use clap::Parser;
use refiner_diagnostics::ErrorChain;

/// The tasks of newcomers and CI.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
enum Task {
    /// Builds rules and program, replays the sample specimens and shows what came out.
    Demo,
    /// Runs everything, from unit tests to acceptance, and `lint`.
    Test,
    /// Builds every crate of `rules/` to a component in `target/rules`, installing the guest target if need be.
    Rules,
    /// Builds one rule in every way of `tests/twins` to components in `target/twins`.
    Twins,
    /// Installs DuckDB, Polars and pandas into `target/readers`, for the tests that open tables with them.
    Readers,
    /// Checks formatting, lints, licences and the rules of the house.
    Lint,
    /// Runs the benchmarks and prints their tables.
    Bench,
    /// Runs this program in turn with other builds of it, or a script, and prints the ratios of their times.
    Compare(compare::Arguments),
    /// Runs Ethereum's blockchain tests through the block-result rule.
    Conformance(conformance::Arguments),
    /// Posts every replica of a folder to an evm-server and to this program, and shows where their answers differ.
    EvmDiff(evm_diff::Arguments),
    /// Makes the release archive: program, completions, manual pages, bill of materials, licences, checksums.
    Dist(dist::Arguments),
    /// Runs every parser that strangers reach under libFuzzer and adds to the totals.
    Fuzz(fuzz::Arguments),
    /// Changes the gate in many ways and shows those that no test notices; takes a quarter of an hour.
    Mutants(mutants::Arguments),
    /// Runs every built-in rule over the samples on an old and a new processor under qemu-user, and compares the bytes.
    Processors(processors::Arguments),
    /// Makes specimens of consecutive heights out of the real ones, ten thousand if need be.
    Renumber(renumber::Arguments),
    /// Takes many specimens through four rules to tables, kills and continues that, and computes it again.
    Tables(tables::Arguments),
    /// Takes pictures of the status page in a browser, for the documentation.
    Screenshots,
    /// Takes announcements through faults of all kinds at once and compares what was proved.
    Soak(soak::Arguments),
    /// Builds the Python package and packs it as a wheel in `target/wheels`.
    Wheel(wheel::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Demo => demo::run(),
        Task::Test => test::run(),
        Task::Rules => rules::run(),
        Task::Twins => twins::run(),
        Task::Readers => readers::run(),
        Task::Lint => lint::run(),
        Task::Bench => bench::run(),
        Task::Compare(arguments) => compare::run(&arguments),
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::EvmDiff(arguments) => evm_diff::run(&arguments),
        Task::Dist(arguments) => dist::run(&arguments),
        Task::Fuzz(arguments) => fuzz::run(&arguments),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Processors(arguments) => processors::run(&arguments),
        Task::Renumber(arguments) => renumber::run(&arguments),
        Task::Tables(arguments) => tables::run(&arguments),
        Task::Screenshots => screenshots::run(),
        Task::Soak(arguments) => soak::run(&arguments),
        Task::Wheel(arguments) => wheel::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nerror: {}", ErrorChain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
