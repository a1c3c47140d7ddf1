use std::{fs, path::PathBuf};

use alloy_consensus::Header;
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip4895::Withdrawal,
};
use alloy_primitives::{Bloom, address, bytes, uint};
use serde_json::Value;

use super::*;
use crate::{
    compat::synthetic_header::manufacture,
    format::{Era, ResultFormat},
    interrupt::Uninterrupted,
    meter::Budget,
};

/// Writes a block as an era would, around a block manufactured from `header`.
fn write(
    era: Era,
    block: &Block,
    header: Header,
    receipts: &[ExecutedReceipt],
    state_root: B256,
) -> (String, SyntheticHeader) {
    let server = EvmServer::of(era);
    let transactions = server.transactions(block).unwrap();
    let manufactured = manufacture(header, &transactions, ResultFormat::EvmServer(era)).unwrap();
    let document = Document {
        server,
        block,
        transactions: &transactions,
        manufactured: &manufactured,
        receipts,
        state_root,
        opening_logs: 0,
    };
    let budget = Budget::new(0, &Uninterrupted);
    let written = document.write(RepeatedLogs::after(&budget, 0)).unwrap();
    (String::from_utf8(written).unwrap(), manufactured)
}

/// The lists of 256 and of 8 zeros would hide the rest of an expectation.
fn fold_zeros(document: &str) -> String {
    let zeros = |count: usize| format!("[\n   {}\n  ]", vec!["0"; count].join(",\n   "));
    document.replace(&zeros(256), "[256 zeros]").replace(&zeros(8), "[8 zeros]")
}

/// A block with a creation that fails and a type-3 transaction that logs with and without data.
fn small_block() -> Block {
    let transactions = vec![
        Transaction {
            tx_type: 2,
            chain_id: 1,
            nonce: 7,
            gas_price: 0xdead,
            gas_tip_cap: 1,
            gas_fee_cap: 0x20,
            gas: 53_000,
            value: U256::from(255),
            input: bytes!("60ff"),
            r: Some(U256::from(0xa)),
            s: Some(U256::from(0xb)),
            ..Transaction::default()
        },
        Transaction {
            tx_type: 3,
            access_list: AccessList(vec![AccessListItem {
                address: address!("00000000000000000000000000000000000000aa"),
                storage_keys: vec![B256::with_last_byte(1)],
            }]),
            chain_id: 1,
            gas_tip_cap: 2,
            gas_fee_cap: 0x30,
            gas: 90_000,
            to: Some(address!("00000000000000000000000000000000000000bb")),
            v: Some(U256::from(1)),
            r: Some(U256::from(0xc)),
            s: Some(U256::from(0xd)),
            blob_fee_cap: Some(10),
            blob_hashes: Some(vec![B256::with_last_byte(0x11), B256::with_last_byte(0x22)]),
            ..Transaction::default()
        },
    ];
    Block {
        kind: "block-replica".to_owned(),
        network_id: 1,
        hash: B256::repeat_byte(0x99),
        total_difficulty: uint!(0xc70d815d562d3cfa955_U256),
        header: Header {
            parent_hash: B256::repeat_byte(1),
            ommers_hash: B256::repeat_byte(2),
            beneficiary: Address::repeat_byte(3),
            state_root: B256::repeat_byte(4),
            transactions_root: B256::repeat_byte(5),
            receipts_root: B256::repeat_byte(6),
            number: 17_000_000,
            gas_limit: 30_000_000,
            gas_used: 74_000,
            timestamp: 1_700_000_000,
            extra_data: bytes!("f09f"),
            mix_hash: B256::repeat_byte(7),
            base_fee_per_gas: Some(9),
            withdrawals_root: Some(B256::repeat_byte(8)),
            blob_gas_used: Some(262_144),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::repeat_byte(0xb)),
            requests_hash: Some(B256::repeat_byte(0xc)),
            ..Header::default()
        },
        transactions,
        uncles: None,
        receipts: Vec::new(),
        senders: vec![Address::repeat_byte(0x5e), Address::repeat_byte(0x5f)],
        state: Default::default(),
        withdrawals: Some(vec![Withdrawal { index: 1, validator_index: 2, address: Address::ZERO, amount: 3 }]),
        blob_sidecars: Some(vec![
            BlobSidecar::default(),
            BlobSidecar {
                blobs: vec![bytes!("b10b")],
                commitments: vec![bytes!("c0"), bytes!("c1")],
                proofs: Vec::new(),
            },
        ]),
    }
}

