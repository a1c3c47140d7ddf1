//! The gas of every transaction of a block by opcode and by the contract whose code ran, and all that a transaction pays beside its
//! code: the rows of a transaction add up to its gas used.
//!
//! The parameter `per` is `transaction` (the default) or `block`, which adds up over the transactions. With `system = true` there
//! are rows for the calls before the first transaction and after the last one, whose `transaction_index` is null, and the rows of
//! a block have these calls in their sums; they are no part of the gas used that the header states.
//!
//! The distribution rests on the specimen's state, which no root proves; only the sums are checked, by the receipts.

use std::collections::BTreeMap;

use refiner_sdk::{
    Address, Evm, GasItem, Output, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm,
    ndjson::{MEDIA_TYPE, Rows},
    params,
};

const NAME: &str = "opcode-gas.ndjson";
const SCHEMA: &str = "schemas/opcode-gas/v1.schema.json";

struct OpcodeGas;

/// The unit for which gas is added up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Per {
    Transaction,
    Block,
}

impl RuleWithEvm for OpcodeGas {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let (per, system) = (per()?, system()?);
        let execution = evm.execute(specimen, "canonical")?;
        let mut profile = execution.gas_profile()?;
        let mut rows = Rows::of_block_in_snake_case(out.artifact_with_schema(NAME, MEDIA_TYPE, SCHEMA), specimen);
        let mut block = BTreeMap::<(Option<Address>, u16), GasItem>::new();
        while let Some(step) = profile.next_step() {
            for item in step.items() {
                match (per, step.transaction_index) {
                    (_, None) if !system => {}
                    (Per::Transaction, index) => write(&mut rows, index, &item),
                    (Per::Block, _) => {
                        block
                            .entry((item.code_address, item.what))
                            .and_modify(|sum| {
                                sum.times += item.times;
                                sum.gas += item.gas;
                            })
                            .or_insert(item);
                    }
                }
            }
        }
        block.values().for_each(|item| write(&mut rows, None, item));
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(OpcodeGas);

fn per() -> Result<Per, RuleError> {
    match params::get("per").as_deref() {
        None | Some("transaction") => Ok(Per::Transaction),
        Some("block") => Ok(Per::Block),
        Some(other) => Err(RuleError::Unsupported(format!("per is {other:?}; expected transaction or block"))),
    }
}

fn system() -> Result<bool, RuleError> {
    match params::get("system").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(RuleError::Unsupported(format!("system is {other:?}; expected true or false"))),
    }
}

fn write(rows: &mut Rows, transaction_index: Option<u32>, item: &GasItem) {
    rows.row(|row| {
        row.field("transaction_index", transaction_index);
        row.field("code_address", item.code_address);
        row.field("opcode", item.opcode());
        row.field("item", item.name());
        row.field("executions", item.times);
        row.field("gas", item.gas);
    });
}

#[cfg(test)]
mod tests;
