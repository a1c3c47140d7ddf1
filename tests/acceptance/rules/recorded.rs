//! The producer's own record of a real block, read from its JSON alone: expectations that share no code with the
//! rules, the executor or the contract between them.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::U256;
use serde_json::{Value, json};

use crate::program::{refiner, text};

const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TRANSFER_SINGLE: &str = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
const TRANSFER_BATCH: &str = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb";
const EMPTY_CODE: &str = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
/// EIP-4844's `BLOB_BASE_FEE_UPDATE_FRACTION`, which holds until Prague.
const CANCUN_UPDATE_FRACTION: u64 = 3_338_477;

/// A real block, as recorded.
pub struct Recorded {
    /// Number of the block.
    pub height: u64,
    /// The receipts file: header and receipts.
    receipts: Value,
    /// The path of the specimen, for facts that receipts do not hold.
    specimen: PathBuf,
}

/// Expected fields of a row.
pub type Fields = Vec<(&'static str, Value)>;

impl Recorded {
    /// Every real block, by height.
    pub fn all(directory: &Path) -> Vec<Self> {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut heights: Vec<u64> =
            names.filter_map(|name| name.strip_prefix("1-")?.strip_suffix(".receipts.json")?.parse().ok()).collect();
        heights.sort_unstable();
        heights.into_iter().map(|height| Self::read(directory, height)).collect()
    }

    fn read(directory: &Path, height: u64) -> Self {
        let receipts = fs::read(directory.join(format!("1-{height}.receipts.json"))).unwrap();
        let specimen = directory.join(format!("1-{height}.avro"));
        Self { height, receipts: serde_json::from_slice(&receipts).unwrap(), specimen }
    }

    /// The specimen's block as JSON.
    fn specimen(&self) -> Value {
        let decoded = refiner(&["specimen", "decode", "--data", text(&self.specimen)]).expect(0);
        serde_json::from_slice(&decoded.stdout).unwrap()
    }

    /// Expected values in a row of each transfer.
    pub fn transfers(&self) -> Vec<Fields> {
        let receipts = list(&self.receipts["Receipts"]).iter().enumerate();
        let logs = receipts.flat_map(|(index, receipt)| list(&receipt["Logs"]).iter().map(move |log| (index, log)));
        logs.enumerate().flat_map(|(log_index, (index, log))| transfers(index, log_index, log)).collect()
    }

    /// Expected values in a row of each transaction.
    pub fn transactions(&self) -> Vec<Fields> {
        let specimen = self.specimen();
        let mut before = 0;
        let transactions = list(&specimen["Transactions"]).iter().zip(list(&specimen["Senders"]));
        let all = transactions.zip(list(&self.receipts["Receipts"])).enumerate();
        all.map(|(index, ((transaction, sender), receipt))| {
            let cumulative = receipt["CumulativeGasUsed"].as_u64().unwrap();
            let gas_used = cumulative - before;
            before = cumulative;
            let success = receipt["PostStateOrStatus"] == "AQ==";
            let input = base64(transaction["input"].as_str().unwrap_or_default());
            let to = transaction["to"].as_str().filter(|to| !to.is_empty());
            let selector = input.get(..4).filter(|_| to.is_some()).map(hex);
            let price = self.price(transaction);
            vec![
                ("transactionIndex", json!(index)),
                ("type", transaction["type"].clone()),
                ("from", sender.clone()),
                ("to", json!(to)),
                ("nonce", transaction["nonce"].clone()),
                ("value", quantity(&transaction["value"]).to_string().into()),
                ("success", json!(success)),
                ("gasLimit", transaction["gas"].clone()),
                ("gasUsed", json!(gas_used)),
                ("effectiveGasPrice", price.to_string().into()),
                ("fee", (price * U256::from(gas_used)).to_string().into()),
                ("selector", json!(selector)),
                ("inputBytes", json!(input.len())),
                ("logs", json!(list(&receipt["Logs"]).len())),
            ]
        })
        .collect()
    }

    /// EIP-1559: the sender's tip on top of the base fee, up to the sender's cap.
    fn price(&self, transaction: &Value) -> U256 {
        if transaction["type"].as_u64().unwrap() < 2 {
            return quantity(&transaction["gasPrice"]);
        }
        let base = quantity(&self.receipts["Header"]["baseFeePerGas"]);
        quantity(&transaction["gasFeeCap"]).min(base + quantity(&transaction["gasTipCap"]))
    }

    /// Blob gas used, by the header.
    pub fn blob_gas_used(&self) -> u64 {
        self.receipts["Header"]["blobGasUsed"].as_u64().unwrap_or_default()
    }

    /// EIP-4844's `fake_exponential` of the header's excess.
    pub fn cancun_blob_price(&self) -> U256 {
        let excess = U256::from(self.receipts["Header"]["excessBlobGas"].as_u64().unwrap());
        let fraction = U256::from(CANCUN_UPDATE_FRACTION);
        let (mut sum, mut term, mut index) = (U256::ZERO, fraction, U256::ONE);
        while !term.is_zero() {
            sum += term;
            term = term * excess / (fraction * index);
            index += U256::ONE;
        }
        sum / fraction
    }

    /// Expected values in a row of each account, and of each slot.
    pub fn state(&self) -> [Vec<Fields>; 2] {
        let state = &self.specimen()["State"];
        let codes: HashMap<&str, usize> = list(&state["CodeRead"])
            .iter()
            .map(|code| (code["Hash"].as_str().unwrap(), base64(code["Code"].as_str().unwrap()).len()))
            .chain([(EMPTY_CODE, 0)])
            .collect();
        let slots = list(&state["StorageRead"]);
        let account = |read: &Value| {
            vec![
                ("address", read["Address"].clone()),
                ("nonce", read["Nonce"].clone()),
                ("balance", quantity(&read["Balance"]).to_string().into()),
                ("codeHash", read["CodeHash"].clone()),
                ("codeBytes", json!(codes.get(read["CodeHash"].as_str().unwrap()))),
                ("slots", json!(slots.iter().filter(|slot| slot["Account"] == read["Address"]).count())),
            ]
        };
        let slot = |read: &Value| {
            [("address", "Account"), ("slot", "SlotKey"), ("value", "Value")]
                .map(|(field, key)| (field, read[key].clone()))
                .to_vec()
        };
        [list(&state["AccountRead"]).iter().map(account).collect(), slots.iter().map(slot).collect()]
    }
}

/// The transfers of a log, by its name, number of topics and length of data.
fn transfers(transaction: usize, log_index: usize, log: &Value) -> Vec<Fields> {
    let topics: Vec<&str> = list(&log["topics"]).iter().map(|topic| topic.as_str().unwrap()).collect();
    let data = base64(log["data"].as_str().unwrap_or_default());
    let party = |topic: usize| Value::from(format!("0x{}", &topics[topic][26..]));
    let word = |position: usize| U256::from_be_slice(&data[32 * position..][..32]);
    let transfer = |standard: &str, first_party: usize, batch: Option<usize>, id: Option<U256>, amount: U256| {
        vec![
            ("transactionIndex", json!(transaction)),
            ("logIndex", json!(log_index)),
            ("batchIndex", json!(batch)),
            ("standard", json!(standard)),
            ("token", log["address"].clone()),
            ("operator", if standard == "ERC-1155" { party(1) } else { Value::Null }),
            ("from", party(first_party)),
            ("to", party(first_party + 1)),
            ("tokenId", json!(id.map(|id| id.to_string()))),
            ("amount", json!(amount.to_string())),
        ]
    };
    match (topics.first().copied(), topics.len(), data.len()) {
        (Some(TRANSFER), 3, 32) => vec![transfer("ERC-20", 1, None, None, word(0))],
        (Some(TRANSFER), 4, 0) => {
            vec![transfer("ERC-721", 1, None, Some(topics[3].parse().unwrap()), U256::ONE)]
        }
        (Some(TRANSFER_SINGLE), 4, 64) => vec![transfer("ERC-1155", 2, None, Some(word(0)), word(1))],
        (Some(TRANSFER_BATCH), 4, _) => {
            let start = |argument| usize::try_from(word(argument)).unwrap() / 32;
            let item = |argument, position| word(start(argument) + 1 + position);
            let all = 0..usize::try_from(word(start(0))).unwrap();
            all.map(|index| transfer("ERC-1155", 2, Some(index), Some(item(0, index)), item(1, index))).collect()
        }
        _ => Vec::new(),
    }
}

/// A list, or none of it.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A number in hexadecimal text.
fn quantity(value: &Value) -> U256 {
    value.as_str().unwrap().parse().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// RFC 4648, with padding.
fn base64(text: &str) -> Vec<u8> {
    let sextet = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("{letter} is no letter of base64"),
    };
    let group = |letters: &[u8]| {
        let bits = letters.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(sextet(*letter)));
        let bytes = (bits << (6 * (4 - letters.len()))).to_be_bytes();
        bytes[1..letters.len()].to_vec()
    };
    text.trim_end_matches('=').as_bytes().chunks(4).flat_map(group).collect()
}
