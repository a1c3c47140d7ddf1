//! A specimen of a node's block.

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::Header;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, KECCAK256_EMPTY, U256, keccak256};
use refiner_specimen::{
    AccountRead, Block, CodeRead, Layout, Log, Receipt, Specimen, StateReads, StorageRead, Transaction,
};
use refiner_testchain::Anvil;
use serde_json::{Value, json};

/// Parses a value that a node writes as text.
pub fn parsed<T: std::str::FromStr>(value: &Value) -> T
where
    T::Err: std::fmt::Debug,
{
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).parse().unwrap()
}

pub fn number(value: &Value) -> u64 {
    u64::try_from(parsed::<U256>(value)).unwrap()
}

fn wide(value: &Value) -> u128 {
    u128::try_from(parsed::<U256>(value)).unwrap()
}

/// A field that a node may leave out.
fn optional<T>(value: &Value, read: impl FnOnce(&Value) -> T) -> Option<T> {
    (!value.is_null()).then(|| read(value))
}

/// The specimen of a block: its places of state are those that the tracers name, with their values of the parent block.
pub async fn specimen(anvil: &Anvil, block: &Value, before: &Value, changes: &Value, chain_id: u64) -> Specimen {
    let hash: B256 = parsed(&block["hash"]);
    let header = header(block);
    assert_eq!(header.hash_slow(), hash, "{block}");
    let receipts = anvil.rpc("eth_getBlockReceipts", json!([block["number"]])).await.unwrap();
    let transactions = block["transactions"].as_array().unwrap();
    let number = header.number;
    Specimen {
        layout: Layout::V0_36,
        stated_codec_version: 0.36,
        start_block: number,
        end_block: number,
        elements: 1,
        event_hash: hash,
        block: Block {
            kind: "block-replica".to_owned(),
            network_id: chain_id,
            hash,
            total_difficulty: U256::ZERO,
            transactions: transactions.iter().map(transaction).collect(),
            uncles: None,
            receipts: receipts.as_array().unwrap().iter().map(receipt).collect(),
            senders: transactions.iter().map(|transaction| parsed(&transaction["from"])).collect(),
            state: state(anvil, &places(&[before, changes]), number - 1).await,
            withdrawals: Some(Vec::new()),
            blob_sidecars: None,
            header,
        },
    }
}

fn header(block: &Value) -> Header {
    Header {
        parent_hash: parsed(&block["parentHash"]),
        ommers_hash: parsed(&block["sha3Uncles"]),
        beneficiary: parsed(&block["miner"]),
        state_root: parsed(&block["stateRoot"]),
        transactions_root: parsed(&block["transactionsRoot"]),
        receipts_root: parsed(&block["receiptsRoot"]),
        logs_bloom: parsed::<Bloom>(&block["logsBloom"]),
        difficulty: parsed(&block["difficulty"]),
        number: number(&block["number"]),
        gas_limit: number(&block["gasLimit"]),
        gas_used: number(&block["gasUsed"]),
        timestamp: number(&block["timestamp"]),
        extra_data: parsed(&block["extraData"]),
        mix_hash: parsed(&block["mixHash"]),
        nonce: parsed::<B64>(&block["nonce"]),
        base_fee_per_gas: optional(&block["baseFeePerGas"], number),
        withdrawals_root: optional(&block["withdrawalsRoot"], parsed),
        blob_gas_used: optional(&block["blobGasUsed"], number),
        excess_blob_gas: optional(&block["excessBlobGas"], number),
        parent_beacon_block_root: optional(&block["parentBeaconBlockRoot"], parsed),
        requests_hash: optional(&block["requestsHash"], parsed),
        ..Header::default()
    }
}

fn access_list(sent: &Value) -> AccessList {
    let item = |item: &Value| AccessListItem {
        address: parsed(&item["address"]),
        storage_keys: item["storageKeys"].as_array().unwrap().iter().map(parsed).collect(),
    };
    AccessList(sent.as_array().into_iter().flatten().map(item).collect())
}

