//! More clients than there is room for.

use std::{sync::Barrier, thread};

use refiner_evm::{EmbeddedExecutor, Era, ResultFormat, Uninterrupted};
use refiner_evm_server::serve::Limits;
use refiner_specimen::{data_json, decode};
use refiner_testkit::{best_available, samples};

use super::server::{Server, nameless};

const CLIENTS: usize = 64;
/// Requests of each client.
const ROUNDS: usize = 4;

/// A block to send, and what is due for it.
pub struct Given {
    pub json: Vec<u8>,
    pub expected: Vec<u8>,
    pub format: String,
}

/// Blocks that era D executes: real ones where there are any.
pub fn given() -> Vec<Given> {
    let format = ResultFormat::EvmServer(Era::D);
    let executor = EmbeddedExecutor::default();
    let mut files = best_available().unwrap();
    files.extend(samples().unwrap());
    let executed = |bytes: &[u8]| {
        let specimen = decode(bytes).unwrap();
        executor.answer(&specimen, format, &Uninterrupted).unwrap().ok()?.block_result(&specimen).ok()
    };
    let given: Vec<_> = files
        .iter()
        .filter_map(|file| {
            Some(Given {
                expected: executed(&file.bytes)?.to_vec(),
                json: data_json(&file.bytes).unwrap().to_string().into_bytes(),
                format: format.to_string(),
            })
        })
        .collect();
    assert!(!given.is_empty());
    given
}

#[test]
fn sixty_four_clients_get_the_right_bytes_or_are_sent_away_and_memory_keeps_its_bound() {
    let given = given();
    let requests: Vec<_> = given.iter().map(|given| nameless(&given.json)).collect();
    let limits = Limits { running: 2, executions: 6, waiting: 4, ..Limits::default() };
    let server = Server::start(&["--running", "2", "--waiting", "4"]);
    let together = Barrier::new(CLIENTS);
    let outcomes: Vec<(usize, usize)> = thread::scope(|scope| {
        let client = |client: usize| {
            let (server, together, given, requests) = (&server, &together, &given, &requests);
            scope.spawn(move || {
                let (mut right, mut sent_away) = (0, 0);
                for round in 0..ROUNDS {
                    together.wait();
                    let which = (client + round) % given.len();
                    let answer = server.ask(&requests[which]);
                    match answer.status {
                        200 => {
                            assert!(answer.body == given[which].expected, "client {client}, round {round}");
                            right += 1;
                        }
                        503 => {
                            assert!(answer.head.contains("\r\nretry-after: "), "{}", answer.head);
                            sent_away += 1;
                        }
                        _ => panic!("{}{}", answer.head, String::from_utf8_lossy(&answer.body)),
                    }
                }
                (right, sent_away)
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let right: usize = outcomes.iter().map(|(right, _)| right).sum();
    let sent_away: usize = outcomes.iter().map(|(_, sent_away)| sent_away).sum();
    let (peak, bound) = (server.peak_bytes() >> 20, limits.memory_bytes() >> 20);
    eprintln!("{right} answered, {sent_away} sent away, peak {peak} MiB of {bound} MiB");
    assert!(right >= ROUNDS && sent_away > 0, "{right} answered, {sent_away} sent away");
    assert!(peak < bound, "{peak} MiB, and {bound} MiB are stated");
}
