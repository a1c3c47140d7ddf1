//! Ids, archives, stores and sources, checked against a pinner double over real sockets.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

mod archive;
mod das;
mod fetch;
mod gateways;
mod ids;
mod local_store;
mod locations;
mod pinners;
mod profile;
mod proxied;
mod served;
mod served_bounds;
mod served_forms;
mod shared;
mod web;

use std::{error::Error, time::Duration};

use refiner_content::{HttpLimits, LeastRate, PinnerLimits};
use refiner_loopback::{pinner, proxy};

/// The result of a test, so that `?` reads.
type Outcome = Result<(), Box<dyn Error>>;

/// Long enough for a busy machine, short enough for a person.
const PATIENT: Duration = Duration::from_secs(30);
/// For what must run out.
const SHORT: Duration = Duration::from_millis(200);
/// The size limit of the tests.
const LIMIT_BYTES: usize = 1 << 20;

fn patient() -> HttpLimits {
    HttpLimits {
        connect: PATIENT,
        answer: PATIENT,
        idle: PATIENT,
        deadline: PATIENT,
        body_bytes: LIMIT_BYTES,
        redirects: 3,
        least_rate: LeastRate::default(),
    }
}

fn patient_pinner() -> PinnerLimits {
    PinnerLimits { get: patient(), upload: PATIENT, upload_bytes: LIMIT_BYTES }
}

/// Bytes that repeat nowhere.
fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    for (at, word) in bytes.chunks_mut(8).enumerate() {
        let number = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        word.copy_from_slice(&number[..word.len()]);
    }
    bytes
}

/// An error and its causes on one line, as a person would see it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
