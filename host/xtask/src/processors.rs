//! `cargo xtask processors`: every built-in rule over the samples, and odd rules, on an old and a new processor, which must give the bytes and verdicts
//! of this one.
//!
//! Debian's qemu-user plays them. It takes minutes, so CI leaves it out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use refiner_authoring::digest;

use crate::{command, step::Steps, tree};

/// The emulator, of Debian's package qemu-user.
const QEMU: &str = "qemu-x86_64";
/// One of 2008 without AVX, and one with all that the emulator knows.
const PROCESSORS: [&str; 2] = ["Nehalem", "max"];
/// The built-in rules.
const RULES: [&str; 4] = ["block-result", "state-access", "token-transfers", "transaction-summary"];

/// The test that plays them.
const ODD: &str = "odd_rules_have_one_end_on_an_old_processor_and_on_a_new_one";

/// The choices of a run.
#[derive(Args)]
pub struct Arguments {
    /// The program that runs the built-in rules [default: target/release/refiner, which is built]. Odd rules are run by that of the tests.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let mut steps = Steps::of(3 + PROCESSORS.len());
    let program = steps.take("Find the emulator and the program", None, || prepare(arguments))?;
    let here = steps.take("Replay on this processor", None, || replay(&program, None))?;
    ensure!(here.len() >= RULES.len(), "only {} artifacts", here.len());
    for processor in PROCESSORS {
        steps.take(processor, Some("cargo xtask processors"), || {
            let there = replay(&program, Some(processor))?;
            for (name, sha256) in &here {
                match there.get(name) {
                    Some(other) if other == sha256 => {}
                    Some(_) => bail!("{name} has other bytes on {processor}"),
                    None => bail!("{name} is missing on {processor}"),
                }
            }
            ensure!(there.len() == here.len(), "{} artifacts here, {} on {processor}", here.len(), there.len());
            println!("      {} artifacts, the same bytes", there.len());
            Ok(())
        })?;
    }
    let odd = format!("cargo nextest run --package refiner --test acceptance {ODD}");
    steps.take("Odd rules on both", Some(&odd), || {
        Ok(command::run(command::line(&odd).env("REFINER_TEST_EMULATOR", QEMU))?)
    })
}

fn prepare(arguments: &Arguments) -> Result<PathBuf> {
    if command::answer(command::program(QEMU).arg("--version")).is_none() {
        bail!("{QEMU} is not here; `apt-get install qemu-user` brings it");
    }
    if let Some(program) = &arguments.program {
        return Ok(program.clone());
    }
    command::run(&mut command::line("cargo build --release --locked --package refiner"))?;
    Ok(tree::root().join("target/release/refiner"))
}

/// Digests of everything that the rules write of the samples, by file name.
fn replay(program: &Path, processor: Option<&str>) -> Result<BTreeMap<String, String>> {
    let out = tree::root().join("out/processors").join(processor.unwrap_or("here"));
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut replay = match processor {
        None => command::program(program),
        Some(processor) => {
            let mut emulated = command::program(QEMU);
            emulated.args(["-cpu", processor]).arg(program);
            emulated
        }
    };
    replay
        .args(["replay", "--report", "summary", "--out"])
        .arg(&out)
        // One sample is of a chain that no program knows.
        .arg("--chain-config")
        .arg(tree::samples().join("devnet-1337.json"))
        .args(RULES.iter().flat_map(|rule| ["--rule", rule]));
    replay.args(tree::entries(&tree::samples(), "avro")?);
    let status = command::status(&mut replay)?;
    command::succeeded(&replay, status)?;
    let entries = fs::read_dir(&out).with_context(|| format!("{}", out.display()))?;
    let digested = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), digest::sha256(&fs::read(entry.path())?)))
    };
    entries.map(digested).collect()
}