fn transaction(sent: &Value) -> Transaction {
    let tx_type = u8::try_from(number(&sent["type"])).unwrap();
    let price = wide(&sent["gasPrice"]);
    let cap = |name: &str| optional(&sent[name], wide).unwrap_or(price);
    let v: U256 = parsed(if sent["v"].is_null() { &sent["yParity"] } else { &sent["v"] });
    Transaction {
        tx_type,
        access_list: access_list(&sent["accessList"]),
        chain_id: optional(&sent["chainId"], number).unwrap_or_default(),
        nonce: number(&sent["nonce"]),
        gas_price: price,
        gas_tip_cap: cap("maxPriorityFeePerGas"),
        gas_fee_cap: cap("maxFeePerGas"),
        gas: number(&sent["gas"]),
        from: Some(parsed(&sent["from"])),
        to: optional(&sent["to"], parsed),
        v: (!v.is_zero()).then_some(v),
        r: Some(parsed(&sent["r"])),
        s: Some(parsed(&sent["s"])),
        value: parsed(&sent["value"]),
        input: parsed(&sent["input"]),
        ..Transaction::default()
    }
}

fn receipt(receipt: &Value) -> Receipt {
    let log = |log: &Value| Log {
        address: parsed(&log["address"]),
        topics: log["topics"].as_array().unwrap().iter().map(parsed).collect(),
        data: parsed(&log["data"]),
        block_number: 0,
        transaction_hash: B256::ZERO,
        transaction_index: 0,
        block_hash: B256::ZERO,
        log_index: 0,
        removed: false,
    };
    let succeeded = receipt["status"] == "0x1";
    Receipt {
        post_state_or_status: if succeeded { Bytes::from_static(&[1]) } else { Bytes::new() },
        cumulative_gas_used: number(&receipt["cumulativeGasUsed"]),
        tx_hash: B256::ZERO,
        contract_address: Address::ZERO,
        logs: receipt["logs"].as_array().unwrap().iter().map(log).collect(),
        gas_used: 0,
    }
}

/// Every account and slot that the answers of tracers name.
fn places(answers: &[&Value]) -> BTreeMap<Address, BTreeSet<B256>> {
    let mut places: BTreeMap<Address, BTreeSet<B256>> = BTreeMap::new();
    for result in answers.iter().flat_map(|answer| answer.as_array().unwrap()).map(|item| &item["result"]) {
        let sides = if result["pre"].is_object() { vec![&result["pre"], &result["post"]] } else { vec![result] };
        for (address, account) in sides.into_iter().filter_map(Value::as_object).flatten() {
            let slots = account["storage"].as_object().into_iter().flatten();
            places
                .entry(address.parse().unwrap())
                .or_default()
                .extend(slots.map(|(slot, _)| slot.parse::<B256>().unwrap()));
        }
    }
    places
}

async fn state(anvil: &Anvil, places: &BTreeMap<Address, BTreeSet<B256>>, parent: u64) -> StateReads {
    let (mut accounts, mut storage, mut codes) = (Vec::new(), Vec::new(), BTreeMap::new());
    let parent = format!("{parent:#x}");
    for (address, slots) in places {
        let ask = |method| anvil.rpc(method, json!([address, parent]));
        let balance: U256 = parsed(&ask("eth_getBalance").await.unwrap());
        let nonce = number(&ask("eth_getTransactionCount").await.unwrap());
        let code: Bytes = parsed(&ask("eth_getCode").await.unwrap());
        let code_hash = if code.is_empty() { KECCAK256_EMPTY } else { keccak256(&code) };
        if !balance.is_zero() || nonce != 0 || !code.is_empty() {
            accounts.push(AccountRead { address: *address, nonce, balance, code_hash });
        }
        if !code.is_empty() {
            codes.insert(code_hash, code);
        }
        for slot in slots {
            let value = anvil.rpc("eth_getStorageAt", json!([address, slot, parent])).await.unwrap();
            storage.push(StorageRead { account: *address, slot: *slot, value: parsed(&value) });
        }
    }
    let codes: Vec<CodeRead> = codes.into_iter().map(|(hash, code)| CodeRead { hash, code }).collect();
    StateReads { accounts, storage, codes: codes.into(), block_hashes: Vec::new() }
}
