//! The cost of a result that rests on recorded receipts, beside one that rests on execution.
//!
//! `cargo bench -p refiner-evm --bench basis` prints milliseconds of processor time a block, from the file in the page cache: read, hashed
//! as the network announces specimens, decoded, checked, and then the document, for which each sender is recovered. Execution is
//! measured with contracts that are met for the first time, and with contracts that earlier blocks ran. All take turns, and the fastest
//! turn of each counts. The allocator is the program's.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::{fs, hint::black_box, path::PathBuf, time::Duration};

use alloy_primitives::Bytes;
use refiner_evm::{BasisPolicy, EmbeddedExecutor, Execution, ExecutionPolicy, ResultFormat, gate};
use refiner_specimen::{Specimen, check, decode_shared, specimen_hash};
use refiner_testblocks::shared;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns of each measurement.
const TURNS: usize = 31;

fn main() {
    println!("                      without document                             with document");
    println!("block      receipts  execution  ratio    known  ratio    receipts  execution  ratio    known  ratio");
    let mut all = [Duration::ZERO; 6];
    for (height, path) in files() {
        let [receipts, known] = [BasisPolicy::Receipts, BasisPolicy::Execution].map(executor);
        // It has met no contract yet.
        let first = || executor(BasisPolicy::Execution);
        let times = fastest([
            &mut || drop(black_box(result(&path, &receipts))),
            &mut || drop(black_box(result(&path, &first()))),
            &mut || drop(black_box(result(&path, &known))),
            &mut || drop(black_box(document(&path, &receipts))),
            &mut || drop(black_box(document(&path, &first()))),
            &mut || drop(black_box(document(&path, &known))),
        ]);
        row(&height.to_string(), times);
        all.iter_mut().zip(times).for_each(|(total, time)| *total += time);
    }
    row("all", all);
    parts();
}

fn row(name: &str, times: [Duration; 6]) {
    print!("{name:<10}");
    for three in times.chunks(3) {
        let [receipts, execution, known] = [three[0], three[1], three[2]].map(ms);
        let (ratio, ratio_known) = (receipts / execution, receipts / known);
        print!(" {receipts:8.2} {execution:10.2} {ratio:6.2} {known:8.2} {ratio_known:6.2}  ");
    }
    println!();
}

/// The parts of a result that rests on receipts, one by one.
fn parts() {
    println!("\nparts, ms       read    hash  decode  stateRows  transactionsRoot  recordedReceipts  senders");
    for (height, path) in files() {
        let bytes: Bytes = fs::read(&path).unwrap().into();
        let specimen = decode_shared(&bytes).unwrap();
        let receipts = executor(BasisPolicy::Receipts);
        let times = fastest([
            &mut || drop(black_box(fs::read(&path).unwrap())),
            &mut || _ = black_box(specimen_hash(&bytes)),
            &mut || drop(black_box(decode_shared(&bytes))),
            &mut || drop(black_box(check::state_rows(&specimen))),
            &mut || drop(black_box(check::transactions_root(&specimen))),
            &mut || drop(black_box(gate::recorded_receipts(&specimen))),
            &mut || drop(black_box(receipts.senders(&specimen))),
        ]);
        let [read, hash, decode, rows, root, recorded, senders] = times.map(ms);
        println!("{height} {read:11.2} {hash:7.2} {decode:7.2} {rows:10.2} {root:17.2} {recorded:17.2} {senders:8.2}");
    }
}

fn executor(basis: BasisPolicy) -> EmbeddedExecutor {
    EmbeddedExecutor::default().with_policy(ExecutionPolicy { basis, ..ExecutionPolicy::default() })
}

/// Every real specimen that there is.
fn files() -> impl Iterator<Item = (u64, PathBuf)> {
    let path = |height| shared::path(&format!("specimens/1-{height}.avro"));
    shared::HEIGHTS.into_iter().map(move |height| (height, path(height))).filter(|(_, path)| path.is_file())
}

fn result(path: &PathBuf, executor: &EmbeddedExecutor) -> (Specimen, Execution) {
    let bytes: Bytes = fs::read(path).unwrap().into();
    black_box(specimen_hash(&bytes));
    let specimen = decode_shared(&bytes).unwrap();
    let execution = executor.execute(&specimen, ResultFormat::Canonical).unwrap();
    (specimen, execution)
}

fn document(path: &PathBuf, executor: &EmbeddedExecutor) -> Bytes {
    let (specimen, execution) = result(path, executor);
    execution.block_result(&specimen).unwrap()
}

/// The fastest time of each, a turn at a time.
fn fastest<const N: usize>(mut rivals: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut times = [Duration::MAX; N];
    for _ in 0..TURNS {
        for (rival, fastest) in rivals.iter_mut().zip(&mut times) {
            let start = processor_time();
            rival();
            *fastest = processor_time().saturating_sub(start).min(*fastest);
        }
    }
    times
}

fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
