//! The block result as the evm-server wrote it: key order and the spelling of every value.

use std::borrow::Cow;

use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::{Address, B256, U256, map::B256Map};
use refiner_specimen::{BlobSidecar, Block, Transaction};

use super::{
    era::{EvmServer, PrintedHeader},
    go_json::GoJson,
    synthetic_header::SyntheticHeader,
};
use crate::{
    execution::{ExecutedLog, ExecutedReceipt},
    meter::{BudgetExceeded, LogCost, RepeatedLogs},
};

/// The parts that one document is written from.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// The server that writes it.
    pub(super) server: &'static EvmServer,
    /// The block of the specimen.
    pub(super) block: &'a Block,
    /// The transactions as the server took them.
    pub(super) transactions: &'a [Cow<'a, Transaction>],
    /// The block that the server manufactured.
    pub(super) manufactured: &'a SyntheticHeader,
    /// The receipts of the transactions that were not rejected, in block order.
    pub(super) receipts: &'a [ExecutedReceipt],
    /// Root of the partial state after the block.
    pub(super) state_root: B256,
    /// Logs before those of the first transaction.
    pub(super) opening_logs: u64,
}

/// Bytes of the document apart from transactions and receipts; the bloom's 256 lines are half of them.
const HEADER_BYTES: usize = 6 << 10;
/// Bytes of a transaction apart from its input and access list.
const TRANSACTION_BYTES: usize = 1 << 10;
/// Bytes of an access list's address or storage key.
const ACCESS_BYTES: usize = 112;
/// Bytes of a receipt apart from its logs.
const RECEIPT_BYTES: usize = 384;
/// Bytes of a log apart from its data and topics.
const LOG_BYTES: usize = 448;
/// Bytes of a topic.
const TOPIC_BYTES: usize = 80;

