//! Costs of the contracts of a block: one row a called contract, with the gas that calls to it used.

use std::collections::BTreeMap;

use refiner_sdk::{
    Address, Evm, Output, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm,
    ndjson::{Row, Rows},
};

/// One row. Its columns stand in rule.toml; those of the block are filled by the specimen.
#[derive(Row)]
struct Cost {
    contract: Address,
    calls: u64,
    gas_used: u64,
}

struct MyRule;

impl RuleWithEvm for MyRule {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let execution = evm.execute(specimen, "canonical")?;
        let mut costs = BTreeMap::<_, (u64, u64)>::new();
        for (transaction, receipt) in specimen.transactions().zip(execution.receipts()) {
            // A transaction without a recipient creates a contract.
            let Some(contract) = transaction.to else { continue };
            let (calls, gas) = costs.entry(contract).or_default();
            *calls += 1;
            *gas += receipt.gas_used;
        }
        let mut rows = Rows::of::<Cost>(out, specimen);
        for (contract, (calls, gas_used)) in costs {
            rows.push(&Cost { contract, calls, gas_used });
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(MyRule);

#[cfg(test)]
mod tests {
    use refiner_sdk::{
        ExecuteError, Receipt, Transaction,
        fixture::{ExecutedBlock, Fixture},
    };

    use super::*;

    fn to(contract: &str) -> Transaction {
        Transaction { to: Some(Address::from_hex(contract)), ..Transaction::default() }
    }

    fn used(gas_used: u64) -> Receipt {
        Receipt { gas_used, ..Receipt::default() }
    }

    #[test]
    fn gas_of_one_contract_is_summed_and_creations_are_left_out() {
        let token = "00000000000000000000000000000000000000aa";
        let receipts = vec![used(30_000), used(21_000), used(50_000)];
        let run = Fixture::new()
            .transaction(to(token), &[])
            .transaction(to(token), &[])
            .transaction(Transaction { to: None, ..Transaction::default() }, &[])
            .executed("canonical", Ok(ExecutedBlock { receipts, ..ExecutedBlock::default() }))
            .run_with_evm(MyRule::refine);
        assert_eq!(run.result, Ok(Summary::records(1_u32)));
        let artifact = run.artifact("my-rule.ndjson").expect("the artifact of rule.toml");
        assert!(artifact.text().ends_with("\"calls\":2,\"gasUsed\":51000}\n"), "{}", artifact.text());
    }

    #[test]
    fn block_that_cannot_be_executed_keeps_its_reason() {
        let unsupported = || "no such fork".to_owned();
        let run = Fixture::new()
            .executed("canonical", Err(ExecuteError::Unsupported(unsupported())))
            .run_with_evm(MyRule::refine);
        assert_eq!(run.result, Err(RuleError::Unsupported(unsupported())));
    }
}
