//! `refiner specimen check`: every check of a block, in one order, one line each.

use alloy_primitives::B256;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_evm::{Basis, EmbeddedExecutor, ExecuteError, Rejected, ResultFormat};
use refiner_rule_model::{CheckReport, ReasonClass};
use refiner_rule_session::shown;
use refiner_specimen::{
    Specimen,
    check::{self, Check, CheckName, Outcome},
};
use serde_json::json;

use super::{Unreadable, inputs, read_and_decode};
use crate::{
    Check as Arguments,
    chains::ConfiguredChains,
    checks,
    executor::{self, unusual_terms},
    failure,
    input::Input,
    known_blocks::KnownBlocks,
    terminal::{EscapingStdout, PrintError},
};

/// What specimens are checked against and by.
struct Checker {
    executor: EmbeddedExecutor,
    known: KnownBlocks,
    execute: bool,
    announced: Option<B256>,
}

/// What came out for one specimen.
struct Report {
    specimen: Specimen,
    /// Each name once, in the order in which they are printed.
    checks: Vec<Check>,
    /// The basis of the result, when one was asked for and there is one.
    basis: Option<Basis>,
    /// Why there is no execution, when one was asked for.
    not_executed: Option<ExecuteError>,
}

/// Checks every specimen; one that fails does not stop the others.
pub fn run(arguments: &Arguments, stdout: &mut EscapingStdout) -> Result<ExitCode, Failure> {
    let policy = executor::policy(&arguments.settings.values()?);
    let (inputs, mut exit) = inputs(&arguments.specimens);
    let checker = Checker {
        executor: ConfiguredChains::read(&arguments.chains.chain_configs)?.executor(policy),
        known: KnownBlocks::of(&inputs, arguments.known.block_hashes.as_deref())?,
        execute: arguments.execute,
        announced: arguments.specimen_hash,
    };
    for input in inputs {
        match checker.check(&input) {
            Ok(report) => {
                if arguments.json {
                    let mut line = report.as_json(&input);
                    shown::merge(&mut line, unusual_terms(policy).into());
                    writeln!(stdout, "{line}")?;
                } else {
                    report.print(&input, stdout)?;
                }
                if report.failed() {
                    exit = exit.max(ExitCode::Verdict);
                }
            }
            Err(error) => {
                failure::report_item(&input, &error);
                exit = exit.max(ExitCode::Input);
            }
        }
    }
    Ok(exit)
}

impl Checker {
    fn check(&self, input: &Input) -> Result<Report, Unreadable> {
        let (bytes, specimen) = read_and_decode(input)?;
        let mut checks: Vec<_> = self.announced.iter().map(|hash| check::specimen_hash(&bytes, *hash)).collect();
        checks.push(check::canonical_encoding(&bytes, &specimen));
        checks.extend(self.executor.checks(&specimen));
        checks.push(check::code_hashes(&specimen));
        checks.push(self.executor.senders(&specimen));
        checks.push(self.known.check(&specimen));
        let executed = self.execute.then(|| self.executor.execute(&specimen, ResultFormat::Canonical));
        let (basis, not_executed) = match executed {
            None => (None, None),
            Some(Ok(execution)) => {
                checks.extend(execution.checks);
                (Some(execution.basis), None)
            }
            Some(Err(error)) => {
                if let ExecuteError::Rejected(Rejected::HeaderMismatch(failed)) = &error {
                    checks.push(failed.clone());
                }
                (None, Some(error))
            }
        };
        Ok(Report { specimen, checks: each_once(checks), basis, not_executed })
    }
}

/// One check of each name, in the order of [`CheckName`] but for those of the file, which come first. Of two with one name the first is
/// kept, unless only the second was made.
fn each_once(checks: Vec<Check>) -> Vec<Check> {
    let mut once: Vec<Check> = Vec::with_capacity(checks.len());
    for check in checks {
        match once.iter_mut().find(|other| other.name == check.name) {
            None => once.push(check),
            Some(other) if matches!(other.outcome, Outcome::NotCheckable(_)) => *other = check,
            Some(_) => {}
        }
    }
    let of_the_file = |name| matches!(name, CheckName::SpecimenHash | CheckName::CanonicalEncoding);
    once.sort_by_key(|check| (!of_the_file(check.name), check.name as usize));
    once
}

impl Report {
    fn failed(&self) -> bool {
        self.not_executed.is_some() || self.checks.iter().any(Check::failed)
    }

    fn print(&self, input: &Input, stdout: &mut EscapingStdout) -> Result<(), PrintError> {
        let block = &self.specimen.block;
        writeln!(stdout, "{input}: block {} of chain {}", block.header.number, block.network_id)?;
        let instead_of = self.basis.as_ref().and_then(Basis::instead_of);
        for check in &self.checks {
            let (mark, detail) = match &check.outcome {
                Outcome::Passed => ("passed", String::new()),
                Outcome::Failed { subject, stated, computed } => {
                    ("FAILED", format!("{subject}stated {stated}, {} {computed}", computed.role()))
                }
                // The reason of this block, in the place of that which holds for every block with recorded receipts.
                Outcome::NotApplicable(reason) => (
                    "-",
                    match instead_of {
                        Some(error) if check.name == CheckName::Execution => {
                            format!("from the recorded receipts: {error}")
                        }
                        _ => (*reason).to_owned(),
                    },
                ),
                Outcome::NotCheckable(reason) => ("not checkable", (*reason).to_owned()),
            };
            writeln!(stdout, "{}", format!("  {:<18} {mark:<14} {detail}", check.name.as_str()).trim_end())?;
        }
        match &self.not_executed {
            None => Ok(()),
            // The check stands above.
            Some(ExecuteError::Rejected(Rejected::CheckFailed(failed))) => {
                writeln!(stdout, "  {:<18} {:<14} {} failed", "execution", "not made", failed.name)
            }
            Some(error) => writeln!(stdout, "  {:<18} {error}", "execution"),
        }
    }

    fn as_json(&self, input: &Input) -> serde_json::Value {
        let reports: Vec<_> = self.checks.iter().map(CheckReport::from).collect();
        let block = &self.specimen.block;
        let class = self.not_executed.as_ref().and_then(ReasonClass::of);
        let mut line = json!({
            "specimen": input.name(),
            "chainId": block.network_id,
            "height": block.header.number,
            "blockHash": block.hash,
            "passed": !self.failed(),
            "checks": checks::by_name(&reports),
            "notExecuted": self.not_executed.as_ref().map(ToString::to_string),
            "stateExported": !block.lacks_state(),
        });
        if let Some(class) = class {
            line["reasonClass"] = class.as_str().into();
        }
        if let Some(basis) = &self.basis {
            shown::merge(&mut line, checks::basis(&basis.into()).into());
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_stands_once_in_one_order_and_one_that_was_made_wins() {
        let passed = Check::passed;
        let not_checkable = |name| Check { name, outcome: Outcome::NotCheckable("dropped") };
        let checks = vec![
            passed(CheckName::CanonicalEncoding),
            not_checkable(CheckName::TransactionsRoot),
            passed(CheckName::BlockHash),
            not_checkable(CheckName::KnownBlock),
            passed(CheckName::GasUsed),
            passed(CheckName::TransactionsRoot),
            not_checkable(CheckName::BlockHash),
        ];
        let expected = [
            passed(CheckName::CanonicalEncoding),
            passed(CheckName::BlockHash),
            not_checkable(CheckName::KnownBlock),
            passed(CheckName::TransactionsRoot),
            passed(CheckName::GasUsed),
        ];
        assert_eq!(each_once(checks), expected);
    }
}
