//! Ten thousand requests that no client would send by mistake.

use refiner_evm_server::serve::Limits;
use refiner_testkit::samples;

use crate::{
    client::{exchange, post, request},
    server::{ERA_D, json, result, start},
};

const REQUESTS: u64 = 10_000;
/// Connections at once: enough that requests are refused while others run.
const LANES: u64 = 8;

/// Numbers that are the same on every machine (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).unwrap()
    }
}

/// Pieces of JSON and of framing that parsers trip over.
const PIECES: [&[u8]; 20] = [
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1",
    b"1e999",
    b"18446744073709551615",
    b"\"0x\"",
    b"\"0x0x\"",
    b"\\u0000",
    b"\xff",
    b"\"",
    b"{",
    b"]",
    b",",
    b"\r\n",
    b"\r\n--b0undary",
    b"\r\n--b0undary--",
    b"\r\n\r\n",
    b"9999999999",
];

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        let end = (at + dice.below(64)).min(bytes.len());
        match dice.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes[at..end].iter_mut().for_each(|byte| *byte = byte.wrapping_add(1)),
            3 => {
                let again = bytes[at..end].to_vec();
                let to = dice.below(bytes.len());
                bytes.splice(to..to, again);
            }
            4 => drop(bytes.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
            _ => {
                // One value for another: behind a colon, up to what ends it.
                let Some(colon) = bytes[at..].iter().position(|byte| *byte == b':').map(|to| at + to + 1) else {
                    continue;
                };
                let end =
                    bytes[colon..].iter().position(|byte| b",}]".contains(byte)).map_or(bytes.len(), |to| colon + to);
                bytes.splice(colon..end, PIECES[dice.below(PIECES.len())].iter().copied());
            }
        }
        if bytes.is_empty() {
            return;
        }
    }
}

/// A request that something happened to: to the JSON, to the form around it, or to the request around both.
fn mutated(json: &[u8], dice: &mut Dice) -> Vec<u8> {
    match dice.below(8) {
        0 => {
            let mut whole = post(json);
            let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
            let mut rest = whole.split_off(head);
            mutate(&mut whole, dice);
            whole.append(&mut rest);
            whole
        }
        1 | 2 => {
            let mut form = crate::client::nameless(json);
            mutate(&mut form, dice);
            request("multipart/form-data; boundary=b0undary", &form)
        }
        _ => {
            let mut json = json.to_vec();
            mutate(&mut json, dice);
            post(&json)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_mutated_requests_leave_a_server_that_answers() {
    let blocks: Vec<_> = samples().unwrap().iter().map(json).collect();
    let smallest = blocks.iter().map(Vec::len).min().unwrap();
    let blocks: Vec<_> = blocks.into_iter().filter(|json| json.len() < 4 * smallest).collect();
    let limits = Limits { idle: std::time::Duration::from_millis(500), ..Limits::default() };
    let server = start(ERA_D, limits).await;
    let address = server.address;
    let lanes = (0..LANES).map(|lane| {
        let blocks = blocks.clone();
        tokio::spawn(async move {
            let mut dice = Dice(lane);
            let mut answered = 0;
            for _ in 0..REQUESTS / LANES {
                let request = mutated(&blocks[dice.below(blocks.len())], &mut dice);
                if let Some(answer) = exchange(address, &request).await {
                    assert!(answer.status < 600 && !answer.text_is_a_panic(), "{answer:?}");
                    answered += 1;
                }
            }
            answered
        })
    });
    let mut answered = 0;
    for lane in lanes.collect::<Vec<_>>() {
        answered += lane.await.unwrap();
    }
    assert!(answered > REQUESTS * 9 / 10, "{answered}");
    let good = samples().unwrap().into_iter().find(|file| result(file, ERA_D).is_some()).unwrap();
    let answer = exchange(address, &post(&json(&good))).await.unwrap();
    assert!(answer.status == 200 && Some(answer.body) == result(&good, ERA_D), "{}", answer.head);
    assert!(!server.task.is_finished());
}
