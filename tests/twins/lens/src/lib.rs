//! Everything that a rule can ask of an execution, as lines of text: receipts, calls, changes of state, gas, and the block without all
//! but its last transaction, as it is and with a program in place of the contract that this calls.

use std::io::Write;

use refiner_sdk::{
    Artifact, Evm, Execution, Output, Overrides, Payload, RuleError, RuleWithEvm, Source, Specimen, Summary,
    Transaction, U256, WhatIfError, export_transform_with_evm,
};

struct Lens;

/// SLOAD of slot 5, STOP: a slot that hardly any block knows.
const PROGRAM: [u8; 4] = [0x60, 0x05, 0x54, 0x00];
/// Some 18 ether.
const RICH: U256 = U256::from_words([0, 0, 0, u64::MAX]);

impl RuleWithEvm for Lens {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let mut lines = Lines { artifact: out.artifact("lens.txt", "text/plain"), count: 0 };
        let receipts = evm.receipts(specimen)?;
        let source = match receipts.source() {
            Source::Recorded => "recorded",
            Source::Executed => "executed",
        };
        lines.line(&format!("receipts {source} {} {}", receipts.receipt_count(), receipts.log_count()));
        for receipt in receipts.receipts() {
            let (index, success, gas) = (receipt.transaction_index, receipt.success, receipt.gas_used);
            lines.line(&format!("receipt {index} {success} {gas} {}", receipt.log_count));
        }
        let execution = evm.execute(specimen, "canonical")?;
        frames(&execution, &mut lines)?;
        changes(&execution, &mut lines)?;
        gas(&execution, &mut lines)?;
        if let Some(last) = specimen.counts().transactions.checked_sub(1) {
            what_if(evm, specimen, Overrides::new().transactions(&[last]), &mut lines)?;
            let transaction = specimen.transactions().last();
            if let Some((to, transaction)) = transaction.and_then(|transaction| Some((transaction.to?, transaction))) {
                let Transaction { sender, nonce, .. } = transaction;
                let paid = Overrides::new().transactions(&[last]).nonce(sender, nonce).balance(sender, RICH);
                let program = paid.code(to, &PROGRAM).base_fee(7);
                what_if(evm, specimen, program, &mut lines)?;
            }
        }
        lines.artifact.finish();
        Ok(Summary::records(lines.count))
    }
}

export_transform_with_evm!(Lens);

struct Lines {
    artifact: Artifact,
    count: u64,
}

impl Lines {
    fn line(&mut self, line: &str) {
        self.count += 1;
        let _never_fails = writeln!(self.artifact, "{line}");
    }
}

/// A value, or a dash.
fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Two values, or a dash.
fn pair<T: ToString>(values: Option<(T, T)>) -> String {
    or_dash(values.map(|(before, after)| format!("{}>{}", before.to_string(), after.to_string())))
}

fn frames(execution: &Execution, lines: &mut Lines) -> Result<(), RuleError> {
    let mut frames = execution.frames(Payload::Selector)?;
    while let Some(step) = frames.next_step() {
        lines.line(&format!("calls {} {}", step.number, step.count()));
        for frame in step.frames() {
            let (parent, to, value) = (or_dash(frame.parent), or_dash(frame.to), or_dash(frame.value));
            let (depth, opcode, sender, used) = (frame.depth, frame.opcode, frame.sender, frame.gas_used);
            let (input, output) = (frame.input.len(), frame.output_len);
            let error = frame.error.as_deref().unwrap_or("-");
            lines.line(&format!(
                "call {parent} {depth} {opcode} {sender} {to} {value} {used} {input} {output} {error} {}",
                frame.undone
            ));
        }
    }
    Ok(())
}

fn changes(execution: &Execution, lines: &mut Lines) -> Result<(), RuleError> {
    let mut changes = execution.state_changes()?;
    while let Some(step) = changes.next_step() {
        for change in step.accounts() {
            let (balance, nonce, code) = (pair(change.balance), pair(change.nonce), pair(change.code));
            let (created, destroyed) = (change.created, change.destroyed);
            lines.line(&format!(
                "account {} {} {balance} {nonce} {code} {created} {destroyed}",
                step.number, change.address
            ));
        }
        for change in step.slots() {
            lines.line(&format!("slot {} {} {}>{}", change.address, change.slot, change.before, change.after));
        }
        for access in step.accesses() {
            lines.line(&format!("access {} {} {}", access.address, or_dash(access.slot), access.changed));
        }
    }
    Ok(())
}

fn gas(execution: &Execution, lines: &mut Lines) -> Result<(), RuleError> {
    let mut profile = execution.gas_profile()?;
    while let Some(step) = profile.next_step() {
        for item in step.items() {
            let address = or_dash(item.code_address);
            lines.line(&format!("gas {} {address} {} {} {}", step.number, item.what, item.times, item.gas));
        }
    }
    Ok(())
}

fn what_if(evm: &Evm, specimen: &Specimen, overrides: Overrides, lines: &mut Lines) -> Result<(), RuleError> {
    let execution = match evm.what_if(specimen, &overrides) {
        Ok(execution) => execution,
        Err(WhatIfError::LeftSpecimen(departure)) => {
            lines.line(&format!("left {departure}"));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    lines.line(&format!("what-if {} {}", execution.gas_used(), execution.block_result_len()));
    for receipt in execution.receipts() {
        lines.line(&format!("receipt {} {} {}", receipt.transaction_index, receipt.success, receipt.gas_used));
    }
    for exclusion in execution.excluded() {
        lines.line(&format!("excluded {} {}", exclusion.transaction_index, exclusion.reason));
    }
    gas(&execution, lines)
}
