//! The canonical block-result document, version 2. `schemas/block-result/canonical.schema.json` describes it.
//!
//! One line of JSON in Ethereum's RPC spelling: the block, its transactions, receipts and withdrawals, and the outcome of each
//! check. A value that no check covers is null, and its pointer stands in `unproven`. The bytes depend on the specimen and on the
//! terms of execution, and on nothing else.

use alloy_eips::{eip4844::DATA_GAS_PER_BLOB, eip4895::Withdrawal};
use alloy_primitives::{Address, Bloom, U256};
use refiner_specimen::{
    Authorization, Block, Specimen, Transaction,
    check::{Check, Outcome},
};

use super::{
    context::Canonical,
    header::write_header,
    json::{Item, Json},
    supplied::write_supplied,
};
use crate::{
    execution::{ExecutedReceipt, Execution},
    policy::SenderPolicy,
    transaction::{ACCESS_LIST, BLOB, DYNAMIC_FEE, SET_CODE},
};

/// Version of the document; it changes when a reader of the old one would misread the new one.
const VERSION: u8 = 2;

/// Everything the document is written from.
pub(super) struct Document<'a> {
    pub(super) specimen: &'a Specimen,
    pub(super) canonical: &'a Canonical,
    /// Its receipts are one a transaction.
    pub(super) execution: &'a Execution,
    pub(super) checks: &'a [&'a Check],
    pub(super) senders: SenderPolicy,
}

/// Typical size of what surrounds a transaction's input and receipt, and of a log without its data; a good guess only
/// saves copies.
const TRANSACTION_BYTES: usize = 2_000;
const LOG_BYTES: usize = 800;
const HEADER_BYTES: usize = 4_000;

impl Canonical {
    /// The document's bytes, and the pointers of the values in it that no check covers.
    pub(crate) fn write(
        &self,
        specimen: &Specimen,
        execution: &Execution,
        checks: &[&Check],
        senders: SenderPolicy,
    ) -> (Vec<u8>, Vec<String>) {
        Document { specimen, canonical: self, execution, checks, senders }.write()
    }
}

