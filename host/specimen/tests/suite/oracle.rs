//! A second way from bytes to a [`Specimen`]: apache-avro's generic reading, then alloy's own text parsers.
//!
//! Slow, plain, and without a line of the decoder under test.

use std::str::FromStr;

use alloy_consensus::Header;
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip4895::Withdrawal,
};
use alloy_primitives::{Address, B64, Bloom, Bytes, U256};
use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value};
use base64_simd::STANDARD;
use refiner_specimen::{
    AccountRead, Authorization, BlobSidecar, Block, BlockHashRead, CodeRead, Layout, Log, Receipt, Specimen,
    StateReads, StorageRead, Transaction,
};

/// The meaning of the bytes by a layout, all of them consumed.
pub fn specimen(bytes: &[u8], layout: Layout) -> Specimen {
    let schema = Schema::parse_str(layout.avsc()).unwrap();
    let mut rest = bytes;
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "apache-avro leaves {} bytes by {layout}", rest.len());
    let segment = Fields(&value);
    let [event] = segment.items("replicaEvent") else { panic!("one event") };
    Specimen {
        layout,
        stated_codec_version: match segment.get("codecVersion") {
            Value::Double(version) => *version,
            other => panic!("{other:?}"),
        },
        start_block: segment.integer("startBlock"),
        end_block: segment.integer("endBlock"),
        elements: segment.integer("elements"),
        event_hash: Fields(event).parse("hash"),
        block: block(&Fields(Fields(event).get("data")), layout),
    }
}

fn block(data: &Fields<'_>, layout: Layout) -> Block {
    Block {
        kind: data.text("Type").to_owned(),
        network_id: data.integer("NetworkId"),
        hash: data.parse("Hash"),
        total_difficulty: data.number("TotalDifficulty"),
        header: header(&Fields(data.get("Header"))),
        transactions: data.list("Transactions", |fields| transaction(&fields, layout)),
        uncles: data.optional("uncles").map(|value| list(value, |fields| header(&fields))),
        receipts: data.list("Receipts", |fields| receipt(&fields)),
        senders: data.items("Senders").iter().map(|sender| parse(text(sender))).collect(),
        state: state(&Fields(data.get("State"))),
        withdrawals: data.optional("Withdrawals").map(|value| {
            list(value, |fields| Withdrawal {
                index: fields.integer("index"),
                validator_index: fields.integer("validatorIndex"),
                address: fields.parse("address"),
                amount: fields.integer("amount"),
            })
        }),
        blob_sidecars: data.optional("BlobTxSidecars").map(|value| {
            let all = |fields: &Fields<'_>, name| fields.items(name).iter().map(|item| parse(text(item))).collect();
            list(value, |fields| BlobSidecar {
                blobs: all(&fields, "Blobs"),
                commitments: all(&fields, "Commitments"),
                proofs: all(&fields, "Proofs"),
            })
        }),
    }
}

fn header(fields: &Fields<'_>) -> Header {
    let bytes = |name| fields.items(name).iter().map(|item| u8::try_from(integer(item)).unwrap()).collect::<Vec<_>>();
    Header {
        parent_hash: fields.parse("parentHash"),
        ommers_hash: fields.parse("sha3Uncles"),
        beneficiary: fields.parse("miner"),
        state_root: fields.parse("stateRoot"),
        transactions_root: fields.parse("transactionsRoot"),
        receipts_root: fields.parse("receiptsRoot"),
        logs_bloom: Bloom::from_slice(&bytes("logsBloom")),
        difficulty: fields.number("difficulty"),
        number: fields.number("number").to(),
        gas_limit: fields.integer("gasLimit"),
        gas_used: fields.integer("gasUsed"),
        timestamp: fields.integer("timestamp"),
        extra_data: fields.base64("extraData"),
        mix_hash: fields.parse("mixHash"),
        nonce: B64::from_slice(&bytes("nonce")),
        base_fee_per_gas: Some(fields.number("baseFeePerGas").to()),
        withdrawals_root: fields.parsed("withdrawalsRoot"),
        blob_gas_used: fields.optional("blobGasUsed").map(integer),
        excess_blob_gas: fields.optional("excessBlobGas").map(integer),
        parent_beacon_block_root: fields.parsed("parentBeaconBlockRoot"),
        requests_hash: fields.parsed("requestsHash"),
        ..Header::default()
    }
}

