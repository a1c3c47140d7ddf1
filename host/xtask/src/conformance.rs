//! `cargo xtask conformance`: Ethereum's blockchain tests through the block-result rule of a release build.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use refiner_authoring::toolchain;

use crate::{command, rules, tree};

/// The choices of a run.
#[derive(Args)]
pub struct Arguments {
    /// A folder of tests (`BlockchainTests` of ethereum/tests, `blockchain_tests` of execution-spec-tests), or one file.
    tests: PathBuf,
    /// Only tests of this network, such as `Cancun` or `BerlinToLondonAt5`.
    #[arg(long, value_name = "NAME")]
    fork: Option<String>,
    /// One JSON object on standard output instead of tables.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    // Cargo starts this in the folder of the caller, and everything else runs in the root.
    let tests = arguments.tests.canonicalize().with_context(|| arguments.tests.display().to_string())?;
    rules::build(&toolchain::find()?)?;
    let build = "cargo build --release --locked --package refiner --package refiner-conformance";
    command::run(&mut command::line(build))?;
    let mut conformance = command::program(tree::root().join("target/release/conformance"));
    conformance.arg(&tests).arg("--refiner").arg(tree::root().join("target/release/refiner"));
    if let Some(fork) = &arguments.fork {
        conformance.args(["--fork", fork]);
    }
    if arguments.json {
        conformance.arg("--json");
    }
    Ok(command::run(&mut conformance)?)
}
