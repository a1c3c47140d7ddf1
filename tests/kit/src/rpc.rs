//! A sealed block as a node's RPC gives it: the right answer to what a canonical document states of a block.

use alloy_consensus::{Transaction as _, Typed2718};
use alloy_eips::{eip2930::AccessList, eip4895::Withdrawal, eip7702::SignedAuthorization};
use alloy_primitives::{Address, U256, logs_bloom};
use serde_json::{Value, json};

use crate::{chain::SealedBlock, execute::Receipt, transaction::Signed};

/// `block`, with full transactions, and `receipts`.
pub fn block_and_receipts(block: &SealedBlock) -> Value {
    let transactions = block.transactions.iter().enumerate();
    let transactions: Vec<_> = transactions.map(|(index, signed)| transaction(block, index, signed)).collect();
    let mut header = header(block);
    header["transactions"] = transactions.into();
    if let Some(withdrawals) = &block.withdrawals {
        header["withdrawals"] = withdrawals.iter().map(withdrawal).collect();
    }
    let mut logs = 0;
    let receipts = block.outcome.receipts.iter().enumerate();
    let receipts: Vec<_> = receipts.map(|(index, found)| receipt(block, index, found, &mut logs)).collect();
    json!({ "block": header, "receipts": receipts })
}

fn header(block: &SealedBlock) -> Value {
    let header = &block.header;
    let mut json = json!({
        "number": quantity(header.number),
        "hash": block.hash,
        "parentHash": header.parent_hash,
        "sha3Uncles": header.ommers_hash,
        "miner": lower(header.beneficiary),
        "stateRoot": header.state_root,
        "transactionsRoot": header.transactions_root,
        "receiptsRoot": header.receipts_root,
        "logsBloom": header.logs_bloom,
        "difficulty": quantity(header.difficulty),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "extraData": header.extra_data,
        "mixHash": header.mix_hash,
        "nonce": header.nonce,
        "uncles": [],
    });
    let optional = [
        ("baseFeePerGas", header.base_fee_per_gas),
        ("blobGasUsed", header.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            json[name] = quantity(value).into();
        }
    }
    let roots = [
        ("withdrawalsRoot", header.withdrawals_root),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root),
        ("requestsHash", header.requests_hash),
    ];
    for (name, value) in roots {
        if let Some(value) = value {
            json[name] = json!(value);
        }
    }
    json
}

fn transaction(block: &SealedBlock, index: usize, signed: &Signed) -> Value {
    let tx = &signed.envelope;
    let signature = tx.signature();
    let mut json = json!({
        "blockHash": block.hash,
        "blockNumber": quantity(block.header.number),
        "from": lower(signed.sender),
        "gas": quantity(tx.gas_limit()),
        "gasPrice": quantity(tx.effective_gas_price(block.header.base_fee_per_gas)),
        "hash": tx.tx_hash(),
        "input": tx.input(),
        "nonce": quantity(tx.nonce()),
        "to": tx.to().map(lower),
        "transactionIndex": quantity(index),
        "value": quantity(tx.value()),
        "type": quantity(tx.ty()),
        "v": quantity(signed.v()),
        "r": quantity(signature.r()),
        "s": quantity(signature.s()),
    });
    if let Some(chain_id) = tx.chain_id() {
        json["chainId"] = quantity(chain_id).into();
    }
    if !tx.is_legacy() {
        json["accessList"] = tx.access_list().map(access_list).into();
        json["yParity"] = quantity(u8::from(signature.v())).into();
    }
    if let Some(tip) = tx.max_priority_fee_per_gas() {
        json["maxFeePerGas"] = quantity(tx.max_fee_per_gas()).into();
        json["maxPriorityFeePerGas"] = quantity(tip).into();
    }
    if let Some(hashes) = tx.blob_versioned_hashes() {
        json["maxFeePerBlobGas"] = tx.max_fee_per_blob_gas().map(quantity).into();
        json["blobVersionedHashes"] = json!(hashes);
    }
    if let Some(list) = tx.authorization_list() {
        json["authorizationList"] = list.iter().map(authorization).collect();
    }
    json
}

fn receipt(block: &SealedBlock, index: usize, receipt: &Receipt, logs_before: &mut usize) -> Value {
    let signed = &block.transactions[index];
    let at = |mut json: Value| {
        json["blockHash"] = json!(block.hash);
        json["blockNumber"] = quantity(block.header.number).into();
        json["transactionHash"] = json!(receipt.transaction_hash);
        json["transactionIndex"] = quantity(index).into();
        json
    };
    let logs = receipt.logs.iter().enumerate().map(|(position, log)| {
        let index = quantity(*logs_before + position);
        let (address, topics, data) = (lower(log.address), log.topics(), &log.data.data);
        at(json!({ "address": address, "topics": topics, "data": data, "logIndex": index, "removed": false }))
    });
    let logs: Vec<_> = logs.collect();
    *logs_before += logs.len();
    let mut json = at(json!({
        "contractAddress": receipt.contract_address.map(lower),
        "cumulativeGasUsed": quantity(receipt.cumulative_gas_used),
        "effectiveGasPrice": quantity(receipt.effective_gas_price),
        "from": lower(signed.sender),
        "gasUsed": quantity(receipt.gas_used),
        "logs": logs,
        "logsBloom": logs_bloom(&receipt.logs),
        "status": quantity(u8::from(receipt.success)),
        "to": signed.envelope.to().map(lower),
        "type": quantity(receipt.tx_type),
    }));
    if let Some(blob_gas) = signed.envelope.blob_gas_used() {
        let price = block.fork.blob_params().zip(block.header.excess_blob_gas);
        json["blobGasUsed"] = quantity(blob_gas).into();
        json["blobGasPrice"] = price.map(|(params, excess)| quantity(params.calc_blob_fee(excess))).into();
    }
    json
}

fn access_list(list: &AccessList) -> Value {
    let items = list.iter().map(|item| json!({ "address": lower(item.address), "storageKeys": item.storage_keys }));
    items.collect()
}

fn authorization(signed: &SignedAuthorization) -> Value {
    json!({
        "chainId": quantity(*signed.chain_id()),
        "address": lower(*signed.address()),
        "nonce": quantity(signed.nonce()),
        "yParity": quantity(signed.y_parity()),
        "r": quantity(signed.r()),
        "s": quantity(signed.s()),
    })
}

fn withdrawal(withdrawal: &Withdrawal) -> Value {
    json!({
        "index": quantity(withdrawal.index),
        "validatorIndex": quantity(withdrawal.validator_index),
        "address": lower(withdrawal.address),
        "amount": quantity(withdrawal.amount),
    })
}

/// Hexadecimal digits without leading zeros.
fn quantity<T>(number: T) -> String
where
    U256: alloy_primitives::ruint::UintTryFrom<T>,
{
    format!("{:#x}", U256::from(number))
}

/// An address without the checksum that capital letters are.
fn lower(address: Address) -> String {
    format!("{address:#x}")
}
