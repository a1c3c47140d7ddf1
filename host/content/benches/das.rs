//! The cost of a DAS id: `refiner content cid --das`, and uploads of `refiner content serve` to `/api/v1`.
//!
//! `cargo bench -p refiner-content --bench das -- [BYTES]` (3,000,000 by default) prints seconds of the wall and of the processor: of
//! the trusted setup, which the first id of a process loads; of one blob alone; and of all the bytes, on every core. The fastest of
//! three rounds counts.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops at what it did not expect"
)]

use std::{
    env, thread,
    time::{Duration, Instant},
};

use refiner_content::{BLOB_DATA_BYTES, das_id};
use rustix::time::{ClockId, clock_gettime};

/// A block specimen of the larger kind.
const BYTES: usize = 3_000_000;
const ROUNDS: usize = 3;

fn main() {
    let bytes = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(BYTES);
    let blobs = bytes.div_ceil(BLOB_DATA_BYTES);
    let cores = thread::available_parallelism().unwrap();
    // Bytes without a pattern: a byte more than nothing loads the setup.
    let data: Vec<u8> = (0..bytes.max(BLOB_DATA_BYTES) as u64)
        .map(|index| index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0])
        .collect();
    let first = timed(&data[..1]);
    let one = fastest(&data[..BLOB_DATA_BYTES]);
    let all = fastest(&data[..bytes]);
    println!(
        "das: the first id of a process {:.2} s ({:.2} s of processor time)",
        first.0.as_secs_f64(),
        first.1.as_secs_f64()
    );
    println!("das: one blob {:.3} s ({:.3} s)", one.0.as_secs_f64(), one.1.as_secs_f64());
    println!(
        "das: {bytes} bytes, {blobs} blobs, on {cores} cores {:.2} s ({:.2} s): {:.2} times the wall time of one blob for each",
        all.0.as_secs_f64(),
        all.1.as_secs_f64(),
        all.0.as_secs_f64() / (one.0.as_secs_f64() * blobs as f64)
    );
}

/// Time of the wall, and of the processor over all threads.
fn timed(bytes: &[u8]) -> (Duration, Duration) {
    let processor = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let (begun, used) = (Instant::now(), processor());
    das_id(bytes).unwrap();
    (begun.elapsed(), processor() - used)
}

fn fastest(bytes: &[u8]) -> (Duration, Duration) {
    let rounds: Vec<_> = (0..ROUNDS).map(|_| timed(bytes)).collect();
    let wall = rounds.iter().map(|(wall, _)| *wall).min().unwrap();
    (wall, rounds.iter().map(|(_, used)| *used).min().unwrap())
}
