//! The methods that a block's transactions call: one row a contract and method, with how often it was called.

use std::collections::BTreeMap;

use refiner_sdk::{
    Output, Rule, RuleError, Specimen, Summary, export_transform,
    ndjson::{Hex, MEDIA_TYPE, Rows},
};

/// The first bytes of a call's input, which select its method.
const SELECTOR_BYTES: u32 = 4;

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
        let mut rows = Rows::of_block(out.artifact("my-rule.ndjson", MEDIA_TYPE), specimen);
        for ((contract, method), count) in calls {
            rows.row(|row| {
                row.field("contract", contract);
                row.field("method", Hex(&method));
                row.field("calls", count);
            });
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform!(MyRule);

#[cfg(test)]
mod tests {
    use refiner_sdk::{Address, Transaction, fixture::Fixture};

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
