//! One row a transaction: who sent what to whom, what was allowed and used, what it cost and how it ended.
//!
//! `fee` is what the sender paid for gas, burnt and tip together: gas used times the effective gas price. `blobFee` is paid
//! beside it by blob transactions (EIP-4844) and burnt whole. Neither is part of `value`.
//!
//! A row whose transaction lost a part on its way into the specimen carries `unproven`: no check covers what it states beside the
//! outcome, which the receipt proves.

mod blobs;

use refiner_sdk::{
    Evm, Output, Receipt, RuleError, RuleWithEvm, Specimen, Summary, Transaction, U256, export_transform_with_evm,
    ndjson::{Hex, MEDIA_TYPE, RowWriter, Rows},
};

use blobs::Blobs;

const NAME: &str = "transaction-summary.ndjson";
const SCHEMA: &str = "schemas/transaction-summary/v1.schema.json";

/// Bytes that name a method at the start of call data (Solidity ABI).
const SELECTOR_BYTES: u32 = 4;

struct TransactionSummary;

impl RuleWithEvm for TransactionSummary {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let execution = evm.execute(specimen, "canonical")?;
        let (blobs, coverage) = (Blobs::of(specimen, &execution), execution.coverage(specimen));
        let mut rows = Rows::of_block(out.artifact_with_schema(NAME, MEDIA_TYPE, SCHEMA), specimen);
        for (transaction, receipt) in specimen.transactions().zip(execution.receipts()) {
            let fee = fee(&receipt)?;
            let covered = coverage.covers(receipt.tx_type);
            rows.row(|row| {
                write(row, &transaction, &receipt, fee, &blobs, selector(specimen, &transaction, &receipt), covered);
            });
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(TransactionSummary);

fn write(
    row: &mut RowWriter,
    transaction: &Transaction,
    receipt: &Receipt,
    fee: U256,
    blobs: &Blobs,
    selector: Option<Vec<u8>>,
    covered: bool,
) {
    row.field("transactionIndex", receipt.transaction_index);
    row.field("transactionHash", transaction.chain_hash().filter(|_| covered));
    row.field("type", transaction.tx_type);
    row.field("from", transaction.sender);
    row.field("to", transaction.to);
    row.field("createdContract", receipt.contract_address.filter(|_| receipt.success));
    row.field("nonce", transaction.nonce);
    row.field("value", transaction.value);
    row.field("success", receipt.success);
    row.field("gasLimit", transaction.gas_limit);
    row.field("gasUsed", receipt.gas_used);
    row.field("effectiveGasPrice", receipt.effective_gas_price);
    row.field("fee", fee);
    row.field("blobCount", blobs.count(transaction));
    row.field("blobFee", blobs.fee(transaction));
    row.field("selector", selector.as_deref().map(Hex));
    row.field("inputBytes", transaction.input_len);
    row.field("logs", receipt.log_count);
    if !covered {
        row.field("unproven", true);
    }
}

fn fee(receipt: &Receipt) -> Result<U256, RuleError> {
    // No account owns 2^256 wei, so no sender can pay that much.
    let too_much = || RuleError::Rejected(format!("transaction {} pays no possible fee", receipt.transaction_index));
    receipt.effective_gas_price.checked_mul(receipt.gas_used).ok_or_else(too_much)
}

/// The first four bytes of call data. None for a creation, whose input is code, and for shorter input.
fn selector(specimen: &Specimen, transaction: &Transaction, receipt: &Receipt) -> Option<Vec<u8>> {
    let calls = transaction.to.is_some() && transaction.input_len >= SELECTOR_BYTES;
    calls.then(|| specimen.input_start(receipt.transaction_index, SELECTOR_BYTES))
}

#[cfg(test)]
mod tests;