impl Document<'_> {
    /// Bytes of the document.
    ///
    /// # Errors
    /// [`BudgetExceeded::TooLarge`] when the receipts of repeated transactions have too many logs.
    pub(super) fn write(&self, repeated: RepeatedLogs<'_>) -> Result<Vec<u8>, BudgetExceeded> {
        let hashes = &self.manufactured.transaction_hashes;
        let logs = IndexedLogs::of(self.receipts, hashes, self.opening_logs, repeated)?;
        let mut json = GoJson::with_capacity(self.size_estimate(&logs));
        json.object(|json| self.top_level(json, &logs));
        Ok(json.into_bytes())
    }

    /// Near the final size, so that the document is seldom moved while it grows.
    fn size_estimate(&self, logs: &IndexedLogs<'_>) -> usize {
        let base64 = |bytes: usize| bytes / 3 * 4 + 4;
        let transactions = self.transactions.iter().map(|tx| {
            let accessed = tx.access_list.iter().map(|item| 1 + item.storage_keys.len());
            TRANSACTION_BYTES + base64(tx.input.len()) + accessed.sum::<usize>() * ACCESS_BYTES
        });
        let logs = logs
            .0
            .iter()
            .flatten()
            .map(|IndexedLog { log, .. }| LOG_BYTES + log.topics.len() * TOPIC_BYTES + base64(log.data.len()));
        HEADER_BYTES + transactions.sum::<usize>() + self.receipts.len() * RECEIPT_BYTES + logs.sum::<usize>()
    }

    fn top_level(&self, json: &mut GoJson, logs: &IndexedLogs<'_>) {
        let block = self.block;
        json.field("Type").text("block-result");
        json.field("NetworkId").number(block.network_id);
        json.field("Hash").hex(self.state_root);
        json.field("TotalDifficulty").big_int(block.total_difficulty);
        let printed = (self.server.printed_header)(block, self.manufactured);
        header(json.field("Header"), &printed);
        let transactions = self.transactions.iter().zip(&block.senders);
        json.field("Transactions");
        if self.transactions.is_empty() {
            // The server appended to a nil slice.
            json.null();
        } else {
            json.array(transactions, |json, (transaction, sender)| self.transaction(json, transaction, *sender));
        }
        let uncles = block.uncles.as_ref().filter(|uncles| !uncles.is_empty());
        json.field("uncles").or_null(uncles, |json, uncles| {
            json.array(uncles, |json, uncle| header(json, &PrintedHeader::of_uncle(uncle, &printed)));
        });
        let receipts = self.receipts.iter().zip(&logs.0);
        json.field("Receipts").array(receipts, |json, (receipt, logs)| self.receipt(json, receipt, logs));
        json.field("Senders").array(&block.senders, GoJson::hex);
        json.field("State").null();
        if self.server.has_withdrawals {
            json.field("Withdrawals").null();
        }
        if self.server.has_blobs {
            json.field("BlobTxSidecars")
                .or_null(block.blob_sidecars.as_ref(), |json, sidecars| json.array(sidecars, blob_sidecar));
        }
        if self.server.has_requests {
            json.field("RequestsHash").null();
        }
    }

    fn transaction(&self, json: &mut GoJson, transaction: &Transaction, sender: Address) {
        let tx = transaction;
        let (chain_id, gas_price, gas_tip_cap, gas_fee_cap) = match tx.tx_type {
            0 => (derived_chain_id(tx.v.unwrap_or_default()), tx.gas_price, tx.gas_price, tx.gas_price),
            1 => (U256::from(tx.chain_id), tx.gas_price, tx.gas_price, tx.gas_price),
            _ => (U256::from(tx.chain_id), tx.gas_tip_cap, tx.gas_tip_cap, tx.gas_fee_cap),
        };
        json.object(|json| {
            json.field("type").number(tx.tx_type.into());
            let access_list = if tx.tx_type == 0 { &[] } else { tx.access_list.0.as_slice() };
            json.field("accessList").array(access_list, |json, item| {
                json.object(|json| {
                    json.field("address").hex(item.address);
                    json.field("storageKeys").array(&item.storage_keys, GoJson::hex);
                });
            });
            json.field("chainId").big_int(chain_id);
            json.field("nonce").number(tx.nonce);
            json.field("gasPrice").big_int(U256::from(gas_price));
            json.field("gas").number(tx.gas);
            json.field("gasTipCap").big_int(U256::from(gas_tip_cap));
            json.field("gasFeeCap").big_int(U256::from(gas_fee_cap));
            json.field("from").hex(sender);
            json.field("to").or_null(tx.to, GoJson::hex);
            json.field("value").big_int(tx.value);
            json.field("input").base64(&tx.input);
            for (key, part) in [("v", tx.v), ("r", tx.r), ("s", tx.s)] {
                let printed = self.server.prints_signatures.then(|| part.unwrap_or_default());
                json.field(key).or_null(printed, GoJson::big_int);
            }
            if self.server.has_blobs {
                blob_fields(json, tx);
            }
            if self.server.has_requests {
                json.field("Data").null();
                json.field("AuthList").null();
            }
        });
    }

    fn receipt(&self, json: &mut GoJson, receipt: &ExecutedReceipt, logs: &[IndexedLog<'_>]) {
        let position = receipt.transaction_index as usize;
        let transaction_hash = self.manufactured.transaction_hashes[position];
        json.object(|json| {
            json.field("PostStateOrStatus").null();
            json.field("CumulativeGasUsed").number(receipt.cumulative_gas_used);
            json.field("TxHash").hex(transaction_hash);
            json.field("ContractAddress").hex(receipt.contract_address.unwrap_or_default());
            json.field("Logs").array(logs, |json, log| self.log(json, log, transaction_hash));
            json.field("GasUsed").number(receipt.gas_used);
        });
    }

    fn log(&self, json: &mut GoJson, indexed: &IndexedLog<'_>, transaction_hash: B256) {
        let log = indexed.log;
        json.object(|json| {
            json.field("address").hex(log.address);
            json.field("topics").array(&log.topics, GoJson::hex);
            json.field("data").or_null((!log.data.is_empty()).then_some(&log.data), |json, data| json.base64(data));
            json.field("blockNumber").number(self.block.header.number);
            json.field("transactionHash").hex(transaction_hash);
            json.field("transactionIndex").number(indexed.transaction.into());
            json.field("blockHash").hex(self.manufactured.hash);
            json.field("logIndex").number(indexed.index);
            json.field("removed").boolean(false);
        });
    }
}

/// A log with its place in the block.
#[derive(Clone, Copy, Debug)]
struct IndexedLog<'a> {
    log: &'a ExecutedLog,
    transaction: u32,
    index: u64,
}

/// The logs of each receipt. The server kept logs by the hash of their transaction, so the receipt of one that repeats an
/// earlier one has the logs of both: of many that are alike, the number of logs grows with the square of theirs.
struct IndexedLogs<'a>(Vec<Vec<IndexedLog<'a>>>);

