//! The canonical block-result document, version 1. `schemas/block-result/canonical.schema.json` describes it.
//!
//! One line of JSON in Ethereum's RPC spelling: the block, its transactions, receipts and withdrawals, and how each
//! check came out. The bytes depend on the specimen and on nothing else.

use alloy_eips::{eip4844::DATA_GAS_PER_BLOB, eip4895::Withdrawal};
use alloy_primitives::{Address, B256, Bloom, U256};
use refiner_specimen::{
    Authorization, Block, Specimen, Transaction,
    check::{Check, Outcome},
};

use super::{header::write_header, json::Json};
use crate::{
    execution::ExecutedReceipt,
    rules::BlockRules,
    transaction::{ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, lacks_blob_hashes},
};

/// Version of the document; it changes when a reader of the old one would misread the new one.
const VERSION: u8 = 1;

/// Everything the document is written from.
pub(super) struct Document<'a> {
    pub(super) specimen: &'a Specimen,
    pub(super) rules: &'a BlockRules,
    /// One a transaction.
    pub(super) receipts: &'a [ExecutedReceipt],
    /// One a receipt.
    pub(super) blooms: &'a [Bloom],
    pub(super) checks: &'a [Check],
}

/// Typical size of what surrounds a transaction's input and receipt, and of a log without its data; a good guess only
/// saves copies.
const TRANSACTION_BYTES: usize = 2_000;
const LOG_BYTES: usize = 800;
const HEADER_BYTES: usize = 4_000;

impl Document<'_> {
    /// The document's bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut json = Json::with_capacity(self.size_hint());
        json.object(|json| {
            json.key("type").text("block-result");
            json.key("version").number(VERSION);
            json.key("chainId").quantity(self.rules.chain_id);
            json.key("codec").text(self.specimen.layout.as_str());
            json.key("block").object(|json| self.block(json));
            let transactions = self.block_data().transactions.iter().zip(&self.block_data().senders);
            json.key("transactions").array(
                transactions.zip(self.receipts),
                |json, ((transaction, sender), receipt)| {
                    json.object(|json| self.transaction(json, transaction, *sender, receipt));
                },
            );
            let mut log_index = 0;
            let receipts = self.receipts.iter().zip(self.blooms);
            json.key("receipts").array(receipts, |json, (receipt, bloom)| {
                json.object(|json| self.receipt(json, receipt, bloom, &mut log_index));
            });
            self.withdrawals(json);
            json.key("checks").object(|json| {
                for check in self.checks {
                    json.key(check.name.as_str()).text(outcome(&check.outcome));
                }
            });
        });
        json.into_bytes()
    }

    const fn block_data(&self) -> &Block {
        &self.specimen.block
    }

    fn size_hint(&self) -> usize {
        let inputs = self.block_data().transactions.iter().map(|transaction| 2 * transaction.input.len());
        let logs = self.receipts.iter().flat_map(|receipt| &receipt.logs).map(|log| LOG_BYTES + 2 * log.data.len());
        HEADER_BYTES + TRANSACTION_BYTES * self.receipts.len() + inputs.sum::<usize>() + logs.sum::<usize>()
    }

    fn block(&self, json: &mut Json) {
        let Block { header, hash, uncles, .. } = self.block_data();
        json.key("number").quantity(header.number);
        json.key("hash").data(hash);
        write_header(json, header);
        json.key("uncles").array(uncles.iter().flatten(), |json, uncle| json.data(uncle.hash_slow()));
    }

    /// `eth_getTransaction…`, without what the receipt says again.
    fn transaction(&self, json: &mut Json, transaction: &Transaction, sender: Address, receipt: &ExecutedReceipt) {
        let tx_type = transaction.tx_type;
        json.key("type").quantity(tx_type.into());
        json.key("hash");
        hash(json, self.hash(receipt));
        json.key("transactionIndex").quantity(receipt.transaction_index.into());
        json.key("from").data(sender);
        json.key("to");
        address(json, transaction.to);
        json.key("nonce").quantity(transaction.nonce);
        json.key("value").big_quantity(transaction.value);
        json.key("gas").quantity(transaction.gas);
        json.key("gasPrice").big_quantity(receipt.effective_gas_price);
        if tx_type >= DYNAMIC_FEE {
            json.key("maxFeePerGas").big_quantity(U256::from(transaction.gas_fee_cap));
            json.key("maxPriorityFeePerGas").big_quantity(U256::from(transaction.gas_tip_cap));
        }
        if let (BLOB, Some(hashes)) = (tx_type, &transaction.blob_hashes) {
            let fee_cap = transaction.blob_fee_cap.unwrap_or_default();
            json.key("maxFeePerBlobGas").big_quantity(U256::from(fee_cap));
            json.key("blobVersionedHashes").array(hashes, Json::data);
        }
        if tx_type >= ACCESS_LIST {
            json.key("accessList").array(&transaction.access_list.0, |json, item| {
                json.object(|json| {
                    json.key("address").data(item.address);
                    json.key("storageKeys").array(&item.storage_keys, Json::data);
                });
            });
        }
        if tx_type == SET_CODE {
            let authorizations = transaction.authorization_list.iter().flatten();
            json.key("authorizationList").array(authorizations, authorization);
        }
        if let Some(chain_id) = chain_id(transaction) {
            json.key("chainId").big_quantity(chain_id);
        }
        json.key("input").data(&transaction.input);
        let v = transaction.v.unwrap_or_default();
        json.key("v").big_quantity(v);
        json.key("r").big_quantity(transaction.r.unwrap_or_default());
        json.key("s").big_quantity(transaction.s.unwrap_or_default());
        if tx_type >= ACCESS_LIST {
            json.key("yParity").big_quantity(v);
        }
    }

    /// `eth_getTransactionReceipt`.
    fn receipt(&self, json: &mut Json, receipt: &ExecutedReceipt, bloom: &Bloom, log_index: &mut u64) {
        let Block { hash: block_hash, header, transactions, senders, .. } = self.block_data();
        let index = receipt.transaction_index as usize;
        let transaction_hash = self.hash(receipt);
        json.key("type").quantity(receipt.tx_type.into());
        json.key("transactionHash");
        hash(json, transaction_hash);
        json.key("transactionIndex").quantity(receipt.transaction_index.into());
        json.key("blockHash").data(block_hash);
        json.key("blockNumber").quantity(header.number);
        json.key("from").data(senders[index]);
        json.key("to");
        address(json, transactions[index].to);
        json.key("status").quantity(receipt.success.into());
        json.key("cumulativeGasUsed").quantity(receipt.cumulative_gas_used);
        json.key("gasUsed").quantity(receipt.gas_used);
        json.key("effectiveGasPrice").big_quantity(receipt.effective_gas_price);
        if let Some(blob_gas) = self.blob_gas(&transactions[index]) {
            json.key("blobGasUsed").quantity(blob_gas);
            json.key("blobGasPrice").big_quantity(U256::from(self.blob_price()));
        }
        json.key("contractAddress");
        address(json, receipt.contract_address);
        json.key("logsBloom").data(bloom);
        json.key("logs").array(&receipt.logs, |json, log| {
            json.object(|json| {
                json.key("address").data(log.address);
                json.key("topics").array(&log.topics, Json::data);
                json.key("data").data(&log.data);
                json.key("blockNumber").quantity(header.number);
                json.key("transactionHash");
                hash(json, transaction_hash);
                json.key("transactionIndex").quantity(receipt.transaction_index.into());
                json.key("blockHash").data(block_hash);
                json.key("logIndex").quantity(*log_index);
                json.key("removed").boolean(false);
            });
            *log_index += 1;
        });
    }

    fn withdrawals(&self, json: &mut Json) {
        if !self.rules.withdrawals {
            return;
        }
        match &self.block_data().withdrawals {
            Some(withdrawals) => json.key("withdrawals").array(withdrawals, withdrawal),
            None => json.key("withdrawals").null(),
        }
    }

    /// `None` where the layout dropped what the hash is made from and the producer states none.
    fn hash(&self, receipt: &ExecutedReceipt) -> Option<B256> {
        let Block { transactions, receipts, .. } = self.block_data();
        let index = receipt.transaction_index as usize;
        let stated = receipts.get(index).is_some_and(|producer| !producer.tx_hash.is_zero());
        (stated || !lacks_blob_hashes(&transactions[index])).then_some(receipt.transaction_hash)
    }

    /// `None` also for a blob transaction without its hashes, unless the block's blobs can only be its own.
    fn blob_gas(&self, transaction: &Transaction) -> Option<u64> {
        if transaction.tx_type != BLOB {
            return None;
        }
        let Some(hashes) = &transaction.blob_hashes else {
            let mut blobs = self.block_data().transactions.iter().filter(|other| other.tx_type == BLOB);
            return if blobs.nth(1).is_none() { self.block_data().header.blob_gas_used } else { None };
        };
        Some(DATA_GAS_PER_BLOB * hashes.len() as u64)
    }

    fn blob_price(&self) -> u128 {
        let excess = self.block_data().header.excess_blob_gas.unwrap_or_default();
        self.rules.blobs.map_or(0, |params| params.calc_blob_fee(excess))
    }
}

