//! Ids, archives, stores and sources, held against a pinner double over real sockets.

// By path, so that these tests need not build the EVM that the rest of the kit needs.
#[path = "../../../../tests/kit/src/pinner.rs"]
#[allow(dead_code)]
mod pinner;

mod archive;
mod fetch;
mod gateways;
mod ids;
mod local_store;
mod locations;
mod pinners;
mod recipe;
mod served;
mod shared;
mod web;

use std::{error::Error, time::Duration};

use refiner_content::{HttpLimits, PinnerLimits};

/// What a test returns, so that `?` reads.
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
    }
}

fn patient_pinner() -> PinnerLimits {
    PinnerLimits { get: patient(), upload: PATIENT, upload_bytes: LIMIT_BYTES }
}

/// Bytes that repeat nowhere within a chunk.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect()
}

/// An error and its causes on one line, as a person would see it.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
