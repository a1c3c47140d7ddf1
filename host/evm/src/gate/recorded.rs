//! The receipts that a specimen carries against its header.

use alloy_primitives::{B256, Bloom, U256};
use refiner_specimen::{
    Block, Log, Receipt, Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
    transaction_hashes,
};

use crate::{
    execution::{ExecutedLog, ExecutedReceipt},
    receipts::{Commitments, commit},
};

/// The recorded receipts give the header's `receiptsRoot` and `logsBloom`, and what they repeat agrees with the block.
///
/// Status or state root, cumulative gas and logs are proven by the root. Gas used, positions and hashes repeat other fields:
/// the producer may leave them zero, and where they are not they must agree.
pub fn recorded_receipts(specimen: &Specimen) -> Check {
    RecordedReceipts::of(specimen, &transaction_hashes(&specimen.block).unwrap_or_default()).check
}

/// The recorded receipts and their check.
pub(crate) struct RecordedReceipts {
    pub(crate) check: Check,
    /// Where the check passed: one receipt a transaction, without what the chain's receipts do not hold, and their commitments.
    pub(crate) proven: Option<(Vec<ExecutedReceipt>, Commitments)>,
}

impl RecordedReceipts {
    /// With transaction hashes that are computed already; none where a type is not known.
    pub(crate) fn of(specimen: &Specimen, hashes: &[B256]) -> Self {
        let block = &specimen.block;
        let name = CheckName::RecordedReceipts;
        let refuted = |check| Self { check, proven: None };
        if block.receipts.is_empty() && !block.transactions.is_empty() {
            return refuted(Check { name, outcome: Outcome::NotCheckable("the specimen carries no receipts") });
        }
        if let Some(failed) = repeated_fields(specimen, hashes) {
            return refuted(failed);
        }
        let receipts: Vec<ExecutedReceipt> =
            block.receipts.iter().enumerate().map(|(index, receipt)| as_executed(receipt, block, index)).collect();
        let commitments = commit(&receipts);
        let header = &block.header;
        if commitments.root != header.receipts_root {
            return refuted(Check::compare(
                name,
                Quantity::Hash(header.receipts_root),
                Quantity::Hash(commitments.root),
            ));
        }
        let bloom = |bloom: Bloom| Quantity::Bloom(Box::new(bloom));
        let check = Check::compare(name, bloom(header.logs_bloom), bloom(commitments.logs_bloom));
        let proven = (!check.failed()).then_some((receipts, commitments));
        Self { check, proven }
    }
}

/// Compares the fields that recorded receipts repeat of the block, without their root: number, hashes, gas used, positions. `hashes` are those of the
/// transactions.
pub(crate) fn repeated_fields(specimen: &Specimen, hashes: &[B256]) -> Option<Check> {
    let block = &specimen.block;
    let count = |items: usize| Quantity::Number(items as u64);
    if block.receipts.len() != block.transactions.len() {
        let subject = Subject::Field("Receipts");
        return Some(failure(subject, count(block.receipts.len()), count(block.transactions.len())));
    }
    let mut before = Before::default();
    for (index, receipt) in block.receipts.iter().enumerate() {
        if let Some((stated, computed)) = before.disagreement(specimen, hashes, index, receipt) {
            return Some(failure(Subject::Item { list: "Receipts", index }, stated, computed));
        }
    }
    None
}

fn failure(subject: Subject, stated: Quantity, computed: Quantity) -> Check {
    Check::failure(CheckName::RecordedReceipts, subject, stated, computed)
}

/// Totals before a receipt in its block.
#[derive(Default)]
struct Before {
    cumulative_gas_used: u64,
    logs: u64,
}

