//! Bodies made to grow: small texts that become large values.

use std::{fs, io::Write as _, thread};

use alloy_primitives::{Address, hex, keccak256};
use refiner_evm::{EmbeddedExecutor, Era, ResultFormat, Uninterrupted};
use refiner_evm_server::serve::{Limits, replica};
use refiner_specimen::data_json;
use serde_json::{Value, json};

use super::{
    load::given,
    server::{Server, nameless},
};
use crate::program::samples_directory;

/// JSON whose values take far more room than their text, each as large as a body may be. Some are executed before they are
/// refused, if they are.
fn bloats(block: &str, bytes: usize) -> Vec<Vec<u8>> {
    let within = |list: &str| {
        let start = block.find(list).unwrap() + list.len();
        [&block[..start], &block[start..]]
    };
    let hash = format!("0x{}", "0".repeat(64));
    let address = |number: usize| format!("0x{number:040x}");
    let repeated = |item: &dyn Fn(usize) -> String, around: [&str; 2]| {
        let mut json = around[0].to_owned();
        for number in 0.. {
            let item = item(number);
            if json.len() + item.len() + around[1].len() + 400 > bytes {
                break;
            }
            json += &item;
            json.push(',');
        }
        if !block.ends_with(around[1]) {
            json.pop();
        }
        (json + around[1]).into_bytes()
    };
    let transaction = |_: usize| {
        r#"{"type":0,"chainId":"0x0","nonce":0,"gasPrice":"0x0","gasTipCap":"0x0","gasFeeCap":"0x0","gas":0,"value":"0x0","input":""}"#
            .to_owned()
    };
    let account =
        |number: usize| format!(r#"{{"Address":"{}","Nonce":0,"Balance":"0x0","CodeHash":"{hash}"}}"#, address(number));
    let code = |_: usize| format!(r#"{{"Hash":"{hash}","Code":""}}"#);
    vec![
        repeated(&transaction, [r#"{"Transactions":["#, "]}"]),
        repeated(&account, within(r#""AccountRead":["#)),
        repeated(&code, within(r#""CodeRead":["#)),
        repeated(&|_| r#""0x""#.to_owned(), [r#"{"BlobTxSidecars":[{"Commitments":[],"Proofs":[],"Blobs":["#, "]}]}"]),
        repeated(&|_| "{}".to_owned(), [r#"{"Transactions":[{"accessList":["#, "]}]}"]),
        repeated(&|_| "[".to_owned(), ["", ""]),
        repeated(&|_| "null".to_owned(), [r#"{"unknown":["#, "]}"]),
    ]
}

/// The number of rounds, so that what one leaves behind would add up.
const BLOAT_ROUNDS: usize = 2;

#[test]
fn bodies_made_to_grow_keep_the_bound_and_cost_nobody_else_an_answer() {
    const BODY_MIB: usize = 16;
    let limits = Limits {
        running: 2,
        executions: 6,
        waiting: 2,
        body_bytes: BODY_MIB << 20,
        in_flight_bytes: (4 * BODY_MIB) << 20,
        ..Limits::default()
    };
    let server = Server::start(&["--running", "2", "--waiting", "2", "--body-mib", "16", "--in-flight-mib", "64"]);
    let given = given().into_iter().min_by_key(|given| given.json.len()).unwrap();
    let block = std::str::from_utf8(&given.json).unwrap();
    for bloat in bloats(block, BODY_MIB << 20) {
        let request = nameless(&bloat);
        let shown = String::from_utf8_lossy(&bloat[..40]).into_owned();
        thread::scope(|scope| {
            for _ in 0..limits.executions + limits.waiting {
                scope.spawn(|| {
                    for _ in 0..BLOAT_ROUNDS {
                        let answer = server.ask(&request);
                        assert!(matches!(answer.status, 200 | 500 | 503), "{shown}: {}", answer.head);
                    }
                });
            }
        });
        let (peak, bound) = (server.peak_bytes() >> 20, limits.memory_bytes() >> 20);
        eprintln!("{shown}…: peak {peak} MiB of {bound} MiB");
        assert!(peak < bound, "{shown}: {peak} MiB, and {bound} MiB are stated");
    }
    let answer = server.ask(&nameless(&given.json));
    assert!(answer.status == 200 && answer.body == given.expected, "{}", answer.head);
}

/// Puts a value in transient storage under its own number, and the next, until there is no gas.
const FILLS_TRANSIENT_STORAGE: [u8; 12] = hex!("60005b80805d600101600256");
/// Makes its memory 64 KiB large and calls itself, until there is no gas; then burns what is left.
const FILLS_MEMORY: [u8; 24] = hex!("6000620100005260006000600060006000305af15b601456");

/// More than any public chain allows a block, and little enough that it holds less memory than may be held.
const GAS: u64 = 100_000_000;

/// A block of Cancun with one transaction, which calls this code with all its gas.
pub fn block_that_runs(code: &[u8], gas: u64) -> Vec<u8> {
    let sample = fs::read(samples_directory().join("1-19600000.avro")).unwrap();
    let mut block = data_json(&sample).unwrap();
    let (sender, contract) = (Address::repeat_byte(0xaa), Address::repeat_byte(0xcc));
    let account = |address: Address, balance: &str, code: &[u8]| json!({ "Address": address, "Nonce": 0, "Balance": balance, "CodeHash": keccak256(code) });
    block["Header"]["gasLimit"] = gas.into();
    let mut transaction = json!({
        "type": 0, "accessList": [], "chainId": "0x1", "nonce": 0, "gasPrice": "0x0", "gasTipCap": "0x0", "gasFeeCap": "0x0",
        "gas": gas, "from": null, "to": contract, "v": "0x25", "r": "0x1", "s": "0x1", "value": "0x0", "input": "",
        "blobFeeCap": null, "blobHashes": null, "blobGas": null,
    });
    transaction["gasPrice"] = block["Header"]["baseFeePerGas"].clone();
    // As much as the one transaction executes: the era compares it.
    block["Header"]["blobGasUsed"] = 0.into();
    block["Transactions"] = json!([transaction]);
    block["Senders"] = json!([sender]);
    block["Receipts"] = json!([]);
    block["State"] = json!({
        "AccountRead": [account(sender, "0xffffffffffffffffffffffffffff", b""), account(contract, "0x0", code)],
        "StorageRead": [],
        "CodeRead": [{ "Hash": keccak256(code), "Code": base64(code) }],
        "BlockhashRead": [],
    });
    block.to_string().into_bytes()
}

#[test]
fn blocks_that_spend_all_their_gas_on_memory_keep_the_bound() {
    let limits = Limits {
        running: 2,
        executions: 6,
        waiting: 2,
        body_bytes: 1 << 20,
        in_flight_bytes: 4 << 20,
        ..Limits::default()
    };
    let server = Server::start(&["--running", "2", "--waiting", "2", "--body-mib", "1", "--in-flight-mib", "4"]);
    for code in [&FILLS_TRANSIENT_STORAGE[..], &FILLS_MEMORY] {
        let block = block_that_runs(code, GAS);
        let format = ResultFormat::EvmServer(Era::D);
        let specimen = replica::read(&block.clone().into()).unwrap();
        let execution = EmbeddedExecutor::default().answer(&specimen, format, &Uninterrupted).unwrap().unwrap();
        assert!(execution.gas_used > GAS / 2, "{}", execution.gas_used);
        let expected = execution.block_result(&specimen).unwrap();
        let request = nameless(&block);
        thread::scope(|scope| {
            for _ in 0..limits.executions {
                scope.spawn(|| {
                    let answer = server.ask(&request);
                    assert!(answer.status == 200 && expected == answer.body, "{}", answer.head);
                });
            }
        });
        let (peak, bound) = (server.peak_bytes() >> 20, limits.memory_bytes() >> 20);
        eprintln!("{code:02x?}: peak {peak} MiB of {bound} MiB");
        assert!(peak < bound, "{peak} MiB, and {bound} MiB are stated");
    }
}

/// A log without data, from memory that is empty.
const LOGS: [u8; 3] = hex!("5f5fa0");
/// Gas of a log without data, of the call around it, and of a transaction.
const LOG_GAS: usize = 375 + 2 * 2;
const CALL_GAS: usize = 21_000;

/// A block with one transaction again and again, each of whose receipts has the logs of all before.
fn block_that_repeats(transactions: usize, logs: usize) -> Vec<u8> {
    let gas = CALL_GAS + logs * LOG_GAS;
    let mut block: Value = serde_json::from_slice(&block_that_runs(&LOGS.repeat(logs), gas as u64)).unwrap();
    for list in ["Transactions", "Senders"] {
        let item = block[list][0].clone();
        block[list] = vec![item; transactions].into();
    }
    block["Header"]["gasLimit"] = (transactions * gas).into();
    block.to_string().into_bytes()
}

#[test]
fn blocks_that_repeat_their_logs_keep_the_bound() {
    // So little gas that what it pays for is less than any execution may hold.
    const BLOCK_GAS: u64 = 30_000_000;
    let limits = Limits {
        running: 2,
        executions: 6,
        waiting: 2,
        body_bytes: 1 << 20,
        in_flight_bytes: 4 << 20,
        ..Limits::default()
    };
    let flags = ["--running", "2", "--waiting", "2", "--body-mib", "1", "--in-flight-mib", "4"];
    let gas = BLOCK_GAS.to_string();
    let (ample, scarce) = (flags.to_vec(), [&flags[..], &["--block-gas", &gas]].concat());
    // The most that is executed, or nearly so.
    for (flags, limits, most) in [(ample, limits, 130), (scarce, Limits { block_gas: BLOCK_GAS, ..limits }, 60)] {
        let server = Server::start(&flags);
        // The answer of the latter is written, and has more bytes than all that is in flight may have.
        for (transactions, expected) in [(400, 500), (most, 503)] {
            let request = nameless(&block_that_repeats(transactions, 40));
            thread::scope(|scope| {
                for _ in 0..limits.executions {
                    scope.spawn(|| {
                        let answer = server.ask(&request);
                        assert_eq!(answer.status, expected, "{transactions}: {}", answer.head);
                    });
                }
            });
            let (peak, bound) = (server.peak_bytes() >> 20, limits.memory_bytes() >> 20);
            eprintln!("{transactions} equal transactions: peak {peak} MiB of {bound} MiB");
            assert!(peak < bound, "{peak} MiB, and {bound} MiB are stated");
        }
    }
}

/// As many as a test may have files open, with some to spare.
const CONNECTIONS: usize = 800;

#[test]
fn heads_without_an_end_keep_the_bound() {
    let limits = Limits {
        running: 1,
        executions: 3,
        waiting: 1,
        body_bytes: 1 << 20,
        in_flight_bytes: 1 << 20,
        block_gas: 1,
        ..Limits::default()
    };
    let server = Server::start(&[
        "--running",
        "1",
        "--waiting",
        "1",
        "--body-mib",
        "1",
        "--in-flight-mib",
        "1",
        "--block-gas",
        "1",
    ]);
    let head = [&b"GET /health HTTP/1.1\r\nhost: "[..], &[b'x'; 384 << 10]].concat();
    let open: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = server.connect();
            // It is right to refuse this at any point.
            let _ = stream.write_all(&head);
            stream
        })
        .collect();
    assert_eq!(server.ask(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").status, 200);
    let (peak, bound) = (server.peak_bytes() >> 20, limits.memory_bytes() >> 20);
    eprintln!("{} connections: peak {peak} MiB of {bound} MiB", open.len());
    assert!(peak < bound, "{peak} MiB, and {bound} MiB are stated");
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: usize| char::from(ALPHABET[bits & 63]);
    assert!(bytes.len().is_multiple_of(3), "no padding here");
    bytes
        .chunks(3)
        .flat_map(|three| {
            let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
            [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)]
        })
        .collect()
}
