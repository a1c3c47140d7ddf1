//! `cargo xtask compare`: this program beside another build of it, or beside a script, over the same specimens.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{command, measured, tree};

/// What is compared, and over what.
#[derive(Args)]
pub struct Arguments {
    /// Other builds of the program.
    #[arg(value_name = "PROGRAM")]
    others: Vec<PathBuf>,
    /// Folder of the specimens, `cargo xtask renumber` makes many [default: the real ones, else the samples].
    #[arg(long, value_name = "DIR")]
    specimens: Option<PathBuf>,
    /// Rules that are run together; may be repeated for further comparisons.
    #[arg(long = "rules", value_name = "RULE,...", default_values_t = ["block-result".to_owned()])]
    together: Vec<String>,
    /// Also the script that counts transfers, `tests/benches/token_transfers.py`, which is installed what it needs.
    #[arg(long)]
    script: bool,
    /// Rounds, in each of which every program has a turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A way to do the work: its name, and its command over a folder.
struct Way {
    name: String,
    command: Box<dyn Fn(&Path) -> Command>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let of_default = || tree::real_specimens().unwrap_or_else(tree::samples);
    let folder = arguments.specimens.clone().unwrap_or_else(of_default);
    let specimens = tree::entries(&folder, "avro")?;
    ensure!(specimens.len() > 1, "{} holds {} specimens, and two are the least", folder.display(), specimens.len());
    command::run(&mut command::line("cargo build --release --locked --package refiner"))?;
    let ours = tree::root().join("target/release/refiner");
    let python = arguments.script.then(install).transpose()?;
    let alone = alone(&specimens[0])?;
    println!("{} specimens, one thread, processor time, medians of {} rounds", specimens.len(), arguments.rounds);
    for rules in &arguments.together {
        let mut ways = vec![program(&ours, rules)];
        for other in &arguments.others {
            ways.push(program(&other.canonicalize().with_context(|| other.display().to_string())?, rules));
        }
        ways.extend(python.as_deref().map(script));
        print(rules, &ways, &folder, &alone, specimens.len(), arguments.rounds)?;
    }
    Ok(())
}

/// A line for each way: its start, its time a specimen without the start, and the first one's in relation to it.
fn print(rules: &str, ways: &[Way], folder: &Path, alone: &Path, specimens: usize, rounds: usize) -> Result<()> {
    let mut times = vec![(Vec::new(), Vec::new()); ways.len()];
    for _ in 0..rounds {
        for (way, (starts, wholes)) in ways.iter().zip(&mut times) {
            starts.push(took(&mut (way.command)(alone))?);
            wholes.push(took(&mut (way.command)(folder))?);
        }
    }
    println!("\n{rules}\n{:>10} {:>12} {:>8}  program", "start ms", "specimen ms", "ratio");
    let mut first = None;
    for (way, (starts, wholes)) in ways.iter().zip(times) {
        let (start, whole) = (measured::median(starts), measured::median(wholes));
        let each = whole.saturating_sub(start).as_secs_f64() * 1e3 / (specimens - 1) as f64;
        let first = *first.get_or_insert(each);
        println!("{:>10.1} {each:>12.3} {:>8.3}  {}", start.as_secs_f64() * 1e3, first / each, way.name);
    }
    Ok(())
}

fn took(command: &mut Command) -> Result<Duration> {
    let measured = measured::run(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
    // A block that one build cannot execute is a verdict, 3, and no fault of the comparison.
    ensure!(matches!(measured.status.code(), Some(0 | 3)), "{:?} ended with {}", command, measured.status);
    Ok(measured.processor)
}

fn program(path: &Path, rules: &str) -> Way {
    let (program, rules) = (path.to_owned(), rules.to_owned());
    let command = move |folder: &Path| {
        let mut command = command::program(&program);
        command.args(["replay", "--report", "summary", "-j", "1"]);
        command.args(rules.split(',').flat_map(|rule| ["--rule", rule])).arg(folder);
        command
    };
    Way { name: path.display().to_string(), command: Box::new(command) }
}

fn script(python: &Path) -> Way {
    let (python, script) = (python.to_owned(), tree::root().join("tests/benches/token_transfers.py"));
    let name = script.display().to_string();
    let command = move |folder: &Path| {
        let mut command = command::program(&python);
        command.arg(&script).arg(folder);
        command
    };
    Way { name, command: Box::new(command) }
}

/// A folder with one specimen, whose time is that of the start.
fn alone(specimen: &Path) -> Result<PathBuf> {
    let folder = tree::root().join("target/tmp/compare-alone");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(specimen, folder.join(specimen.file_name().unwrap_or_default()))?;
    Ok(folder)
}

/// Python with what the script imports.
fn install() -> Result<PathBuf> {
    let folder = tree::root().join("target/script");
    let python = folder.join("bin/python");
    if !python.exists() {
        command::run(command::program("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let mut pip = command::program(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "fastavro", "pandas==3.1.1"]);
    command::run(&mut pip)?;
    Ok(python)
}
