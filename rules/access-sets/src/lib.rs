//! The accounts and storage slots that each step of a block looked up, and whether it changed them: the content of a block access list
//! (EIP-7928), for a block of any fork.
//!
//! What a part that was undone looked up counts. What an access list (EIP-2930) names and nothing looks up does not. A write of the
//! value that a slot has already is a look-up.

use refiner_sdk::{
    Evm, Output, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm,
    ndjson::{MEDIA_TYPE, Rows},
};

const NAME: &str = "access-sets.ndjson";
const SCHEMA: &str = "schemas/access-sets/v1.schema.json";

struct AccessSets;

impl RuleWithEvm for AccessSets {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let execution = evm.execute(specimen, "canonical")?;
        let mut changes = execution.state_changes()?;
        let mut rows = Rows::of_block_in_snake_case(out.artifact_with_schema(NAME, MEDIA_TYPE, SCHEMA), specimen);
        while let Some(step) = changes.next_step() {
            for access in step.accesses() {
                rows.row(|row| {
                    row.field("block_access_index", step.number);
                    row.field("transaction_index", step.transaction_index);
                    row.field("address", access.address);
                    row.field("slot", access.slot);
                    row.field("changed", access.changed);
                });
            }
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(AccessSets);

#[cfg(test)]
mod tests;