fn transaction(fields: &Fields<'_>, layout: Layout) -> Transaction {
    let hashes = |value| items(value).iter().map(|hash| parse(text(hash))).collect();
    Transaction {
        tx_type: u8::try_from(fields.integer("type")).unwrap(),
        access_list: AccessList(fields.list("accessList", |item| AccessListItem {
            address: item.parse("address"),
            storage_keys: hashes(item.get("storageKeys")),
        })),
        chain_id: fields.number("chainId").to(),
        nonce: fields.integer("nonce"),
        gas_price: fields.number("gasPrice").to(),
        gas_tip_cap: fields.number("gasTipCap").to(),
        gas_fee_cap: fields.number("gasFeeCap").to(),
        gas: fields.integer("gas"),
        // Where it cannot be null, zeros stand for none.
        from: fields.parsed("from").filter(|from: &Address| layout != Layout::V0_2 || !from.is_zero()),
        to: fields.parsed("to"),
        v: fields.parsed("v"),
        r: fields.parsed("r"),
        s: fields.parsed("s"),
        value: fields.number("value"),
        input: fields.base64("input"),
        blob_fee_cap: fields.parsed::<U256>("blobFeeCap").map(|cap| cap.to()),
        blob_hashes: fields.optional("blobHashes").map(hashes),
        blob_gas: fields.optional("blobGas").map(integer),
        data: fields.optional("Data").map(|value| text(value).to_owned()),
        authorization_list: fields.optional("AuthList").map(|value| {
            list(value, |fields| Authorization {
                chain_id: fields.parse("chainId"),
                address: fields.parse("address"),
                nonce: fields.integer("nonce"),
                y_parity: fields.parse("yParity"),
                r: fields.parse("r"),
                s: fields.parse("s"),
            })
        }),
    }
}

fn receipt(fields: &Fields<'_>) -> Receipt {
    Receipt {
        post_state_or_status: fields.base64("PostStateOrStatus"),
        cumulative_gas_used: fields.integer("CumulativeGasUsed"),
        tx_hash: fields.parse("TxHash"),
        contract_address: fields.parse("ContractAddress"),
        logs: fields.list("Logs", |log| Log {
            address: log.parse("address"),
            topics: log.items("topics").iter().map(|topic| parse(text(topic))).collect(),
            data: log.base64("data"),
            block_number: log.integer("blockNumber"),
            transaction_hash: log.parse("transactionHash"),
            transaction_index: log.integer("transactionIndex"),
            block_hash: log.parse("blockHash"),
            log_index: log.integer("logIndex"),
            removed: *log.get("removed") == Value::Boolean(true),
        }),
        gas_used: fields.integer("GasUsed"),
    }
}

fn state(fields: &Fields<'_>) -> StateReads {
    StateReads {
        accounts: fields.list("AccountRead", |read| AccountRead {
            address: read.parse("Address"),
            nonce: read.integer("Nonce"),
            balance: read.number("Balance"),
            code_hash: read.parse("CodeHash"),
        }),
        storage: fields.list("StorageRead", |read| StorageRead {
            account: read.parse("Account"),
            slot: read.parse("SlotKey"),
            value: read.parse("Value"),
        }),
        codes: fields.list("CodeRead", |read| CodeRead { hash: read.parse("Hash"), code: read.base64("Code") }).into(),
        block_hashes: fields.list("BlockhashRead", |read| BlockHashRead {
            number: read.number("BlockNumber").to(),
            hash: read.parse("BlockHash"),
        }),
    }
}

/// A record's fields by name.
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn find(&self, name: &str) -> Option<&'a Value> {
        let Value::Record(fields) = self.0 else { panic!("not a record: {:?}", self.0) };
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    fn get(&self, name: &str) -> &'a Value {
        self.find(name).unwrap_or_else(|| panic!("no field {name}"))
    }

    /// Nothing where the layout has no field or the field is null.
    fn optional(&self, name: &str) -> Option<&'a Value> {
        match self.find(name)? {
            Value::Union(0, _) => None,
            Value::Union(_, value) => Some(value),
            value => Some(value),
        }
    }

    fn text(&self, name: &str) -> &'a str {
        text(self.get(name))
    }

    fn integer(&self, name: &str) -> u64 {
        integer(self.get(name))
    }

    /// A number, however the layout writes it.
    fn number(&self, name: &str) -> U256 {
        match self.get(name) {
            Value::Double(number) => parse(&format!("{number:.0}")),
            value @ (Value::Int(_) | Value::Long(_)) => U256::from(integer(value)),
            value => parse(text(value)),
        }
    }

    fn parse<T: FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> T {
        parse(self.text(name))
    }

    fn parsed<T: FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> Option<T> {
        self.optional(name).map(|value| parse(text(value)))
    }

    fn base64(&self, name: &str) -> Bytes {
        STANDARD.decode_to_vec(self.text(name)).unwrap().into()
    }

    fn items(&self, name: &str) -> &'a [Value] {
        items(self.get(name))
    }

    fn list<T>(&self, name: &str, read: impl Fn(Fields<'a>) -> T) -> Vec<T> {
        list(self.get(name), read)
    }
}

fn list<'a, T>(value: &'a Value, read: impl Fn(Fields<'a>) -> T) -> Vec<T> {
    items(value).iter().map(|item| read(Fields(item))).collect()
}

fn items(value: &Value) -> &[Value] {
    let Value::Array(items) = value else { panic!("not an array: {value:?}") };
    items
}

fn text(value: &Value) -> &str {
    match value {
        Value::String(text) => text,
        Value::Bytes(bytes) => std::str::from_utf8(bytes).unwrap(),
        other => panic!("not a text: {other:?}"),
    }
}

fn parse<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn integer(value: &Value) -> u64 {
    match value {
        Value::Int(number) => (*number).try_into().unwrap(),
        Value::Long(number) => (*number).try_into().unwrap(),
        other => panic!("not an integer: {other:?}"),
    }
}
