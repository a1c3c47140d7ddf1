//! Every log of a block, one row a log, from the receipts that the specimen carries where its header proves them, and else from an
//! execution. The rows do not depend on which.

use refiner_sdk::{
    Evm, Output, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm,
    ndjson::{Hex, MEDIA_TYPE, Rows},
};

const NAME: &str = "logs.ndjson";
const SCHEMA: &str = "schemas/logs/v1.schema.json";
/// Keys of the topics, of which a log has at most four.
const TOPICS: [&str; 4] = ["topic0", "topic1", "topic2", "topic3"];

struct Logs;

impl RuleWithEvm for Logs {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let receipts = evm.receipts(specimen)?;
        let coverage = receipts.coverage(specimen);
        let hashes: Vec<_> = receipts
            .receipts()
            .map(|receipt| coverage.covers(receipt.tx_type).then_some(receipt.transaction_hash))
            .collect();
        let mut rows = Rows::of_block_in_snake_case(out.artifact_with_schema(NAME, MEDIA_TYPE, SCHEMA), specimen);
        for log in receipts.logs() {
            rows.row(|row| {
                row.field("transaction_index", log.transaction_index);
                row.field("transaction_hash", hashes.get(log.transaction_index as usize).copied().flatten());
                row.field("log_index", log.log_index);
                row.field("address", log.address);
                for (position, name) in TOPICS.into_iter().enumerate() {
                    row.field(name, log.topics.get(position));
                }
                row.field("data", Hex(&log.data));
            });
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(Logs);

#[cfg(test)]
mod tests;
