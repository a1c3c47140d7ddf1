//! `cargo xtask conformance`: Ethereum's blockchain tests through the block-result rule.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use refiner_conformance::{Settings, run};

/// Runs Ethereum's blockchain tests through the block-result rule. Exit code 0 only when every valid block is produced
/// and no invalid one that its own bytes refute.
#[derive(Parser)]
struct Arguments {
    /// A folder of tests (`BlockchainTests`, `blockchain_tests`), or one file.
    tests: PathBuf,
    /// Only tests of this network, such as `Cancun` or `BerlinToLondonAt5`.
    #[arg(long, value_name = "NAME")]
    fork: Option<String>,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Path of the built program.
    #[arg(long, value_name = "FILE", default_value = "target/release/refiner")]
    refiner: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { tests, fork, json, refiner } = Arguments::parse();
    let report = match run(&Settings { tests, fork, program: refiner }, |line| eprintln!("{line}")) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {:#}", anyhow::Error::from(error));
            return ExitCode::from(2);
        }
    };
    if json {
        println!("{}", report.json());
    } else {
        println!("{report}");
    }
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
