//! The methods that a block's transactions call: one row a contract and method, with how often it was called.

use std::collections::BTreeMap;

use refiner_sdk::{
    Address, Output, Rule, RuleError, Specimen, Summary, export_transform,
    ndjson::{Hex, Row, Rows},
};

/// The first bytes of a call's input, which select its method.
const SELECTOR_BYTES: u32 = 4;

/// One row. Its columns stand in rule.toml; those of the block are filled by the specimen.
#[derive(Row)]
struct Calls<'a> {
    contract: Address,
    method: Hex<'a>,
    calls: u64,
}

struct MyRule;

impl Rule for MyRule {
    fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
        let mut calls = BTreeMap::<_, u64>::new();
        for (transaction, position) in specimen.transactions().zip(0..) {
            // A transaction without a recipient creates a contract.
            let Some(contract) = transaction.to else { continue };
            let method = specimen.input_start(position, SELECTOR_BYTES);
            *calls.entry((contract, method)).or_default() += 1;
        }
        let mut rows = Rows::of::<Calls>(out, specimen);
        for ((contract, method), calls) in calls {
            rows.push(&Calls { contract, method: Hex(&method), calls });
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform!(MyRule);

#[cfg(test)]
mod tests {
    use refiner_sdk::{Transaction, fixture::Fixture};

    use super::*;

    fn to(contract: &str) -> Transaction {
        Transaction { to: Some(Address::from_hex(contract)), ..Transaction::default() }
    }

    #[test]
    fn calls_of_one_method_are_one_row_and_creations_are_none() {
        let token = "00000000000000000000000000000000000000aa";
        let run = Fixture::new()
            .transaction(to(token), &[0xa9, 0x05, 0x9c, 0xbb, 1])
            .transaction(to(token), &[0xa9, 0x05, 0x9c, 0xbb, 2])
            .transaction(to(token), &[])
            .transaction(Transaction { to: None, ..Transaction::default() }, &[0x60, 0x80])
            .run(MyRule::refine);
        assert_eq!(run.result, Ok(Summary::records(2_u32)));
        let artifact = run.artifact("my-rule.ndjson").expect("the artifact of rule.toml");
        let rows: Vec<_> = artifact.text().lines().map(|row| row.split_once(token).expect("the contract").1).collect();
        assert_eq!(rows, [r#"","method":"0x","calls":1}"#, r#"","method":"0xa9059cbb","calls":2}"#]);
    }
}