impl<'a> IndexedLogs<'a> {
    fn of(
        receipts: &'a [ExecutedReceipt],
        hashes: &[B256],
        opening_logs: u64,
        mut repeated: RepeatedLogs<'_>,
    ) -> Result<Self, BudgetExceeded> {
        let mut index = opening_logs;
        let mut all: Vec<Vec<IndexedLog<'a>>> = Vec::with_capacity(receipts.len());
        let mut costs: Vec<LogCost> = Vec::with_capacity(receipts.len());
        let mut last = B256Map::with_capacity_and_hasher(receipts.len(), Default::default());
        for (position, receipt) in receipts.iter().enumerate() {
            let transaction = receipt.transaction_index;
            let before = last.insert(hashes[transaction as usize], position);
            let (mut cost, mut logs) = (LogCost::default(), Vec::new());
            if let Some(before) = before {
                cost = costs[before];
                repeated.count(cost)?;
                logs.clone_from(&all[before]);
            }
            for log in &receipt.logs {
                cost = cost.and(log);
                logs.push(IndexedLog { log, transaction, index });
                index += 1;
            }
            all.push(logs);
            costs.push(cost);
        }
        Ok(Self(all))
    }
}

/// The server executed nothing yet when it copied the header, hence no gas; its nonce was always zero.
fn header(json: &mut GoJson, header: &PrintedHeader<'_>) {
    json.object(|json| {
        json.field("parentHash").hex(header.parent_hash);
        json.field("sha3Uncles").hex(header.ommers_hash);
        json.field("miner").hex(header.beneficiary);
        json.field("stateRoot").hex(header.state_root);
        json.field("transactionsRoot").hex(header.transactions_root);
        json.field("receiptsRoot").hex(header.receipts_root);
        json.field("logsBloom").byte_array(header.logs_bloom.as_slice());
        big_int_or_nil(json.field("difficulty"), header.difficulty);
        json.field("number").big_int(U256::from(header.number));
        json.field("gasLimit").number(header.gas_limit);
        json.field("gasUsed").number(0);
        json.field("timestamp").number(header.timestamp);
        json.field("extraData").or_null(header.extra_data, GoJson::base64);
        json.field("mixHash").hex(header.mix_hash);
        json.field("nonce").byte_array(&[0; 8]);
        big_int_or_nil(json.field("baseFeePerGas"), header.base_fee.map(U256::from));
        if let Some(root) = header.withdrawals_root {
            json.field("withdrawalsRoot").or_null(root, GoJson::hex);
        }
        if let Some(cancun) = &header.cancun {
            json.field("blobGasUsed").or_null(cancun.blob_gas_used, GoJson::number);
            json.field("excessBlobGas").or_null(cancun.excess_blob_gas, GoJson::number);
            json.field("parentBeaconBlockRoot").or_null(cancun.parent_beacon_block_root, GoJson::hex);
        }
        if let Some(hash) = header.requests_hash {
            json.field("requestsHash").or_null(hash, GoJson::hex);
        }
    });
}

/// Go's text of a pointer to a big integer, which can be nil.
fn big_int_or_nil(json: &mut GoJson, value: Option<U256>) {
    match value {
        Some(value) => json.big_int(value),
        None => json.text("0x<nil>"),
    }
}

fn blob_fields(json: &mut GoJson, transaction: &Transaction) {
    let is_blob = transaction.tx_type == 3;
    let hashes = transaction.blob_hashes.as_deref().filter(|_| is_blob);
    json.field("blobFeeCap").or_null(transaction.blob_fee_cap.filter(|_| is_blob).map(U256::from), GoJson::big_int);
    json.field("blobHashes").or_null(hashes, |json, hashes| json.array(hashes, GoJson::hex));
    json.field("blobGas").number(hashes.map_or(0, |hashes| hashes.len() as u64 * DATA_GAS_PER_BLOB));
}

fn blob_sidecar(json: &mut GoJson, sidecar: &BlobSidecar) {
    json.object(|json| {
        json.field("Blobs").array(&sidecar.blobs, GoJson::hex);
        json.field("Commitments").array(&sidecar.commitments, GoJson::hex);
        json.field("Proofs").array(&sidecar.proofs, GoJson::hex);
    });
}

/// The chain id in v, by EIP-155; 0 for a signature that protects no chain.
///
/// The server computed in 64 bits and wrapped below 35, so a v that no signature has gives a number that no chain has.
fn derived_chain_id(v: U256) -> U256 {
    match u64::try_from(v) {
        Ok(27 | 28) => U256::ZERO,
        Ok(v) => U256::from(v.wrapping_sub(35) / 2),
        Err(_) => (v - U256::from(35)) >> 1,
    }
}

#[cfg(test)]
mod tests;
