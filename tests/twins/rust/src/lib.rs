//! One line a sender: how many transactions it sent in the block, and how much value with them.

use std::{collections::BTreeMap, io::Write};

use refiner_sdk::{Output, Rule, RuleError, Specimen, Summary, U256};

struct BySender;

impl Rule for BySender {
    fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
        let mut totals = BTreeMap::<String, (u64, U256)>::new();
        for transaction in specimen.transactions() {
            let (sent, value) = totals.entry(transaction.sender.to_string()).or_default();
            *sent += 1;
            *value = value.checked_add(transaction.value).ok_or_else(more_than_there_is)?;
        }
        let mut lines = out.artifact("by-sender.ndjson", "application/x-ndjson");
        for (sender, (sent, value)) in &totals {
            writeln!(lines, r#"{{"sender":"{sender}","transactions":{sent},"value":"{value}"}}"#)?;
        }
        lines.finish();
        Ok(Summary::records(u32::try_from(totals.len()).unwrap_or(u32::MAX)))
    }
}

fn more_than_there_is() -> RuleError {
    RuleError::Rejected("the sum of a sender's values has more than 256 bits".to_owned())
}

refiner_sdk::export_transform!(BySender);
