//! The state that each step of a block changed: balances, nonces, code and storage slots, before and after.
//!
//! Four artifacts, so that each column has one type. A row's `block_access_index` is that of EIP-7928: 0 before the first
//! transaction, i + 1 for transaction i, and one more for what follows the last. `transaction_index` is null where it is no transaction's.
//!
//! Changes rest on the specimen's state, which no root proves; only what reaches the receipts is checked. An account that is destroyed
//! loses its storage; slots that the specimen does not carry have no row.

use std::collections::BTreeMap;

use refiner_sdk::{
    B256, Evm, Output, RuleError, RuleWithEvm, Specimen, StateStep, Summary, export_transform_with_evm,
    ndjson::{MEDIA_TYPE, RowWriter, Rows},
};

const BALANCES: (&str, &str) = ("balance-diffs.ndjson", "schemas/state-diffs/balance-diffs.v1.schema.json");
const NONCES: (&str, &str) = ("nonce-diffs.ndjson", "schemas/state-diffs/nonce-diffs.v1.schema.json");
const CODES: (&str, &str) = ("code-diffs.ndjson", "schemas/state-diffs/code-diffs.v1.schema.json");
const SLOTS: (&str, &str) = ("storage-diffs.ndjson", "schemas/state-diffs/storage-diffs.v1.schema.json");
/// keccak256 of no bytes: the code hash of an account without code.
const EMPTY_CODE: B256 = B256::from_hex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");

struct StateDiffs;

impl RuleWithEvm for StateDiffs {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let execution = evm.execute(specimen, "canonical")?;
        let mut changes = execution.state_changes()?;
        let mut rows_of = |(name, schema): (&str, &str)| {
            Rows::of_block_in_snake_case(out.artifact_with_schema(name, MEDIA_TYPE, schema), specimen)
        };
        let (mut balances, mut nonces, mut codes, mut slots) =
            (rows_of(BALANCES), rows_of(NONCES), rows_of(CODES), rows_of(SLOTS));
        let mut lengths = BTreeMap::new();
        while let Some(step) = changes.next_step() {
            for change in step.accounts() {
                let start = |row: &mut RowWriter<'_>| {
                    place(row, &step);
                    row.field("address", change.address);
                };
                if let Some((before, after)) = change.balance {
                    balances.row(|row| {
                        start(row);
                        row.field("from_value", before);
                        row.field("to_value", after);
                    });
                }
                if let Some((before, after)) = change.nonce {
                    nonces.row(|row| {
                        start(row);
                        row.field("from_value", before);
                        row.field("to_value", after);
                    });
                }
                if let Some((before, after)) = change.code {
                    codes.row(|row| {
                        start(row);
                        row.field("from_value", before);
                        row.field("to_value", after);
                        row.field("to_length", length(&mut lengths, &step, after));
                    });
                }
            }
            for change in step.slots() {
                slots.row(|row| {
                    place(row, &step);
                    row.field("address", change.address);
                    row.field("slot", change.slot);
                    row.field("from_value", change.before);
                    row.field("to_value", change.after);
                });
            }
        }
        let written = [balances, nonces, codes, slots].map(Rows::finish);
        Ok(Summary::records(written.into_iter().sum::<u64>()))
    }
}

export_transform_with_evm!(StateDiffs);

fn place(row: &mut RowWriter<'_>, step: &StateStep<'_>) {
    row.field("block_access_index", step.number);
    row.field("transaction_index", step.transaction_index);
}

/// Length of code that a step left: many accounts share one code, and to learn its length it is copied out of the host.
fn length(lengths: &mut BTreeMap<B256, Option<u64>>, step: &StateStep<'_>, hash: B256) -> Option<u64> {
    if hash == EMPTY_CODE {
        return Some(0);
    }
    *lengths.entry(hash).or_insert_with(|| step.code(hash).map(|code| code.len() as u64))
}

#[cfg(test)]
mod tests;
