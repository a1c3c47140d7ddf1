//! Costs of the daemon: from event to proof, a backlog against `replay`, and memory over thousands of specimens.
//!
//! `cargo bench -p refiner --bench daemon`, with an anvil, a pinner double and the daemon on one machine: every figure includes
//! what the chain itself takes.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops at what it did not expect"
)]

mod processor;

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use refiner_content::{CONTENT_BYTES_MAX, Content, LocalStore};
use refiner_journal::State;
use refiner_testbench::{
    bench::{Bench, PATIENCE},
    crowd,
    specimens::{Given, real_stream, stream},
};
use refiner_testkit::crowds;
use tokio::{runtime::Runtime, time::sleep};

/// Specimens announced one by one.
const SINGLE: usize = 20;
/// Specimens announced before the daemon starts.
const BACKLOG: usize = 500;
/// Transactions in each of them: as many as an ordinary block of mainnet.
const TRANSACTIONS: usize = 150;
/// Specimens over which memory is looked at, in steps.
const MANY: usize = 5_000;
const STEP: usize = 1_000;
/// The address of a content server, which the daemon names and never asks.
const CONTENT_SERVER: &str = "http://127.0.0.1:9";
/// Items of a journal whose daemon is scraped, and scrapes.
const ITEMS: u64 = 100_000;
const SCRAPES: usize = 101;

fn main() {
    let runtime = Runtime::new().unwrap();
    let chosen = |name: &str| std::env::args().skip(1).all(|argument| argument.starts_with('-') || argument == name);
    if chosen("latency") {
        runtime.block_on(latency());
    }
    if chosen("backlog") {
        runtime.block_on(backlog());
    }
    if chosen("scrape") {
        runtime.block_on(scrape());
    }
    if chosen("memory") {
        runtime.block_on(memory());
    }
}

async fn latency() {
    let mut bench = Bench::new().await.expect("anvil");
    bench.flags = ["--log", "warn"].map(str::to_owned).into();
    bench.start_ready().await;
    let mut times = Vec::new();
    for (count, given) in (1..).zip(&stream(SINGLE as u64 + 1)) {
        bench.announce(std::slice::from_ref(given)).await;
        let begun = Instant::now();
        while bench.operator_nonce().await < count {
            sleep(Duration::from_millis(1)).await;
        }
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    // The first starts a worker and is printed apart.
    let first = times.remove(0);
    times.sort_by(f64::total_cmp);
    println!(
        "daemon: event to mined proof, {SINGLE} specimens one by one: median {:.0} ms, slowest {:.0} ms, the very first {first:.0} ms",
        times[SINGLE / 2],
        times[SINGLE - 1]
    );
}

async fn backlog() {
    let (given, what, format) = match real_stream(BACKLOG) {
        Some(given) => (given, "of mainnet's blocks", "evm-server@d"),
        None => (crowd_stream(), "of 150 transactions each", "canonical"),
    };
    let mut bench = Bench::new().await.expect("anvil");
    bench.flags = ["--log", "warn", "--format", format].map(str::to_owned).into();
    // The code is compiled before, as it is in every run but the very first.
    bench.start_ready().await;
    bench.kill();
    let files = bench.directory.path().join("specimens");
    fs::create_dir(&files).unwrap();
    let store = LocalStore::open(bench.data.join("content"), CONTENT_BYTES_MAX).unwrap();
    for given in &given {
        fs::write(files.join(format!("{}.avro", given.height)), &given.bytes).unwrap();
        store.write(&Content::of(given.bytes.clone().into())).unwrap();
    }
    bench.announce_in_bulk(&given).await;
    // No proxy in between: it would take its part of the two processors.
    let rpc = bench.chain.url().to_owned();
    bench.flags.extend(["--rpc", &rpc].map(str::to_owned));

    let results = bench.directory.path().join("results");
    let replay = |report: &str, turn: &str| {
        let (begun, used) = (Instant::now(), processor::children_seconds("self"));
        let replayed = Command::new(env!("CARGO_BIN_EXE_refiner"))
            .arg("replay")
            .arg(&files)
            .args(["--report", report, "--format", format, "--out"])
            .arg(results.join(format!("{report}-{turn}")))
            .output()
            .unwrap();
        assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stdout));
        Cost { took: begun.elapsed(), used: processor::children_seconds("self") - used }
    };
    // The report in JSON has each specimen's hash, which the daemon has to work out as well.
    let (mut plain, mut hashing) = (replay("summary", "before"), replay("json", "before"));
    bench.flags.extend(
        ["--poll-ms", "250", "--unsettled", "200", "--pinner", "none", "--public-url", CONTENT_SERVER]
            .map(str::to_owned),
    );
    let node_used = processor::seconds(bench.chain.pid());
    let begun = Instant::now();
    bench.start();
    let mut pinned = None;
    // Looking takes time from what is looked at.
    while bench.in_state(State::Final) < BACKLOG {
        assert!(begun.elapsed() < PATIENCE && !bench.has_ended(), "{:#?}\n{}", bench.status(), bench.log());
        sleep(Duration::from_millis(100)).await;
        let unfinished = bench.journal().and_then(|journal| journal.unfinished().ok());
        if pinned.is_none() && unfinished == Some(0) && bench.items().len() == BACKLOG {
            pinned = Some(begun.elapsed());
        }
    }
    let proved = begun.elapsed();
    let pinned = pinned.unwrap_or(proved);
    let node_used = processor::seconds(bench.chain.pid()) - node_used;
    let coordinator_used = processor::seconds(bench.pid());
    let workers_used: f64 = bench.workers().iter().map(processor::seconds).sum();
    bench.assert_proved_once(&given).await;
    plain = plain.mean(&replay("summary", "after"));
    hashing = hashing.mean(&replay("json", "after"));
    let each = |seconds: f64| 1_000.0 * seconds / BACKLOG as f64;
    let rate = |took: Duration| BACKLOG as f64 / took.as_secs_f64();
    println!("daemon: a backlog of {BACKLOG} specimens {what}, start included:");
    for (name, cost) in [("replay", &plain), ("replay, with specimen hashes", &hashing)] {
        println!("daemon:   {name}: {:.0} a second, {:.1} ms of processor time each", rate(cost.took), each(cost.used));
    }
    for (name, took) in [("fetched, run and pinned", pinned), ("proved and final", proved)] {
        let part = |replay: &Cost| 100.0 * replay.took.as_secs_f64() / took.as_secs_f64();
        let (plain, hashing) = (part(&plain), part(&hashing));
        println!("daemon:   {name}: {:.0} a second, {plain:.0} % of replay, {hashing:.0} % with hashes", rate(took));
    }
    let daemon_used = coordinator_used + workers_used;
    let part = |replay: &Cost| 100.0 * replay.used / daemon_used;
    println!(
        "daemon:   processor time each: {:.1} ms, of which workers {:.1} ms; {:.0} % of replay, {:.0} % with hashes; beside it the \
              chain's node {:.1} ms",
        each(daemon_used),
        each(workers_used),
        part(&plain),
        part(&hashing),
        each(node_used)
    );
}