/// The receipts of [`small_block`], as far as they were executed.
fn small_receipts() -> Vec<ExecutedReceipt> {
    let receipt = |transaction_index, gas_used, cumulative_gas_used| ExecutedReceipt {
        transaction_index,
        transaction_hash: B256::ZERO,
        tx_type: 2,
        success: false,
        post_state: None,
        gas_used,
        cumulative_gas_used,
        effective_gas_price: U256::from(10),
        contract_address: None,
        logs: Vec::new(),
    };
    let address = Address::repeat_byte(0x10);
    vec![
        ExecutedReceipt { contract_address: Some(Address::repeat_byte(0xcc)), ..receipt(0, 53_000, 53_000) },
        ExecutedReceipt {
            logs: vec![
                ExecutedLog { address, topics: Vec::new(), data: bytes!("ff") },
                ExecutedLog { address, topics: vec![B256::with_last_byte(0x70)], data: bytes!("") },
            ],
            ..receipt(1, 21_000, 74_000)
        },
    ]
}

#[track_caller]
fn check(era: Era, block: &Block, receipts: &[ExecutedReceipt], expected: &str) {
    let header = (EvmServer::of(era).manufactured_header)(block);
    let (document, _) = write(era, block, header, receipts, B256::repeat_byte(0x70));
    assert_eq!(fold_zeros(&document), expected.trim_end());
}

#[test]
fn each_era_writes_its_own_keys_and_spellings() {
    let (block, receipts) = (small_block(), small_receipts());
    check(Era::C, &block, &receipts, include_str!("golden/era_c.txt"));
    check(Era::D, &block, &receipts, include_str!("golden/era_d.txt"));
    check(Era::E, &block, &receipts, include_str!("golden/era_e.txt"));
    let mut before_blobs = block;
    before_blobs.transactions.truncate(1);
    before_blobs.senders.truncate(1);
    check(Era::A, &before_blobs, &receipts[..1], include_str!("golden/era_a.txt"));
    check(Era::B, &before_blobs, &receipts[..1], include_str!("golden/era_b.txt"));
}

#[test]
fn a_block_without_transactions_has_null_in_their_place() {
    let block = Block { transactions: Vec::new(), senders: Vec::new(), ..small_block() };
    for era in [Era::A, Era::B, Era::C, Era::D, Era::E] {
        let header = (EvmServer::of(era).manufactured_header)(&block);
        let (document, _) = write(era, &block, header, &[], B256::ZERO);
        let expected = " \"Transactions\": null,\n \"uncles\": null,\n \"Receipts\": [],\n \"Senders\": [],\n";
        assert!(document.contains(expected), "{document}");
    }
}

#[test]
fn a_chain_id_is_derived_from_v_as_the_server_did() {
    let check = |v: U256, chain_id: U256| assert_eq!(derived_chain_id(v), chain_id, "{v}");
    check(U256::from(27), U256::ZERO);
    check(U256::from(28), U256::ZERO);
    check(U256::from(35), U256::ZERO);
    check(U256::from(36), U256::ZERO);
    check(U256::from(37), U256::from(1));
    check(U256::from(38), U256::from(1));
    check(U256::from(34), U256::from(u64::MAX / 2));
    check(U256::ZERO, U256::from((u64::MAX - 34) / 2));
    check(U256::from(u64::MAX), U256::from((u64::MAX - 35) / 2));
    check(U256::from(1) << 64, (U256::from(1) << 63) - U256::from(18));
}

#[test]
fn real_era_d_output_is_written_again_byte_for_byte() {
    let Some(path) = shared("evm-server-20414765.json") else { return };
    let text = fs::read_to_string(path).unwrap();
    let published: Value = serde_json::from_str(&text).unwrap();
    let block = block(&published);
    let mut receipts = list(&published["Receipts"], receipt);
    for (index, receipt) in (0..).zip(&mut receipts) {
        receipt.transaction_index = index;
    }

    // The output drops the withdrawals, but not their root.
    let header = Header {
        withdrawals_root: block.header.withdrawals_root,
        ..(EvmServer::of(Era::D).manufactured_header)(&block)
    };
    let (document, manufactured) = write(Era::D, &block, header, &receipts, parse(&published["Hash"]));

    let logs = published["Receipts"].as_array().unwrap().iter().flat_map(|receipt| receipt["Logs"].as_array().unwrap());
    assert!(logs.clone().count() > 0);
    for log in logs {
        assert_eq!(parse::<B256>(&log["blockHash"]), manufactured.hash);
    }
    // The publisher of the file removed its indentation; no string in it holds a space or a newline.
    assert_eq!(document.replace(['\n', ' '], ""), text);
    // Every piece of the removed indentation is as Go would have put it.
    let indented = serde_json::to_string_pretty(&published).unwrap();
    let halved = indented.lines().map(|line| {
        let content = line.trim_start();
        format!("{:1$}{content}", "", (line.len() - content.len()) / 2)
    });
    assert_eq!(document, halved.collect::<Vec<_>>().join("\n"));
}