impl Document<'_> {
    /// The document's bytes, and the pointers that stand in its `unproven`.
    pub(super) fn write(&self) -> (Vec<u8>, Vec<String>) {
        let mut unproven = Vec::new();
        let mut json = Json::with_capacity(self.size_hint());
        json.object(|json| {
            json.key("type").text("block-result");
            json.key("version").number(VERSION);
            json.key("chainId").quantity(self.canonical.chain_id);
            json.key("codec").text(self.specimen.layout.as_str());
            json.key("basis").text(self.execution.basis.as_str());
            json.key("block").object(|json| self.block(json));
            let transactions = self.block_data().transactions.iter().zip(&self.block_data().senders);
            json.key("transactions").array(
                transactions.zip(&self.execution.receipts),
                |json, ((transaction, sender), receipt)| {
                    json.object(|json| self.transaction(json, transaction, *sender, receipt));
                },
            );
            let mut log_index = 0;
            let receipts = self.execution.receipts.iter().zip(&self.canonical.blooms);
            json.key("receipts").array(receipts, |json, (receipt, bloom)| {
                json.object(|json| self.receipt(json, receipt, bloom, &mut log_index));
            });
            self.withdrawals(json);
            json.key("checks").object(|json| {
                for check in self.checks {
                    json.key(check.name.as_str()).text(outcome(&check.outcome));
                }
            });
            json.key("supplied").array(&self.execution.supplied, write_supplied);
            unproven = json.take_unproven();
            json.key("unproven").array(&unproven, |json, pointer| json.text(pointer));
        });
        (json.into_bytes(), unproven)
    }

    const fn block_data(&self) -> &Block {
        &self.specimen.block
    }

    fn size_hint(&self) -> usize {
        let inputs = self.block_data().transactions.iter().map(|transaction| 2 * transaction.input.len());
        let logs =
            self.execution.receipts.iter().flat_map(|receipt| &receipt.logs).map(|log| LOG_BYTES + 2 * log.data.len());
        HEADER_BYTES + TRANSACTION_BYTES * self.execution.receipts.len() + inputs.sum::<usize>() + logs.sum::<usize>()
    }

    fn block(&self, json: &mut Json) {
        let Block { header, hash, uncles, .. } = self.block_data();
        json.key("number").quantity(header.number);
        json.key("hash").data(hash);
        write_header(json, header);
        json.key("uncles").array(uncles.iter().flatten(), |json, uncle| json.data(uncle.hash_slow()));
    }

    /// True when root or signature covers a transaction's fields. The receipt covers its type as well.
    fn covers(&self, transaction: &Transaction) -> bool {
        transaction.dropped(self.specimen.layout).is_none()
    }

    /// `eth_getTransaction…`, without what the receipt repeats.
    fn transaction(&self, json: &mut Json, transaction: &Transaction, sender: Address, receipt: &ExecutedReceipt) {
        let tx_type = transaction.tx_type;
        let at = Item { list: "transactions", index: receipt.transaction_index as usize };
        let covered = self.covers(transaction);
        let big = |number: u128| U256::from(number);
        json.key("type").quantity(tx_type.into());
        json.value(at, "hash", covered, |json| json.data(receipt.transaction_hash));
        json.key("transactionIndex").quantity(receipt.transaction_index.into());
        self.sender(json, at, covered, sender);
        json.value(at, "to", covered, |json| address(json, transaction.to));
        json.value(at, "nonce", covered, |json| json.quantity(transaction.nonce));
        json.value(at, "value", covered, |json| json.big_quantity(transaction.value));
        json.value(at, "gas", covered, |json| json.quantity(transaction.gas));
        json.value(at, "gasPrice", covered, |json| json.big_quantity(receipt.effective_gas_price));
        if tx_type >= DYNAMIC_FEE {
            json.value(at, "maxFeePerGas", covered, |json| json.big_quantity(big(transaction.gas_fee_cap)));
            json.value(at, "maxPriorityFeePerGas", covered, |json| json.big_quantity(big(transaction.gas_tip_cap)));
        }
        if tx_type == BLOB {
            let fee_cap = transaction.blob_fee_cap.unwrap_or_default();
            json.value(at, "maxFeePerBlobGas", covered, |json| json.big_quantity(big(fee_cap)));
            json.value(at, "blobVersionedHashes", covered, |json| {
                json.array(transaction.blob_hashes.iter().flatten(), Json::data);
            });
        }
        if tx_type >= ACCESS_LIST {
            json.value(at, "accessList", covered, |json| access_list(json, transaction));
        }
        if tx_type == SET_CODE {
            json.value(at, "authorizationList", covered, |json| {
                json.array(transaction.authorization_list.iter().flatten(), authorization);
            });
        }
        // A legacy transaction of any chain has none, and where the signature was dropped that is not known.
        if let Some(chain_id) = transaction.signed_chain_id().filter(|_| covered) {
            json.key("chainId").big_quantity(chain_id);
        } else if !covered {
            json.value(at, "chainId", false, Json::null);
        }
        json.value(at, "input", covered, |json| json.data(&transaction.input));
        let v = transaction.v.unwrap_or_default();
        json.value(at, "v", covered, |json| json.big_quantity(v));
        json.value(at, "r", covered, |json| json.big_quantity(transaction.r.unwrap_or_default()));
        json.value(at, "s", covered, |json| json.big_quantity(transaction.s.unwrap_or_default()));
        if tx_type >= ACCESS_LIST {
            json.value(at, "yParity", covered, |json| json.big_quantity(v));
        }
    }

    /// A sender that is taken as stated is printed, and marked all the same.
    fn sender(&self, json: &mut Json, at: Item, covered: bool, sender: Address) {
        json.value(at, "from", covered, |json| json.data(sender));
        if covered && self.senders == SenderPolicy::Stated {
            json.mark_unproven(at, "from");
        }
    }

    /// `eth_getTransactionReceipt`.
    fn receipt(&self, json: &mut Json, receipt: &ExecutedReceipt, bloom: &Bloom, log_index: &mut u64) {
        let Block { hash: block_hash, header, transactions, senders, .. } = self.block_data();
        let index = receipt.transaction_index as usize;
        let transaction = &transactions[index];
        let at = Item { list: "receipts", index };
        let covered = self.covers(transaction);
        json.key("type").quantity(receipt.tx_type.into());
        json.value(at, "transactionHash", covered, |json| json.data(receipt.transaction_hash));
        json.key("transactionIndex").quantity(receipt.transaction_index.into());
        json.key("blockHash").data(block_hash);
        json.key("blockNumber").quantity(header.number);
        self.sender(json, at, covered, senders[index]);
        json.value(at, "to", covered, |json| address(json, transaction.to));
        if self.canonical.receipts_hold_states {
            // Before Byzantium a receipt holds no status.
            let root = receipt.post_state;
            json.value(at, "root", root.is_some(), |json| json.data(root.unwrap_or_default()));
        } else {
            json.key("status").quantity(receipt.success.into());
        }
        json.key("cumulativeGasUsed").quantity(receipt.cumulative_gas_used);
        json.key("gasUsed").quantity(receipt.gas_used);
        json.value(at, "effectiveGasPrice", covered, |json| json.big_quantity(receipt.effective_gas_price));
        if transaction.tx_type == BLOB {
            let blob_gas = self.blob_gas(transaction);
            json.value(at, "blobGasUsed", blob_gas.is_some(), |json| json.quantity(blob_gas.unwrap_or_default()));
            json.key("blobGasPrice").big_quantity(U256::from(self.blob_price()));
        }
        json.value(at, "contractAddress", covered, |json| address(json, receipt.contract_address));
        json.key("logsBloom").data(bloom);
        let mut position = 0;
        json.key("logs").array(&receipt.logs, |json, log| {
            json.object(|json| {
                json.key("address").data(log.address);
                json.key("topics").array(&log.topics, Json::data);
                json.key("data").data(&log.data);
                json.key("blockNumber").quantity(header.number);
                json.key("transactionHash");
                if covered {
                    json.data(receipt.transaction_hash);
                } else {
                    json.null();
                    json.mark_unproven(at, &format!("logs/{position}/transactionHash"));
                }
                json.key("transactionIndex").quantity(receipt.transaction_index.into());
                json.key("blockHash").data(block_hash);
                json.key("logIndex").quantity(*log_index);
                json.key("removed").boolean(false);
            });
            *log_index += 1;
            position += 1;
        });
    }

    fn withdrawals(&self, json: &mut Json) {
        if !self.canonical.withdrawals {
            return;
        }
        match &self.block_data().withdrawals {
            Some(withdrawals) => json.key("withdrawals").array(withdrawals, withdrawal),
            None => json.key("withdrawals").null(),
        }
    }

    /// Of a blob transaction without its hashes it is known only where the block's blobs can be no other's.
    fn blob_gas(&self, transaction: &Transaction) -> Option<u64> {
        match &transaction.blob_hashes {
            Some(hashes) => Some(DATA_GAS_PER_BLOB * hashes.len() as u64),
            None => {
                let mut blobs = self.block_data().transactions.iter().filter(|other| other.tx_type == BLOB);
                if blobs.nth(1).is_none() { self.block_data().header.blob_gas_used } else { None }
            }
        }
    }

    fn blob_price(&self) -> u128 {
        let excess = self.block_data().header.excess_blob_gas.unwrap_or_default();
        self.canonical.blobs.map_or(0, |params| params.calc_blob_fee(excess))
    }
}

fn access_list(json: &mut Json, transaction: &Transaction) {
    json.array(&transaction.access_list.0, |json, item| {
        json.object(|json| {
            json.key("address").data(item.address);
            json.key("storageKeys").array(&item.storage_keys, Json::data);
        });
    });
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

fn address(json: &mut Json, address: Option<Address>) {
    match address {
        Some(address) => json.data(address),
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