fn authorization(json: &mut Json, signed: &Authorization) {
    json.object(|json| {
        json.key("chainId").big_quantity(signed.chain_id);
        json.key("address").data(signed.address);
        json.key("nonce").quantity(signed.nonce);
        json.key("yParity").big_quantity(signed.y_parity);
        json.key("r").big_quantity(signed.r);
        json.key("s").big_quantity(signed.s);
    });
}

fn withdrawal(json: &mut Json, withdrawal: &Withdrawal) {
    json.object(|json| {
        json.key("index").quantity(withdrawal.index);
        json.key("validatorIndex").quantity(withdrawal.validator_index);
        json.key("address").data(withdrawal.address);
        json.key("amount").quantity(withdrawal.amount);
    });
}

/// EIP-155: a legacy transaction carries its chain id in v, or none.
fn chain_id(transaction: &Transaction) -> Option<U256> {
    if transaction.tx_type != LEGACY {
        return Some(U256::from(transaction.chain_id));
    }
    let doubled = transaction.v.unwrap_or_default().checked_sub(U256::from(35))?;
    Some(doubled >> 1)
}

fn address(json: &mut Json, address: Option<Address>) {
    match address {
        Some(address) => json.data(address),
        None => json.null(),
    }
}

fn hash(json: &mut Json, hash: Option<B256>) {
    match hash {
        Some(hash) => json.data(hash),
        None => json.null(),
    }
}

const fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed { .. } => "failed",
        Outcome::NotApplicable(_) => "notApplicable",
        Outcome::NotCheckable(_) => "notCheckable",
    }
}