impl Before {
    /// The first field of a receipt that is there and differs from what it repeats.
    fn disagreement(
        &mut self,
        specimen: &Specimen,
        hashes: &[B256],
        index: usize,
        receipt: &Receipt,
    ) -> Option<(Quantity, Quantity)> {
        let block = &specimen.block;
        let transaction = &block.transactions[index];
        let number = Quantity::Number;
        if !matches!(receipt.post_state_or_status[..], [] | [0 | 1]) && receipt.post_state_or_status.len() != 32 {
            let stated = Quantity::Number(receipt.post_state_or_status.len() as u64);
            return Some((stated, Quantity::Words("a status of 0 or 1, or a state root of 32 bytes")));
        }
        let Some(gas_used) = receipt.cumulative_gas_used.checked_sub(self.cumulative_gas_used) else {
            return Some((number(receipt.cumulative_gas_used), Quantity::AtLeast(self.cumulative_gas_used)));
        };
        self.cumulative_gas_used = receipt.cumulative_gas_used;
        if receipt.gas_used != 0 && receipt.gas_used != gas_used {
            return Some((number(receipt.gas_used), number(gas_used)));
        }
        // Computed only where something repeats it: hashing every transaction costs more than the rest of this check.
        let computed = || match transaction.dropped(specimen.layout) {
            Some(_) => None,
            None => hashes.get(index).copied().or_else(|| transaction.hash().ok()),
        };
        let stated = Some(receipt.tx_hash).filter(|hash| !hash.is_zero());
        if let Some((stated, computed)) = stated.and_then(|stated| Some((stated, computed()?)))
            && stated != computed
        {
            return Some((Quantity::Hash(stated), Quantity::Hash(computed)));
        }
        if !receipt.contract_address.is_zero() {
            let sender = block.senders.get(index)?;
            let created = if transaction.to.is_none() { sender.create(transaction.nonce) } else { Default::default() };
            if receipt.contract_address != created {
                return Some((Quantity::Address(receipt.contract_address), Quantity::Address(created)));
            }
        }
        let repeated = receipt.logs.iter().any(|log| !log.transaction_hash.is_zero());
        let hash = stated.or_else(|| repeated.then(computed).flatten());
        receipt.logs.iter().find_map(|log| self.log(block, index, hash, log))
    }

    /// `hash` is that of the transaction, where it is known.
    fn log(&mut self, block: &Block, index: usize, hash: Option<B256>, log: &Log) -> Option<(Quantity, Quantity)> {
        let position = self.logs;
        self.logs += 1;
        let numbers = [
            (log.block_number, block.header.number),
            (log.transaction_index, index as u64),
            (log.log_index, position),
            (log.removed.into(), 0),
        ];
        if let Some((stated, computed)) =
            numbers.into_iter().find(|(stated, computed)| *stated != 0 && stated != computed)
        {
            return Some((Quantity::Number(stated), Quantity::Number(computed)));
        }
        let hashes = [(log.block_hash, Some(block.hash)), (log.transaction_hash, hash)];
        let mut known = hashes.into_iter().filter_map(|(stated, computed)| Some((stated, computed?)));
        let (stated, computed) = known.find(|(stated, computed)| !stated.is_zero() && stated != computed)?;
        Some((Quantity::Hash(stated), Quantity::Hash(computed)))
    }
}

/// A recorded receipt in the form that the chain's commitments are computed from.
pub(crate) fn as_executed(receipt: &Receipt, block: &Block, index: usize) -> ExecutedReceipt {
    let logs = receipt.logs.iter().map(|log| ExecutedLog {
        address: log.address,
        topics: log.topics.clone(),
        data: log.data.clone(),
    });
    ExecutedReceipt {
        transaction_index: u32::try_from(index).unwrap_or(u32::MAX),
        transaction_hash: receipt.tx_hash,
        tx_type: block.transactions[index].tx_type,
        success: receipt.post_state_or_status[..] == [1],
        post_state: B256::try_from(&receipt.post_state_or_status[..]).ok(),
        gas_used: receipt.gas_used,
        cumulative_gas_used: receipt.cumulative_gas_used,
        effective_gas_price: U256::ZERO,
        contract_address: None,
        logs: logs.collect(),
    }
}
