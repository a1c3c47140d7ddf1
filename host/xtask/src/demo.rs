//! `cargo xtask demo`: from a clone to block results.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

use refiner_authoring::{digest, toolchain};

use crate::{command, rules, step::Steps, tree};

/// Where the demo leaves its results, below the root.
const OUT: &str = "out/demo";

/// The exit code of `refiner replay` when a block has a verdict other than "produced": a specimen of the user's own beside the
/// samples may have one.
const OTHER_VERDICT: i32 = 3;

pub fn run() -> Result<()> {
    let mut steps = Steps::of(4);
    let guest = steps.take("Find the guest toolchain", None, || Ok(toolchain::find()?))?;
    let built = steps.take("Build the rules", Some("cargo xtask rules"), || rules::build(&guest))?;
    rules::print(&built);
    let build = "cargo build --release --locked --package refiner";
    steps.take("Build refiner with the rules inside", Some(build), || Ok(command::run(&mut command::line(build))?))?;
    steps.take("Replay the specimens through the block-result rule", None, replay)?;
    show()?;
    println!("\nFrom a clone to block results in {}.", steps.elapsed());
    println!("Try next: target/release/refiner specimen inspect {}", relative(&tree::samples()));
    Ok(())
}

fn replay() -> Result<()> {
    let out = tree::root().join(OUT);
    // What an earlier demo left must not pass for this one's results.
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut replay = command::program(tree::root().join("target/release/refiner"));
    replay.args(["replay", "--rule", "block-result", "--out", OUT]);
    for config in chain_configs()? {
        replay.arg("--chain-config").arg(config);
    }
    let samples = tree::entries(&tree::samples(), "avro")?;
    let real = match tree::real_specimens() {
        Some(directory) => tree::entries(&directory, "avro")?,
        None => Vec::new(),
    };
    ensure!(!samples.is_empty() || !real.is_empty(), "no specimens in {}", tree::samples().display());
    println!("      {} specimens made by the project, {} of the network", samples.len(), real.len());
    replay.args(samples).args(real);
    let status = command::status(&mut replay)?;
    if status.code() == Some(OTHER_VERDICT) {
        println!("      (exit code {OTHER_VERDICT}: at least one block is not produced, with its reason above)");
        return Ok(());
    }
    Ok(command::succeeded(&replay, status)?)
}

/// Sample chains that are not built in bring their configuration: `devnet-<chain id>.json`.
fn chain_configs() -> Result<Vec<PathBuf>> {
    let mut configs = tree::entries(&tree::samples(), "json")?;
    configs.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("devnet-")));
    Ok(configs)
}

/// The files that are there now, with their sizes.
fn show() -> Result<()> {
    let files = tree::entries(&tree::root().join(OUT), "json")?;
    ensure!(!files.is_empty(), "nothing was produced in {OUT}");
    println!("\nOn disk:");
    let longest = files.iter().map(|path| relative(path).len()).max().unwrap_or_default();
    for file in files {
        let size = usize::try_from(fs::metadata(&file)?.len()).unwrap_or(usize::MAX);
        println!("  {:longest$}  {:>10}", relative(&file), digest::size(size));
    }
    Ok(())
}

fn relative(path: &Path) -> String {
    path.strip_prefix(tree::root()).unwrap_or(path).display().to_string()
}
