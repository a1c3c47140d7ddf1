//! Processor time and memory of the blocks that take most of either for their gas, and of specimens of 64 MiB that take most of either
//! to be looked at.
//!
//! `cargo bench -p refiner-evm --bench hostile -- [PART OF A NAME [GAS BOUND]]`. Each is worked on in a process of its own, by the default
//! bounds unless another is given, and with the program's allocator. Blocks are executed; memory is what execution adds to the decoded
//! specimen at its peak. Specimens are decoded for `refiner specimen inspect` and decoded and checked as `refiner specimen check` does;
//! memory is all that the process takes, the file's bytes included.
// A benchmark reports on the terminal.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::{fs, hint::black_box, path::Path, process::Command};

use refiner_evm::{DEFAULT_GAS_BOUND, ExecuteError, ExecutionPolicy, ResultFormat};
use refiner_specimen::{check, decode, specimen_hash};
use refiner_testblocks::{
    devnet,
    hostile::{self, specimens},
};
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Names the one block that a child process executes.
const CHILD: &str = "--child=";
/// Names the file of the one specimen that a child process looks at.
const SPECIMEN: &str = "--specimen=";
/// Seconds of processor time for one execution, and for one look at a specimen.
const MOST_SECONDS: f64 = 45.0;
const MOST_SECONDS_TO_CHECK: f64 = 2.0;
/// For each.
const MOST_MIB: u64 = 512;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let bound = arguments.get(1).map_or(DEFAULT_GAS_BOUND, |bound| bound.parse().expect("a number"));
    let first = arguments.first().map_or("", String::as_str);
    if let Some(name) = first.strip_prefix(CHILD) {
        child(name, bound);
    } else if let Some(path) = first.strip_prefix(SPECIMEN) {
        look(Path::new(path));
    } else {
        look_at_specimens(first);
        execute_blocks(first, bound);
    }
}

fn look_at_specimens(filter: &str) {
    println!("inspect  check  threads    MiB  specimen of 64 MiB");
    let (mut slowest, mut largest) = (0.0_f64, 0.0_f64);
    for full in specimens::all().into_iter().filter(|full| full.name.contains(filter)) {
        let path = std::env::temp_dir().join(format!("hostile-{}.avro", std::process::id()));
        let bytes = full.bytes(specimens::BYTES);
        let size = bytes.len();
        fs::write(&path, bytes).unwrap();
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).arg(format!("{SPECIMEN}{}", path.display())).output().unwrap();
        fs::remove_file(&path).unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        let figures: Vec<f64> = line.split_whitespace().map_while(|figure| figure.parse().ok()).collect();
        let [inspect, check, all, mib] = figures[..] else {
            println!("{}: no answer, {}", full.name, output.status);
            continue;
        };
        (slowest, largest) = (slowest.max(inspect).max(all), largest.max(mib));
        println!("{inspect:7.2} {check:6.2} {all:8.2} {mib:6.0}  {} ({} MiB)", full.name, size >> 20);
    }
    println!("worst: {slowest:.2} s of {MOST_SECONDS_TO_CHECK} s, {largest:.0} MiB of {MOST_MIB} MiB");
}

/// Looks at a specimen as `refiner specimen inspect` and `check` do, and reports seconds of the first, seconds of the second on this thread
/// and on all, and MiB.
fn look(path: &Path) {
    let before = memory("VmRSS:");
    let bytes = fs::read(path).unwrap();
    let begun = processor_time(ClockId::ProcessCPUTime);
    let specimen = decode(&bytes).unwrap();
    let code_bytes: usize = specimen.block.state.codes.iter().map(|read| read.code.len()).sum();
    black_box((code_bytes, specimen_hash(&bytes)));
    drop(specimen);
    let inspect = processor_time(ClockId::ProcessCPUTime) - begun;

    let clocks = || [ClockId::ThreadCPUTime, ClockId::ProcessCPUTime].map(processor_time);
    let begun = clocks();
    let specimen = decode(&bytes).unwrap();
    let executor = devnet::executor();
    let mut checks = vec![check::canonical_encoding(&bytes, &specimen)];
    checks.extend(executor.checks(&specimen));
    checks.push(check::code_hashes(&specimen));
    checks.push(executor.senders(&specimen));
    black_box(&checks);
    let ended = clocks();
    let mib = memory("VmHWM:").saturating_sub(before) >> 10;
    println!("{inspect} {} {} {mib}", ended[0] - begun[0], ended[1] - begun[1]);
    for check in checks {
        let mut line = check.to_string();
        line.truncate(160);
        println!("{line}");
    }
}

fn processor_time(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn execute_blocks(filter: &str, bound: u64) {
    println!("seconds    MiB  ns/gas  block: verdict");
    let (mut slowest, mut largest) = (0.0_f64, 0_u64);
    for hostile in hostile::all().into_iter().filter(|hostile| hostile.name.contains(filter)) {
        let program = std::env::current_exe().unwrap();
        let output =
            Command::new(program).args([format!("{CHILD}{}", hostile.name), bound.to_string()]).output().unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        let Some((seconds, rest)) = line.trim().split_once('\t') else {
            println!("{}: no answer, {}", hostile.name, output.status);
            continue;
        };
        let (mib, verdict) = rest.split_once('\t').unwrap();
        let (seconds, mib): (f64, u64) = (seconds.parse().unwrap(), mib.parse().unwrap());
        (slowest, largest) = (slowest.max(seconds), largest.max(mib));
        let a_gas = seconds * 1e9 / bound as f64;
        println!("{seconds:7.2} {mib:6} {a_gas:7.1}  {}: {verdict}", hostile.name);
    }
    println!("worst: {slowest:.2} s of {MOST_SECONDS} s, {largest} MiB of {MOST_MIB} MiB");
}

/// Executes one block, and writes its result if there is one.
fn child(name: &str, bound: u64) {
    let hostile = hostile::all().into_iter().find(|hostile| hostile.name == name).unwrap();
    let (executor, specimen) = (hostile.build)().ready();
    let policy = ExecutionPolicy { gas_bound: bound, ..ExecutionPolicy::default() };
    let executor = executor.with_policy(policy);
    let before = memory("VmRSS:");
    let begun = processor_time(ClockId::ProcessCPUTime);
    let verdict = match executor.execute(&specimen, ResultFormat::Canonical) {
        Ok(execution) => {
            let size = execution.block_result(&specimen).map(|bytes| bytes.len());
            format!("produced, {size:?} bytes")
        }
        Err(ExecuteError::Rejected(rejected)) => format!("rejected: {rejected}"),
        Err(ExecuteError::Unsupported(unsupported)) => format!("unsupported: {unsupported}"),
    };
    let seconds = processor_time(ClockId::ProcessCPUTime) - begun;
    let mut verdict = verdict;
    verdict.truncate(140);
    println!("{seconds}\t{}\t{verdict}", (memory("VmHWM:").saturating_sub(before)) >> 10);
}

/// KiB by their name in this process's status.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
