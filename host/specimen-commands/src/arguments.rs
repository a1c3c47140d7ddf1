//! The command line of `refiner specimen`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use refiner_arguments::{ChainConfigs, KnownBlockArguments};
use refiner_config::{Flags, scope};
use refiner_specimen::Layout;

/// `refiner specimen`.
#[derive(Debug, Subcommand)]
pub enum Specimen {
    /// Prints the contents of a specimen.
    Inspect {
        /// Specimen files, directories, patterns, or `-`.
        #[arg(required = true, value_name = "SPECIMEN")]
        specimens: Vec<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Prints a specimen as JSON, field for field as it is on the wire.
    Decode {
        /// A specimen file, or `-`.
        #[arg(value_name = "SPECIMEN")]
        specimen: String,
        /// Only the block (the `data` record), which is what an evm-server takes.
        #[arg(long)]
        data: bool,
    },
    /// Writes the JSON that `decode` prints as a specimen.
    Encode {
        /// A JSON file, or `-`.
        #[arg(value_name = "JSON")]
        json: String,
        /// The Avro layout to write: 0.2, 0.3, or 0.31 to 0.38.
        #[arg(long, value_name = "VERSION", value_parser = layout)]
        layout: Layout,
        /// Where to; standard output without it.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Makes every check of a specimen against itself, and against the block hashes that are known.
    Check(Check),
}

/// `refiner specimen check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Specimen files, directories, patterns, or `-`.
    #[arg(required = true, value_name = "SPECIMEN")]
    pub(crate) specimens: Vec<String>,
    /// Also executes the block, and checks gas, logs, receipts and requests.
    #[arg(long)]
    pub(crate) execute: bool,
    /// The announced specimen hash, to check one specimen against.
    #[arg(long, value_name = "HASH")]
    pub(crate) specimen_hash: Option<alloy_primitives::B256>,
    #[command(flatten)]
    pub(crate) chains: ChainConfigs,
    #[command(flatten)]
    pub(crate) settings: Flags<scope::SpecimenCheck>,
    #[command(flatten)]
    pub(crate) known: KnownBlockArguments,
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

fn layout(text: &str) -> Result<Layout, String> {
    Layout::from_version(text).ok_or_else(|| {
        let known: Vec<_> = Layout::NEWEST_FIRST.iter().rev().map(|layout| layout.as_str()).collect();
        format!("known layouts are {}", known.join(", "))
    })
}
