//! Costs of HTTP and JSON: blocks a second of `refiner evm serve` over loopback, beside the embedded executor.
//!
//! `cargo bench -p refiner --bench evm_server`. The clients run on the same machine, so processor time is printed too: what
//! each way itself used of it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a benchmark prints, and stops at what it did not expect; most of the test's server is for tests"
)]

mod processor;
#[path = "../acceptance/evm/server.rs"]
mod server;

/// The arguments with which `server` starts the program.
mod program {
    use std::process::Command;

    pub fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
        command.args(arguments);
        command
    }
}

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use alloy_primitives::Bytes;
use mimalloc::MiMalloc;
use refiner_evm::{EmbeddedExecutor, Era, ResultFormat, Uninterrupted};
use refiner_evm_server::serve::replica;
use refiner_specimen::{data_json, decode, decode_shared};
use refiner_testkit::{best_available, samples};

use self::server::{Server, nameless};

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const FORMAT: ResultFormat = ResultFormat::EvmServer(Era::D);
/// Each way runs at least this long.
const TIME: Duration = Duration::from_secs(10);
/// The processor time of a request, in executions of the same block.
const GOAL: f64 = 1.25;

struct Block {
    avro: Vec<u8>,
    shared: Bytes,
    json: Vec<u8>,
    request: Vec<u8>,
    expected: Vec<u8>,
}

fn main() {
    let executor = EmbeddedExecutor::default();
    let block = |avro: Vec<u8>| {
        let specimen = decode(&avro).unwrap();
        let expected =
            executor.answer(&specimen, FORMAT, &Uninterrupted).unwrap().ok()?.block_result(&specimen).ok()?.to_vec();
        let json = data_json(&avro).unwrap().to_string().into_bytes();
        Some(Block { request: nameless(&json), shared: avro.clone().into(), avro, json, expected })
    };
    let mut blocks: Vec<_> = best_available().unwrap().into_iter().filter_map(|file| block(file.bytes)).collect();
    if blocks.is_empty() {
        blocks.extend(samples().unwrap().into_iter().filter_map(|file| block(file.bytes)));
    }
    let cores = thread::available_parallelism().unwrap().get();
    let mean = |bytes: fn(&Block) -> usize| blocks.iter().map(bytes).sum::<usize>() as f64 / blocks.len() as f64 / 1e6;
    println!(
        "evm_server: {} blocks of {:.1} MB of JSON ({:.1} MB of Avro), {cores} cores, {FORMAT}",
        blocks.len(),
        mean(|block| block.json.len()),
        mean(|block| block.avro.len())
    );

    let embedded = |way, read: &(dyn Fn(&Block) -> refiner_specimen::Specimen + Sync)| {
        let before = processor::seconds("self");
        let done = in_turns(&blocks, cores, &|block| {
            let specimen = read(block);
            let execution = executor.answer(&specimen, FORMAT, &Uninterrupted).unwrap().unwrap();
            assert!(*execution.block_result(&specimen).unwrap() == *block.expected);
        });
        tell(way, done, cores, processor::seconds("self") - before)
    };
    let execution = embedded("embedded, from Avro", &|block| decode_shared(&block.shared).unwrap());
    embedded("embedded, from JSON", &|block| replica::read(&block.json).unwrap());

    let server = Server::start(&["--format", FORMAT.as_str(), "--waiting", "64"]);
    let ask = |block: &Block| {
        let answer = server.ask(&block.request);
        assert!(answer.status == 200 && answer.body == block.expected, "{}", answer.head);
    };
    // Its cache of bytecode is as warm as that of the executor above.
    blocks.iter().for_each(ask);
    let before = processor::seconds(server.pid());
    let served = in_turns(&blocks, 2 * cores, &ask);
    let request = tell("evm serve, over loopback", served, cores, processor::seconds(server.pid()) - before);
    println!(
        "evm_server: a request costs {:.2} times the processor time of its execution from Avro, as replay has it ({GOAL} is the goal)",
        request / execution
    );
    println!("evm_server: peak memory of the server {} MiB", server.peak_bytes() >> 20);
}

/// Has threads work through the blocks again and again; how many, and in which time.
fn in_turns(blocks: &[Block], threads: usize, work: &(dyn Fn(&Block) + Sync)) -> (usize, Duration) {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while begun.elapsed() < TIME {
                    work(&blocks[next.fetch_add(1, Ordering::Relaxed) % blocks.len()]);
                }
            });
        }
    });
    (next.into_inner(), begun.elapsed())
}

/// Prints the figures of one way, and returns its processor time for a block.
fn tell(way: &str, (done, took): (usize, Duration), cores: usize, busy_seconds: f64) -> f64 {
    let (done, took) = (done as f64, took.as_secs_f64());
    println!(
        "evm_server: {way}: {:.1} blocks a second and core, {:.1} a second of its processor time",
        done / took / cores as f64,
        done / busy_seconds
    );
    busy_seconds / done
}