/// The cost of one way of working through the backlog.
struct Cost {
    took: Duration,
    /// Processor time, in seconds.
    used: f64,
}

impl Cost {
    fn mean(&self, other: &Self) -> Self {
        Self { took: (self.took + other.took) / 2, used: f64::midpoint(self.used, other.used) }
    }
}

/// Blocks of our own as full as mainnet's.
fn crowd_stream() -> Vec<Given> {
    crowds(BACKLOG, TRANSACTIONS).unwrap().into_iter().map(|sample| Given::of(sample.bytes)).collect()
}

/// Answers to a monitor while the journal is as large as after months.
async fn scrape() {
    let mut bench = Bench::new().await.expect("anvil");
    crowd::fill(&bench.data, ITEMS);
    bench.flags = ["--log", "warn"].map(str::to_owned).into();
    bench.start_ready().await;
    for path in ["/metrics", "/status"] {
        let times = crowd::answer_times(&bench, path, SCRAPES);
        let bytes = bench.get(path).unwrap().len();
        let ms = |seconds: f64| seconds * 1_000.0;
        println!(
            "daemon: {path} with {ITEMS} items: median {:.2} ms, slowest {:.2} ms of {SCRAPES}; {bytes} bytes",
            ms(times[SCRAPES / 2]),
            ms(times[SCRAPES - 1])
        );
    }
}

async fn memory() {
    let given = stream(MANY as u64);
    let mut bench = Bench::new().await.expect("anvil");
    bench.flags = ["--log", "warn", "--poll-ms", "250", "--unsettled", "200"].map(str::to_owned).into();
    bench.start_ready().await;
    for (done, given) in given.chunks(STEP).enumerate() {
        bench.announce_in_bulk(given).await;
        let proved = (done + 1) * STEP;
        bench.until("every specimen is proved", |bench| bench.in_state(State::Final) == proved).await;
        let (kib, files) = bench.resident_kib_and_files();
        println!(
            "daemon: after {proved} specimens: {:.1} MiB resident, {files} open files, {} child processes",
            f64::from(kib) / 1024.0,
            bench.workers().len()
        );
    }
}
