//! Costs of a whole replay: the executor alone against the sandboxed rule, and one core against all.
//!
//! `cargo xtask bench`, or `cargo bench -p refiner --bench replay`. CPU time is this thread's own, medians of rounds in
//! which both ways alternate; wall time is that of the release program.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops at what it did not expect"
)]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, Bytes};
use mimalloc::MiMalloc;
use refiner_evm::{Chains, EmbeddedExecutor, Executor, ResultFormat};
use refiner_rule_model::{Grants, Params, SpecimenHash, Verdict};
use refiner_sandbox::{AdmittedRule, EngineProfile, RunInput, Sandbox};
use refiner_testkit::{
    real,
    renumber::{FIRST_HEIGHT, renumbered, write_renumbered},
};
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Rounds per specimen; the median of each way is taken.
const ROUNDS: usize = 41;
/// Blocks that become tables.
const TABLE_BLOCKS: u64 = 480;
/// Rules whose rows become tables.
const TABLE_RULES: [&str; 4] = ["transaction-summary", "state-access", "token-transfers", "logs"];
/// The least share of the speed without tables that is wanted with them.
const TABLE_SHARE: f64 = 0.9;
/// The number of times that the specimens are replayed by the whole program.
const REPEATS: usize = 60;

fn main() {
    let specimens = specimens();
    overhead(&specimens);
    scaling(&specimens);
    tables(&specimens);
}

/// The real specimens where they are, else our own.
fn specimens() -> Vec<PathBuf> {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/samples");
    let directory = real::directory().unwrap_or_else(|| samples.into());
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "avro")).collect();
    paths.sort();
    paths
}

fn overhead(specimens: &[PathBuf]) {
    let sandbox = Sandbox::new(EngineProfile::default()).unwrap();
    let component = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/rules/block-result.wasm");
    let component = fs::read(component).expect("run `cargo xtask rules` first");
    let rule = sandbox.admit(&component, None, &Grants::all()).unwrap();
    let embedded = Arc::new(EmbeddedExecutor::new(Chains::default()));
    let executor: Arc<dyn Executor> = embedded.clone();

    println!("replay: CPU ms a block, the executor alone against the sandboxed rule, median of {ROUNDS}");
    println!("{:<18} {:>10} {:>10} {:>8}", "specimen", "direct", "sandboxed", "ratio");
    let (mut direct_sum, mut sandboxed_sum, mut gas, mut blocks) = (Duration::ZERO, Duration::ZERO, 0, 0);
    for path in specimens {
        let raw = Bytes::from(fs::read(path).unwrap());
        let specimen = refiner_specimen::decode(&raw).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Ok(execution) = embedded.execute(&specimen, ResultFormat::Canonical) else {
            println!("{name:<18} has no canonical result");
            continue;
        };
        let expected = refiner_specimen::sha256(&execution.block_result(&specimen).unwrap());
        let (mut direct, mut sandboxed) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            direct.push(cpu(|| assert_eq!(run_direct(&raw, &embedded), expected)));
            sandboxed.push(cpu(|| assert_eq!(run_sandboxed(&raw, &rule, &executor), expected)));
        }
        let (direct, sandboxed) = (median(direct), median(sandboxed));
        println!("{name:<18} {:>10.3} {:>10.3} {:>8.3}", ms(direct), ms(sandboxed), ratio(sandboxed, direct));
        direct_sum += direct;
        sandboxed_sum += sandboxed;
        gas += specimen.block.header.gas_used;
        blocks += 1;
    }
    println!(
        "{:<18} {:>10.3} {:>10.3} {:>8.3}   {:.0} Mgas/s and {:.1} blocks/s a core, sandboxed",
        "sum",
        ms(direct_sum),
        ms(sandboxed_sum),
        ratio(sandboxed_sum, direct_sum),
        gas as f64 / 1e6 / sandboxed_sum.as_secs_f64(),
        f64::from(blocks) / sandboxed_sum.as_secs_f64(),
    );
}

/// The work of a program without a sandbox: decode, execute, hash the result.
fn run_direct(raw: &Bytes, executor: &EmbeddedExecutor) -> B256 {
    let specimen = refiner_specimen::decode_shared(raw).unwrap();
    let execution = executor.execute(&specimen, ResultFormat::Canonical).unwrap();
    refiner_specimen::sha256(&execution.block_result(&specimen).unwrap())
}

