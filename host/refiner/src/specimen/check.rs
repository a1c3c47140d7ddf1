//! `refiner specimen check`: every check of a block against itself, one line each.

use std::io::Write;

use alloy_primitives::B256;
use refiner_evm::{ExecuteError, ResultFormat};
use refiner_specimen::{
    Specimen,
    check::{self, Check, Outcome},
};
use serde_json::json;

use super::{Unreadable, read_and_decode};
use crate::{
    chains,
    cli::ChainConfigs,
    exit::Exit,
    failure,
    input::{Input, expand},
};

/// What is checked.
pub struct Checker {
    /// Present when blocks are executed too.
    executor: Option<refiner_evm::EmbeddedExecutor>,
    announced: Option<B256>,
}

/// What came out for one specimen.
struct Report {
    specimen: Specimen,
    checks: Vec<Check>,
    /// Why there is no execution, when one was asked for.
    not_executed: Option<ExecuteError>,
}

impl Checker {
    /// Reads the chain configurations when blocks are to be executed.
    pub fn new(execute: bool, announced: Option<B256>, chains: &ChainConfigs) -> anyhow::Result<Self> {
        let executor = if execute { Some(chains::executor(chains)?) } else { None };
        Ok(Self { executor, announced })
    }

    /// Checks every specimen; one that fails does not stop the others.
    pub fn run(&self, arguments: &[String], json: bool, stdout: &mut impl Write) -> anyhow::Result<Exit> {
        let mut exit = Exit::Done;
        for input in expand(arguments)? {
            match self.check(&input) {
                Ok(report) => {
                    if json {
                        print_json(&input, &report, stdout)?;
                    } else {
                        print_text(&input, &report, stdout)?;
                    }
                    if report.failed() {
                        exit = exit.max(Exit::Verdict);
                    }
                }
                Err(error) => {
                    failure::tell(&input, &error);
                    exit = exit.max(Exit::Input);
                }
            }
        }
        Ok(exit)
    }

    fn check(&self, input: &Input) -> Result<Report, Unreadable> {
        let (bytes, specimen) = read_and_decode(input)?;
        let mut checks = Vec::new();
        if let Some(announced) = self.announced {
            checks.push(check::specimen_hash(&bytes, announced));
        }
        checks.push(check::canonical_encoding(&bytes, &specimen));
        checks.extend(check::all(&specimen));
        let mut not_executed = None;
        if let Some(executor) = &self.executor {
            match executor.execute(&specimen, ResultFormat::Canonical) {
                Ok(execution) => checks.extend(execution.checks),
                Err(error) => not_executed = Some(error),
            }
        }
        Ok(Report { specimen, checks, not_executed })
    }
}

impl Report {
    fn failed(&self) -> bool {
        self.not_executed.is_some() || self.checks.iter().any(Check::failed)
    }
}

fn print_text(input: &Input, report: &Report, stdout: &mut impl Write) -> std::io::Result<()> {
    let block = &report.specimen.block;
    writeln!(stdout, "{input}: block {} of chain {}", block.header.number, block.network_id)?;
    for check in &report.checks {
        let (mark, detail) = match &check.outcome {
            Outcome::Passed => ("passed", String::new()),
            Outcome::Failed { subject, stated, computed } => {
                ("FAILED", format!("{subject}stated {stated}, {} {computed}", computed.role()))
            }
            Outcome::NotApplicable(reason) => ("-", (*reason).to_owned()),
            Outcome::NotCheckable(reason) => ("not checkable", (*reason).to_owned()),
        };
        writeln!(stdout, "  {:<18} {mark:<7} {detail}", check.name.as_str())?;
    }
    if let Some(error) = &report.not_executed {
        writeln!(stdout, "  {:<18} {error}", "execution")?;
    }
    Ok(())
}

fn print_json(input: &Input, report: &Report, stdout: &mut impl Write) -> std::io::Result<()> {
    let checks: serde_json::Map<_, _> =
        report.checks.iter().map(|check| (check.name.to_string(), outcome(check))).collect();
    let block = &report.specimen.block;
    let line = json!({
        "specimen": input.to_string(),
        "chainId": block.network_id,
        "height": block.header.number,
        "blockHash": block.hash,
        "passed": !report.failed(),
        "checks": checks,
        "notExecuted": report.not_executed.as_ref().map(ToString::to_string),
    });
    writeln!(stdout, "{line}")
}

fn outcome(check: &Check) -> serde_json::Value {
    match &check.outcome {
        Outcome::Passed => json!({ "outcome": "passed" }),
        Outcome::Failed { subject, stated, computed } => {
            let (stated, computed) = (format!("{subject}{stated}"), computed.to_string());
            json!({ "outcome": "failed", "stated": stated, "computed": computed })
        }
        Outcome::NotApplicable(reason) => json!({ "outcome": "notApplicable", "reason": reason }),
        Outcome::NotCheckable(reason) => json!({ "outcome": "notCheckable", "reason": reason }),
    }
}
