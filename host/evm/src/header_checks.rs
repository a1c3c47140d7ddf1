//! Results of execution against what the header and the producer state.

use alloy_primitives::B256;
use refiner_specimen::{
    Block, Receipt,
    check::{Check, CheckName, Outcome as CheckOutcome, Quantity, Subject},
};

use crate::{
    execution::{ExecutedLog, ExecutedReceipt},
    receipts::{self, Commitments},
    requests::requests_hash,
};

/// The header checks that need execution, in the order they are printed.
pub(crate) fn header_checks(
    block: &Block,
    gas_used: u64,
    commitments: &Commitments,
    requests: Option<&[Vec<u8>]>,
) -> Vec<Check> {
    let header = &block.header;
    let bloom = |bloom| Quantity::Bloom(Box::new(bloom));
    vec![
        Check::compare(CheckName::GasUsed, Quantity::Number(header.gas_used), Quantity::Number(gas_used)),
        Check::compare(CheckName::LogsBloom, bloom(header.logs_bloom), bloom(commitments.logs_bloom)),
        Check::compare(CheckName::ReceiptsRoot, Quantity::Hash(header.receipts_root), Quantity::Hash(commitments.root)),
        check_requests(header.requests_hash, requests),
    ]
}

/// Takes back the check of `receiptsRoot` where a receipt holds a state root that the specimen does not record.
pub(crate) fn without_recorded_states(checks: &mut [Check]) {
    let reason = "receipts before Byzantium hold state roots, and the specimen does not record them all";
    for check in checks.iter_mut().filter(|check| check.name == CheckName::ReceiptsRoot) {
        check.outcome = CheckOutcome::NotCheckable(reason);
    }
}

fn check_requests(stated: Option<B256>, requests: Option<&[Vec<u8>]>) -> Check {
    let name = CheckName::RequestsHash;
    match requests {
        None => Check { name, outcome: CheckOutcome::NotApplicable("the block's fork has no requests") },
        Some(requests) => {
            let stated = stated.map_or(Quantity::Absent, Quantity::Hash);
            Check::compare(name, stated, Quantity::Hash(requests_hash(requests)))
        }
    }
}

/// Compares the executed receipts with the producer's own: status, cumulative gas, and address, topics and data of
/// every log.
///
/// A difference is stated by number of receipts, else by the first differing status or cumulative gas, else by hash of
/// the first differing receipt.
pub(crate) fn producer_check(producer: &[Receipt], executed: &[ExecutedReceipt]) -> Check {
    let name = CheckName::ProducerReceipts;
    if producer.is_empty() && !executed.is_empty() {
        return Check { name, outcome: CheckOutcome::NotApplicable("the specimen carries no receipts") };
    }
    if producer.len() != executed.len() {
        return Check::compare(name, count(producer.len()), count(executed.len()));
    }
    let differing = producer.iter().zip(executed).find_map(|(producer, executed)| difference(producer, executed));
    let outcome = match differing {
        Some((stated, computed)) => CheckOutcome::Failed { subject: Subject::Whole, stated, computed },
        None => CheckOutcome::Passed,
    };
    Check { name, outcome }
}

fn difference(producer: &Receipt, executed: &ExecutedReceipt) -> Option<(Quantity, Quantity)> {
    let stated_success = producer.post_state_or_status.last().is_some_and(|status| *status == 1);
    if executed.post_state.is_none() && stated_success != executed.success {
        return Some((Quantity::Number(stated_success.into()), Quantity::Number(executed.success.into())));
    }
    if producer.cumulative_gas_used != executed.cumulative_gas_used {
        return Some((Quantity::Number(producer.cumulative_gas_used), Quantity::Number(executed.cumulative_gas_used)));
    }
    let same_logs = producer.logs.len() == executed.logs.len()
        && producer.logs.iter().zip(&executed.logs).all(|(producer, executed)| {
            producer.address == executed.address && producer.topics == executed.topics && producer.data == executed.data
        });
    if same_logs {
        return None;
    }
    let logs = producer.logs.iter().map(|log| ExecutedLog {
        address: log.address,
        topics: log.topics.clone(),
        data: log.data.clone(),
    });
    let stated = ExecutedReceipt { logs: logs.collect(), ..executed.clone() };
    Some((Quantity::Hash(receipts::digest(&stated)), Quantity::Hash(receipts::digest(executed))))
}

fn count(receipts: usize) -> Quantity {
    Quantity::Number(receipts as u64)
}
