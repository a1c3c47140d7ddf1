//! Every log of a block, one row a log, from the receipts that the specimen carries where its header proves them, and else from an
//! execution. The rows do not depend on which.

use refiner_sdk::{
    Address, B256, Evm, Output, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm,
    ndjson::{Hex, Row, Rows},
};

/// One log. Its columns stand in `rule.toml`; those of the block are filled by the specimen.
#[derive(Row)]
struct LogRow<'a> {
    transaction_index: u32,
    transaction_hash: Option<B256>,
    log_index: u32,
    address: Address,
    // A log has at most four topics.
    topic0: Option<B256>,
    topic1: Option<B256>,
    topic2: Option<B256>,
    topic3: Option<B256>,
    data: Hex<'a>,
}

struct Logs;

impl RuleWithEvm for Logs {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let receipts = evm.receipts(specimen)?;
        let coverage = receipts.coverage(specimen);
        let hashes: Vec<_> = receipts
            .receipts()
            .map(|receipt| coverage.covers(receipt.tx_type).then_some(receipt.transaction_hash))
            .collect();
        let mut rows = Rows::of::<LogRow>(out, specimen);
        for log in receipts.logs() {
            let topic = |position: usize| log.topics.get(position).copied();
            rows.push(&LogRow {
                transaction_index: log.transaction_index,
                transaction_hash: hashes.get(log.transaction_index as usize).copied().flatten(),
                log_index: log.log_index,
                address: log.address,
                topic0: topic(0),
                topic1: topic(1),
                topic2: topic(2),
                topic3: topic(3),
                data: Hex(&log.data),
            });
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(Logs);

#[cfg(test)]
mod tests;
