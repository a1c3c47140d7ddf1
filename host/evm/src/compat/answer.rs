//! Verification of an evm-server's answer against the block.
//!
//! Of a block result, everything follows from the specimen but three things: which transactions have receipts, what is in those,
//! and `Hash`, the root of the partial state. So the document is written again from these three of the answer, and must come out the same, byte
//! for byte. The receipts must then pass the checks of the block's own header. Where they do not, only a known fault of the era excuses
//! them: the embedded executor, which has the same faults, must give the same bytes. Nothing proves `Hash` without executing.

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::Specimen;
use serde::Deserialize;

use super::{Frame, UnverifiedAnswer};
use crate::{
    embedded::EmbeddedExecutor,
    execution::{Document, ExecutedLog, ExecutedReceipt, Execution, SenderGate},
    header_checks::{header_checks, producer_check},
    interrupt::Uninterrupted,
    meter::{Budget, RepeatedLogs},
    receipts::commit,
    transaction::DYNAMIC_FEE,
};

/// The fields that are read of an answer; the rest is compared with what is written again.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Hash")]
    state_root: B256,
    #[serde(rename = "Receipts")]
    receipts: Vec<Receipt>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receipt {
    tx_hash: B256,
    cumulative_gas_used: u64,
    gas_used: u64,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Log {
    address: Address,
    topics: Vec<B256>,
    data: Option<String>,
}

/// The execution that an answer tells of, if the answer is to be believed. `frame` is of the same specimen.
pub(crate) fn verify(
    answer: &Bytes,
    specimen: &Specimen,
    frame: &Frame<'_>,
    embedded: &EmbeddedExecutor,
) -> Result<Execution, UnverifiedAnswer> {
    let (block, format) = (&specimen.block, frame.format);
    let Answer { state_root, receipts } = serde_json::from_slice(answer).map_err(UnverifiedAnswer::Unreadable)?;
    let receipts = executed(receipts, frame)?;
    // Nothing was executed here that could hold memory or use gas, so the bound on memory alone ends the writing.
    let budget = Budget::new(u64::MAX, &Uninterrupted);
    let again = frame.document(&receipts, state_root, 0, RepeatedLogs::after(&budget, 0));
    let again = again.map_err(|error| UnverifiedAnswer::TooLarge(Box::new(error.into())))?;
    if again != **answer {
        let offset = again.iter().zip(answer).take_while(|(ours, theirs)| ours == theirs).count();
        return Err(UnverifiedAnswer::Document { offset, format });
    }
    let gas_used = receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
    let mut checks = header_checks(block, gas_used, &commit(&receipts), None);
    let Some(failed) = checks.iter().find(|check| check.failed()) else {
        checks.push(producer_check(&block.receipts, &receipts));
        let senders = SenderGate::Closed(embedded.sender_terms(specimen));
        return Ok(Execution::new(gas_used, receipts, checks, Document::Written(answer.clone()), senders));
    };
    match embedded.execute(specimen, format) {
        Ok(executed) if executed.block_result(specimen).as_ref() == Ok(answer) => Ok(executed),
        _ => Err(UnverifiedAnswer::Header { check: Box::new(failed.clone()), format }),
    }
}

/// The receipts of an answer, each with its transaction. A transaction that the server rejected has none.
fn executed(receipts: Vec<Receipt>, frame: &Frame<'_>) -> Result<Vec<ExecutedReceipt>, UnverifiedAnswer> {
    let block = &*frame.block;
    let mut hashes = frame.manufactured.transaction_hashes.iter().enumerate();
    let mut gas_so_far = 0u64;
    let mut executed = Vec::new();
    for (position, receipt) in receipts.into_iter().enumerate() {
        let Receipt { tx_hash, cumulative_gas_used, gas_used, logs } = receipt;
        let (index, _) = hashes.find(|(_, hash)| **hash == tx_hash).ok_or(UnverifiedAnswer::Receipt { position })?;
        gas_so_far = gas_so_far.checked_add(gas_used).ok_or(UnverifiedAnswer::Gas { position })?;
        if gas_so_far != cumulative_gas_used {
            return Err(UnverifiedAnswer::Gas { position });
        }
        let logs: Vec<ExecutedLog> =
            logs.into_iter().map(log).collect::<Option<_>>().ok_or(UnverifiedAnswer::Data { position })?;
        let (taken_for, transaction) = (&frame.transactions[index], &block.transactions[index]);
        let price = match taken_for.tx_type {
            DYNAMIC_FEE.. => {
                let base_fee = u128::from(block.header.base_fee_per_gas.unwrap_or_default());
                transaction.gas_fee_cap.min(base_fee.saturating_add(transaction.gas_tip_cap))
            }
            _ => transaction.gas_price,
        };
        executed.push(ExecutedReceipt {
            transaction_index: u32::try_from(index).unwrap_or(u32::MAX),
            transaction_hash: tx_hash,
            tx_type: taken_for.tx_type,
            success: succeeded(frame, index, gas_used, &logs),
            post_state: None,
            gas_used,
            cumulative_gas_used,
            effective_gas_price: U256::from(price),
            contract_address: transaction.to.is_none().then(|| block.senders[index].create(transaction.nonce)),
            logs,
        });
    }
    Ok(executed)
}

fn log(Log { address, topics, data }: Log) -> Option<ExecutedLog> {
    let data = match data {
        Some(data) => base64_simd::STANDARD.decode_to_vec(data).ok()?.into(),
        None => Bytes::new(),
    };
    Some(ExecutedLog { address, topics, data })
}

/// A block result does not state success. The producer's receipt does, where there is one; or else a failure leaves no logs and
/// mostly no gas. Either is a guess that the receipts' root proves.
fn succeeded(frame: &Frame<'_>, index: usize, gas_used: u64, logs: &[ExecutedLog]) -> bool {
    let block = &*frame.block;
    if block.receipts.len() == block.transactions.len() {
        return block.receipts[index].post_state_or_status.last().is_some_and(|status| *status == 1);
    }
    !logs.is_empty() || gas_used < block.transactions[index].gas
}