fn run_sandboxed(raw: &Bytes, rule: &AdmittedRule, executor: &Arc<dyn Executor>) -> B256 {
    let specimen = Arc::new(refiner_specimen::decode_shared(raw).unwrap());
    let run = rule
        .run(RunInput {
            specimen,
            specimen_hash: SpecimenHash::of(raw.clone()),
            raw: raw.clone(),
            params: Params::default(),
            executor: Arc::clone(executor),
            limits: rule.default_limits(),
        })
        .unwrap();
    let Verdict::Produced { artifacts, .. } = run.verdict else { panic!("{}", run.verdict) };
    artifacts[0].sha256()
}

/// The release program over many specimens, on one core and on all.
fn scaling(specimens: &[PathBuf]) {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..REPEATS {
        for path in specimens {
            let name = format!("{round:03}-{}", path.file_name().unwrap().to_string_lossy());
            // A link by name would be the same file, which is read once.
            let first = directory.path().join(format!("000-{}", path.file_name().unwrap().to_string_lossy()));
            if round == 0 {
                fs::copy(path, &first).unwrap();
            } else {
                fs::hard_link(first, directory.path().join(name)).unwrap();
            }
        }
    }
    let cores = std::thread::available_parallelism().unwrap().get();
    println!("\nreplay: the whole program over {} specimens, wall time, best of 3", specimens.len() * REPEATS);
    let replay = |threads: usize| {
        let run = || {
            let begun = Instant::now();
            let status = Command::new(env!("CARGO_BIN_EXE_refiner"))
                .args(["replay", "--report", "summary", "-j", &threads.to_string()])
                .arg(directory.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert!(matches!(status.code(), Some(0 | 3)));
            begun.elapsed()
        };
        (0..3).map(|_| run()).min().unwrap()
    };
    let (one, all) = (replay(1), replay(cores));
    let blocks = (specimens.len() * REPEATS) as f64;
    println!("  1 thread   {:>7.2} s  {:>7.1} blocks/s", one.as_secs_f64(), blocks / one.as_secs_f64());
    println!("  {cores} threads  {:>7.2} s  {:>7.1} blocks/s", all.as_secs_f64(), blocks / all.as_secs_f64());
    println!("  {:.2} times one thread", ratio(one, all));
}

/// Four rules over many heights, with their rows in Parquet files and without any output.
fn tables(specimens: &[PathBuf]) {
    let executor = EmbeddedExecutor::new(Chains::default());
    let decode = |path: &PathBuf| refiner_specimen::decode(&fs::read(path).unwrap()).unwrap();
    let is_movable = |specimen: &refiner_specimen::Specimen| {
        let moved = renumbered(specimen, FIRST_HEIGHT, B256::ZERO);
        executor.execute(&moved, ResultFormat::Canonical).is_ok()
    };
    let movable: Vec<_> = specimens.iter().map(decode).filter(is_movable).collect();
    let directory = tempfile::tempdir().unwrap();
    let blocks = directory.path().join("blocks");
    write_renumbered(&movable, FIRST_HEIGHT, TABLE_BLOCKS, &blocks).unwrap();
    println!("\nreplay: {} rules over {TABLE_BLOCKS} blocks, wall time, best of 3", TABLE_RULES.len());
    let replay = |out: &[&str]| {
        let run = |round: usize| {
            let begun = Instant::now();
            let mut program = Command::new(env!("CARGO_BIN_EXE_refiner"));
            program.args(["replay", "--report", "summary"]).arg(&blocks);
            program.args(TABLE_RULES.iter().flat_map(|rule| ["--rule", rule])).args(out);
            if !out.is_empty() {
                program.arg("--out").arg(directory.path().join(format!("{}-{round}", out[1])));
            }
            let status = program.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert_eq!(status.code(), Some(0));
            begun.elapsed()
        };
        (0..3).map(run).min().unwrap()
    };
    let (none, parquet) = (replay(&[]), replay(&["--table", "parquet"]));
    let share = ratio(none, parquet);
    println!("  no output  {:>7.2} s", none.as_secs_f64());
    println!("  parquet    {:>7.2} s  {share:.2} of the speed ({TABLE_SHARE} is wanted)", parquet.as_secs_f64());
}

fn cpu(work: impl FnOnce()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
    };
    let begun = now();
    work();
    now() - begun
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64()
}
