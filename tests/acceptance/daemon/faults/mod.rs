//! Faults of other services, the state in which they leave an item, and the message for a person.
//!
//! | fault | the item ends in | a person reads it in |
//! |---|---|---|
//! | the pinner answers 200 and nothing, unreadable JSON, a panic; stalls; dies in an upload | `produced`, tried again | the item's error |
//! | the pinner answers several objects | goes on: ours is among them | |
//! | the pinner names other content | `quarantined` | the item's reason, `/status` |
//! | the specimen is not there yet, or is garbled | `announced`, tried again; after a minute `waiting` | the item's error, `/status` |
//! | the node is silent, limits rates, is away | stays where it is | `/status`, `waits_for` |
//! | the node limits ranges, drops a transaction | goes on | the log |
//! | the only node gives no usable answer, or is of a chain that was started anew | stays where it is | `/status`, `waits_for` and `nodes` |
//! | one of two nodes gives none, is behind, or of another chain | goes on with the other | `/status`, `nodes` |
//! | the node's head lies | stays where it is | `/status`, `waits_for` |
//! | the node lags, or its logs do | announced late | `/status`, `scan`; the log |
//! | a reorganisation past the position | `withdrawn` until it is announced again | the log |
//! | session closed, submitted already, out of bounds and too old | `skipped` | the item's reason |
//! | out of bounds and too new | `proof_intent`, tried again | the item's error |
//! | not enabled, no role, no money | `proof_intent`, proving stops | `/status`, `paused` with a hint |
//! | underpriced, of too low priority | continues at the same nonce | the log |
//! | the pool bans a transaction | continues at the same nonce with other bytes | `/status`, `waits_for` |
//! | the pool is full | continues with the same bytes | `/status`, `waits_for` |
//! | a nonce is missing | continues once it is used up | `/status`, `waits_for` |
//! | a day's cost reaches its bound | `proof_intent`, proving stops | `/status`, `paused` with a hint |
//! | other operators deny three results in a row | `proof_intent`, proving stops | `/status`, `paused` with the hashes |
//! | the node has no old state | goes on; the reason of a reverted proof is unknown | the item's error |
//! | a deep reorganisation took a final proof | continues with the same bytes | the log |
//!
//! A full disk and a damaged journal are of [`crate::host`].

mod contract;
mod doubles;
mod finalize;
mod node;
mod nodes;
mod peers;
mod pinner;
mod pool;
mod scan;

use refiner_journal::State;

use crate::{bench::Bench, specimens::Given};

/// Waits until the only item of `given` failed in `state` with these words.
pub async fn until_failed(bench: &mut Bench, given: &Given, state: State, words: &str) {
    let height = given.height;
    bench
        .until(&format!("{height} fails in {state} with {words:?}"), |bench| {
            let items = bench.items();
            let item = items.iter().find(|item| item.height == height);
            item.is_some_and(|item| {
                let later = state == State::Announced && item.state == State::Waiting;
                (item.state == state || later) && item.last_error.as_ref().is_some_and(|error| error.contains(words))
            })
        })
        .await;
}

/// Waits until the status shows that a part of the daemon waits, in these words.
pub async fn until_waits(bench: &mut Bench, part: &str, words: &str) {
    bench
        .until(&format!("{part} waits for {words:?}"), |bench| {
            let status = bench.status().unwrap_or_default();
            status["now"]["waitsFor"][part]["what"].as_str().is_some_and(|what| what.contains(words))
        })
        .await;
}

/// Waits until no proofs are submitted, and gives the reason and what to do.
async fn until_paused(bench: &mut Bench) -> (String, String) {
    bench.until("it says that it stopped", |bench| bench.paused().is_some()).await;
    let status = bench.status().unwrap();
    let paused = &status["now"]["paused"];
    (paused["reason"].as_str().unwrap().to_owned(), paused["hint"].as_str().unwrap_or_default().to_owned())
}
