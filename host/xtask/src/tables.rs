//! `cargo xtask tables`: many specimens through four rules to tables, killed and continued, and computed again.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::{
    command,
    measured::{self, Measured},
    renumber,
    step::Steps,
    tree,
};

/// Rules whose rows become tables.
const RULES: [&str; 4] = ["transaction-summary", "state-access", "token-transfers", "logs"];
/// Kills of one data set.
const KILLS: u32 = 5;
/// The moments of the kills, as shares of an undisturbed run: each run goes on where the one before was.
const KILLED_AT: [f64; KILLS as usize] = [0.07, 0.19, 0.13, 0.23, 0.11];
/// The least share of the speed without output that is wanted with it.
const SHARE: f64 = 0.9;

/// The specimens and where they go.
#[derive(Args)]
pub struct Arguments {
    /// Number of specimens; each takes 1.1 MB of the disk, as the blocks that can be moved have.
    #[arg(long, default_value_t = 300)]
    count: u64,
    /// Rounds with and without tables, whose medians are compared.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The folder for specimens and tables, which is emptied at the beginning and at the end.
    #[arg(long, value_name = "DIR", default_value = "target/tmp/tables")]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let folder = tree::root().join(&arguments.folder);
    ensure!(
        !folder.exists() || folder.join("specimens").exists(),
        "{} exists, and is not of an earlier run of this command",
        folder.display()
    );
    let specimens = folder.join("specimens");
    let mut steps = Steps::of(5);
    steps.take("Make the specimens", None, || {
        remove(&folder)?;
        renumber::make(arguments.count, &specimens)
    })?;
    let replay = Replay { specimens, folder };
    let share = steps.take("Replay without output and to Parquet, in turn", None, || replay.share(arguments.rounds))?;
    let whole = replay.folder.join("tables-0");
    steps.take("Kill a replay five times, and continue it", None, || replay.killed(share.parquet, &whole))?;
    steps.take("Compute the data set again from its manifest", None, || replay.verify(&whole))?;
    steps.take("Remove specimens and tables", None, || remove(&replay.folder))?;
    println!("\n{} specimens, {} rules to Parquet: {share}", arguments.count, RULES.len());
    println!("killed {KILLS} times and continued: the same bytes; computed again: the same; in {}", steps.elapsed());
    Ok(())
}

struct Replay {
    specimens: PathBuf,
    folder: PathBuf,
}

impl Replay {
    fn command(&self, out: Option<&Path>) -> Command {
        let mut command = command::program(program());
        command.args(["replay", "--report", "summary"]).args(RULES.iter().flat_map(|rule| ["--rule", rule]));
        if let Some(out) = out {
            command.args(["--table", "parquet", "--out"]).arg(out);
        }
        command.arg(&self.specimens).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs with and without tables in turn. The tables of the first round stay.
    fn share(&self, rounds: usize) -> Result<Share> {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            without.push(whole(measured::run(&mut self.command(None))?)?);
            let tables = self.folder.join(format!("tables-{round}"));
            with.push(whole(measured::run(&mut self.command(Some(&tables)))?)?);
            if round > 0 {
                remove(&tables)?;
            }
        }
        let wall = |runs: &[Measured]| measured::median(runs.iter().map(|run| run.wall).collect());
        let processor = |runs: &[Measured]| measured::median(runs.iter().map(|run| run.processor).collect());
        let longest = with.iter().max_by_key(|run| run.memory.len()).context("no round was run")?;
        let memory = longest.memory().context("the run was too short for readings of its memory")?;
        Ok(Share {
            none: wall(&without),
            parquet: wall(&with),
            processor: processor(&without).as_secs_f64() / processor(&with).as_secs_f64(),
            memory,
        })
    }

    /// Kills runs into one data set, ends it, and compares it with an undisturbed one.
    fn killed(&self, time: Duration, whole: &Path) -> Result<()> {
        let disturbed = self.folder.join("disturbed");
        let mut kills = 0;
        for share in KILLED_AT {
            let mut child = self.command(Some(&disturbed)).spawn()?;
            thread::sleep(time.mul_f64(share));
            child.kill()?;
            kills += u32::from(child.wait()?.code().is_none());
        }
        ensure!(kills == KILLS, "{kills} of {KILLS} runs were killed before their end");
        self::whole(measured::run(&mut self.command(Some(&disturbed)))?)?;
        let (expected, found) = (files(whole)?, files(&disturbed)?);
        ensure!(expected.keys().eq(found.keys()), "the names differ: {:?} and {:?}", expected.keys(), found.keys());
        for (name, path) in &expected {
            ensure!(fs::read(path)? == fs::read(&found[name])?, "{} differs", name.display());
        }
        println!("      {} files with equal bytes after {kills} kills", expected.len());
        Ok(())
    }

    fn verify(&self, whole: &Path) -> Result<()> {
        let mut command = command::program(program());
        Ok(command::run(command.arg("verify").arg(whole.join("_manifest.json")).arg(&self.specimens))?)
    }
}

/// Wall time without and with tables, and what else is wanted of the latter.
struct Share {
    none: Duration,
    parquet: Duration,
    processor: f64,
    memory: measured::Memory,
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (none, parquet) = (self.none.as_secs_f64(), self.parquet.as_secs_f64());
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        writeln!(f, "{parquet:.1} s, {none:.1} s without output")?;
        writeln!(
            f,
            "  {:.2} of the speed without output by the wall, {:.2} by the processor ({SHARE} is wanted)",
            none / parquet,
            self.processor
        )?;
        let measured::Memory { early, late, peak } = self.memory;
        let (early, late, peak) = (megabytes(early), megabytes(late), megabytes(peak));
        write!(f, "  memory {early:.0} MB in the second fifth, {late:.0} MB in the last one, {peak:.0} MB at most")
    }
}

fn program() -> PathBuf {
    tree::root().join("target/release/refiner")
}

fn whole(run: Measured) -> Result<Measured> {
    if run.status.success() { Ok(run) } else { bail!("a replay ended with {}", run.status) }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder)?.to_owned(), path);
            }
        }
    }
    Ok(found)
}