/// The path of a file of the network's, where they are at hand.
fn shared(name: &str) -> Option<PathBuf> {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let shared =
        std::env::var_os("REFINER_SHARED").map_or_else(|| PathBuf::from(workspace).join("../shared"), Into::into);
    let path = shared.join("specimens").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: ../shared/specimens not present");
    None
}

/// The block of an era D output, as far as the output tells.
fn block(published: &Value) -> Block {
    let header = &published["Header"];
    Block {
        kind: String::new(),
        network_id: number(&published["NetworkId"]),
        hash: B256::ZERO,
        total_difficulty: parse(&published["TotalDifficulty"]),
        header: Header {
            parent_hash: parse(&header["parentHash"]),
            ommers_hash: parse(&header["sha3Uncles"]),
            beneficiary: parse(&header["miner"]),
            state_root: parse(&header["stateRoot"]),
            receipts_root: parse(&header["receiptsRoot"]),
            logs_bloom: Bloom::from_slice(&list(&header["logsBloom"], |byte| u8::try_from(number(byte)).unwrap())),
            number: parse::<U256>(&header["number"]).to(),
            gas_limit: number(&header["gasLimit"]),
            timestamp: number(&header["timestamp"]),
            extra_data: base64(&header["extraData"]),
            mix_hash: parse(&header["mixHash"]),
            base_fee_per_gas: Some(parse::<U256>(&header["baseFeePerGas"]).to()),
            withdrawals_root: Some(parse(&header["withdrawalsRoot"])),
            blob_gas_used: Some(number(&header["blobGasUsed"])),
            excess_blob_gas: Some(number(&header["excessBlobGas"])),
            parent_beacon_block_root: Some(parse(&header["parentBeaconBlockRoot"])),
            ..Header::default()
        },
        transactions: list(&published["Transactions"], transaction),
        uncles: None,
        receipts: Vec::new(),
        senders: list(&published["Senders"], parse),
        state: Default::default(),
        withdrawals: None,
        blob_sidecars: Some(Vec::new()),
    }
}

fn transaction(published: &Value) -> Transaction {
    let optional = |key: &str| (!published[key].is_null()).then(|| parse::<U256>(&published[key]));
    let tx_type = u8::try_from(number(&published["type"])).unwrap();
    Transaction {
        tx_type,
        access_list: AccessList(list(&published["accessList"], |item| AccessListItem {
            address: parse(&item["address"]),
            storage_keys: list(&item["storageKeys"], parse),
        })),
        chain_id: if tx_type == 0 { 0 } else { parse::<U256>(&published["chainId"]).to() },
        nonce: number(&published["nonce"]),
        gas_price: parse::<U256>(&published["gasPrice"]).to(),
        gas_tip_cap: parse::<U256>(&published["gasTipCap"]).to(),
        gas_fee_cap: parse::<U256>(&published["gasFeeCap"]).to(),
        gas: number(&published["gas"]),
        to: (!published["to"].is_null()).then(|| parse(&published["to"])),
        v: optional("v"),
        r: optional("r"),
        s: optional("s"),
        value: parse(&published["value"]),
        input: base64(&published["input"]),
        blob_fee_cap: optional("blobFeeCap").map(|cap| cap.to()),
        blob_hashes: (!published["blobHashes"].is_null()).then(|| list(&published["blobHashes"], parse)),
        ..Transaction::default()
    }
}

fn receipt(published: &Value) -> ExecutedReceipt {
    let contract: Address = parse(&published["ContractAddress"]);
    let logs = list(&published["Logs"], |log| ExecutedLog {
        address: parse(&log["address"]),
        topics: list(&log["topics"], parse),
        data: base64(&log["data"]),
    });
    ExecutedReceipt {
        transaction_index: 0,
        transaction_hash: parse(&published["TxHash"]),
        tx_type: 0,
        success: true,
        post_state: None,
        gas_used: number(&published["GasUsed"]),
        cumulative_gas_used: number(&published["CumulativeGasUsed"]),
        effective_gas_price: U256::ZERO,
        contract_address: (!contract.is_zero()).then_some(contract),
        logs,
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &Value) -> T {
    text.as_str().unwrap().parse().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn list<T>(values: &Value, item: impl FnMut(&Value) -> T) -> Vec<T> {
    values.as_array().unwrap().iter().map(item).collect()
}

/// A byte slice; null is empty.
fn base64(text: &Value) -> alloy_primitives::Bytes {
    let text = text.as_str().unwrap_or_default();
    base64_simd::STANDARD.decode_to_vec(text).unwrap().into()
}
