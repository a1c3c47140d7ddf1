//! Processor time and memory of the blocks that take most of either for their gas.
//!
//! `cargo bench -p refiner-evm --bench hostile -- [PART OF A NAME [GAS BOUND]]`. Each block is executed in a process of its own, by the
//! default bounds unless another is given, and with the program's allocator. Memory is what execution adds to the decoded specimen at its peak.
// A benchmark reports on the terminal.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/devnet/mod.rs"]
mod devnet;
#[path = "../tests/hostile/mod.rs"]
mod hostile;

use std::{fs, process::Command};

use refiner_evm::{DEFAULT_GAS_BOUND, ExecuteError, ExecutionPolicy, ResultFormat};
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Names the one block that a child process executes.
const CHILD: &str = "--child=";
/// Bounds of issue 11: seconds of processor time and MiB for one execution.
const MOST_SECONDS: f64 = 45.0;
const MOST_MIB: u64 = 512;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let bound = arguments.get(1).map_or(DEFAULT_GAS_BOUND, |bound| bound.parse().expect("a number"));
    match arguments.first().and_then(|argument| argument.strip_prefix(CHILD)) {
        Some(name) => child(name, bound),
        None => parent(arguments.first().map_or("", String::as_str), bound),
    }
}

fn parent(filter: &str, bound: u64) {
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
    let begun = clock_gettime(ClockId::ThreadCPUTime);
    let verdict = match executor.execute(&specimen, ResultFormat::Canonical) {
        Ok(execution) => {
            let size = execution.block_result(&specimen).map(|bytes| bytes.len());
            format!("produced, {size:?} bytes")
        }
        Err(ExecuteError::Rejected(rejected)) => format!("rejected: {rejected}"),
        Err(ExecuteError::Unsupported(unsupported)) => format!("unsupported: {unsupported}"),
    };
    let taken = clock_gettime(ClockId::ThreadCPUTime) - begun;
    let seconds = taken.tv_sec as f64 + taken.tv_nsec as f64 / 1e9;
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
