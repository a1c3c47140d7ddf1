//! Decoding and checking, in milliseconds a block, beside apache-avro reading the same bytes.
//!
//! `cargo bench -p refiner-specimen`. Real specimens where `../shared/specimens` is, our own samples elsewhere. Each
//! figure is a median of this thread's processor time, and rivals take turns, so that a busy machine disturbs little
//! and both alike. The allocator is the program's.
// A benchmark reports on the terminal.
#![allow(missing_docs, clippy::print_stdout)]

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    time::Duration,
};

use alloy_primitives::Bytes;
use apache_avro::{Schema, reader::datum::GenericDatumReader};
use refiner_specimen::{check, decode, decode_shared, encode, specimen_hash, transaction_hashes};
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Enough for a steady median, few enough for half a minute in all.
const TURNS: usize = 41;

fn main() {
    let files = files();
    if files.is_empty() {
        println!("no specimens in ../shared/specimens nor in tests/samples");
        return;
    }
    decoding(&files);
    checking(&files);
}

fn decoding(files: &[(String, Vec<u8>)]) {
    println!(
        "Decoding, ms: with bytecode left as text, with bytecode decoded, and to apache-avro's Value; \
         and copying the bytes."
    );
    println!(
        "{:<18} {:>7} {:>8} {:>7} {:>8} {:>7} {:>12} {:>8}",
        "", "MB", "shared", "ratio", "whole", "ratio", "apache-avro", "copy"
    );
    let mut totals = [Duration::ZERO; 4];
    for (name, bytes) in files {
        let layout = decode(bytes).expect("a specimen").layout;
        let schema = Schema::parse_str(layout.avsc()).expect("a schema");
        let reader = GenericDatumReader::builder(&schema).build().expect("a reader");
        let shared = Bytes::from(bytes.clone());
        let mut copy = vec![0; bytes.len()];
        let times = medians([
            &mut || drop(black_box(decode_shared(black_box(&shared)))),
            &mut || drop(black_box(decode(black_box(bytes)))),
            &mut || drop(black_box(reader.read_value(&mut black_box(bytes.as_slice())))),
            &mut || copy.copy_from_slice(black_box(bytes)),
        ]);
        row(name, bytes.len(), times);
        totals.iter_mut().zip(times).for_each(|(total, time)| *total += time);
    }
    row("all", files.iter().map(|(_, bytes)| bytes.len()).sum(), totals);
}

fn row(name: &str, bytes: usize, [shared, whole, theirs, copy]: [Duration; 4]) {
    let ratio = |ours: Duration| theirs.as_secs_f64() / ours.as_secs_f64();
    println!(
        "{name:<18} {:>7.2} {:>8.3} {:>6.1}x {:>8.3} {:>6.1}x {:>12.3} {:>8.3}",
        bytes as f64 / 1e6,
        ms(shared),
        ratio(shared),
        ms(whole),
        ratio(whole),
        ms(theirs),
        ms(copy)
    );
}

fn checking(files: &[(String, Vec<u8>)]) {
    const STEPS: [&str; 8] =
        ["specimenHash", "blockHash", "transactionsRoot", "withdrawals", "codeHashes", "tx hashes", "drop", "encode"];
    println!();
    print!("{:<18}", "other steps, ms");
    STEPS.iter().for_each(|step| print!(" {step:>16}"));
    println!();
    let mut totals = [Duration::ZERO; STEPS.len()];
    for (name, bytes) in files {
        let specimen = decode(bytes).expect("a specimen");
        let mut copies: Vec<_> = (0..TURNS).map(|_| decode(bytes).expect("a specimen")).collect();
        let times = medians([
            &mut || _ = black_box(specimen_hash(black_box(bytes))),
            &mut || drop(black_box(check::block_hash(black_box(&specimen)))),
            &mut || drop(black_box(check::transactions_root(black_box(&specimen)))),
            &mut || drop(black_box(check::withdrawals_root(black_box(&specimen)))),
            &mut || drop(black_box(check::code_hashes(black_box(&specimen)))),
            &mut || drop(black_box(transaction_hashes(black_box(&specimen.block)))),
            &mut || drop(copies.pop()),
            &mut || drop(black_box(encode(black_box(&specimen), specimen.layout))),
        ]);
        steps(name, &times);
        totals.iter_mut().zip(times).for_each(|(total, time)| *total += time);
    }
    steps("all", &totals);
}

fn steps(name: &str, times: &[Duration]) {
    print!("{name:<18}");
    times.iter().for_each(|&time| print!(" {:>16.3}", ms(time)));
    println!();
}

/// The median time of each, a turn at a time.
fn medians<const N: usize>(mut rivals: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::with_capacity(TURNS));
    for _ in 0..TURNS {
        for (rival, times) in rivals.iter_mut().zip(&mut times) {
            let start = processor_time();
            rival();
            times.push(processor_time().saturating_sub(start));
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[TURNS / 2]
    })
}

fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn files() -> Vec<(String, Vec<u8>)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("REFINER_SHARED").map_or_else(|| workspace.join("../shared"), PathBuf::from);
    let real = specimens_in(&shared.join("specimens"));
    if real.is_empty() { specimens_in(&workspace.join("tests/samples")) } else { real }
}

fn specimens_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "avro")).collect();
    paths.sort();
    let read = |path: PathBuf| Some((path.file_name()?.to_string_lossy().into_owned(), std::fs::read(path).ok()?));
    paths.into_iter().filter_map(read).collect()
}
