//! `cargo xtask renumber`: many specimens out of the few real ones, for measurements over ten thousand blocks.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{command, tree};

/// The height of the first specimen, as the test kit has it.
const FIRST_HEIGHT: u64 = 17_000_000;

/// The specimens to make.
#[derive(Args)]
pub struct Arguments {
    /// Number of specimens; each takes 2.5 MB or so.
    #[arg(long, default_value_t = 300)]
    count: u64,
    /// Height of the first one.
    #[arg(long, default_value_t = FIRST_HEIGHT)]
    first: u64,
    /// Folder of the specimens that they are made of [default: the real ones, else the samples].
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The folder to write.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let from = arguments.from.clone().unwrap_or_else(|| tree::real_specimens().unwrap_or_else(tree::samples));
    from_those(&from, arguments.count, arguments.first, &arguments.folder)
}

/// Makes so many specimens of the real ones, or of the samples where there are none.
pub fn make(count: u64, folder: &Path) -> Result<()> {
    from_those(&tree::real_specimens().unwrap_or_else(tree::samples), count, FIRST_HEIGHT, folder)
}

fn from_those(from: &Path, count: u64, first: u64, folder: &Path) -> Result<()> {
    let mut specimens = tree::entries(from, "avro")?;
    specimens.sort();
    ensure!(!specimens.is_empty(), "{} holds no specimen", from.display());
    let movable = movable(&specimens)?;
    println!("{} of {} specimens give the same block at another height", movable.len(), specimens.len());
    ensure!(!movable.is_empty(), "there is nothing to make specimens of");
    renumber(count, first, folder, &movable)?;
    println!("{count} specimens from height {first} in {}", folder.display());
    Ok(())
}

/// The specimens whose blocks can be executed at another height: a block that reads its own number has other receipts there than its
/// header states.
fn movable(specimens: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let trial = tree::root().join("target/tmp/renumber-trial");
    if trial.exists() {
        fs::remove_dir_all(&trial)?;
    }
    renumber(specimens.len() as u64, FIRST_HEIGHT, &trial, specimens)?;
    command::run(&mut command::line("cargo build --release --locked --package refiner"))?;
    let mut replay = command::program(tree::root().join("target/release/refiner"));
    // Recorded receipts would stand in for an execution that comes out differently.
    replay.args(["replay", "--json", "--basis", "execution"]).arg(&trial);
    let output = replay.output().context("the program cannot be run")?;
    let mut heights = BTreeSet::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        if line["verdict"] == "produced" {
            heights.extend(line["height"].as_u64());
        }
    }
    let is_movable = |(specimen, height): (&PathBuf, u64)| heights.contains(&height).then(|| specimen.clone());
    Ok(specimens.iter().zip(FIRST_HEIGHT..).filter_map(is_movable).collect())
}

fn renumber(count: u64, first: u64, folder: &Path, specimens: &[PathBuf]) -> Result<()> {
    let mut line = command::line("cargo run --release --locked --package refiner-testkit --bin renumber --");
    line.arg(count.to_string()).arg(first.to_string()).arg(folder).args(specimens);
    Ok(command::run(&mut line)?)
}
