//! One JSON object for each run, one a line.

use std::io::{self, Write};

use refiner_evm::ExecutionPolicy;
use refiner_executor::unusual_terms;
use refiner_rule_model::Verdict;
use refiner_rule_session::{checks, shown as show};
use serde_json::{Value, json};

use crate::job::{Kept, Outcome, Replayed, RunEnd, RunRecord};

/// The lines of one specimen; a specimen that is unusable has one line, without a rule.
pub fn lines(replayed: &Replayed, policy: ExecutionPolicy, out: &mut impl Write) -> io::Result<()> {
    let input = replayed.input.name();
    match &replayed.outcome {
        Ok(outcome) => outcome.runs.iter().try_for_each(|run| writeln!(out, "{}", line(&input, outcome, run, policy))),
        Err(error) => {
            let (class, message) = (error.class(), error.to_string());
            writeln!(out, "{}", json!({ "specimen": input, "verdict": "unusable", "class": class, "message": message }))
        }
    }
}

fn line(input: &str, outcome: &Outcome, run: &RunRecord, policy: ExecutionPolicy) -> Value {
    let facts = &outcome.facts;
    let mut line = json!({
        "specimen": input,
        "chainId": facts.chain_id,
        "height": facts.height,
        "blockHash": facts.block_hash,
        "specimenHash": facts.specimen_hash,
        "layout": facts.layout,
        "rule": &*run.rule,
        "ruleIdentity": run.identity,
        "knownBlock": checks::outcome(&(&outcome.known).into()),
        "elapsedMs": run.elapsed.as_secs_f64() * 1e3,
    });
    if let Some(host) = &run.host {
        show::merge(&mut line, json!({ "workerHost": &**host }));
    }
    if run.hypothetical {
        show::merge(&mut line, json!({ "hypothetical": true }));
    }
    show::merge(&mut line, unusual_terms(policy).into());
    let (more, usage, log) = match &run.end {
        RunEnd::Produced { artifacts, records, usage, log, evidence } => {
            show::merge(&mut line, checks::evidence(evidence).into());
            let artifacts: Vec<_> = artifacts.iter().map(artifact).collect();
            (json!({ "verdict": "produced", "records": records, "artifacts": artifacts }), Some(usage), Some(log))
        }
        RunEnd::Refused { verdict, usage, log, evidence } => {
            show::merge(&mut line, checks::evidence(evidence).into());
            (refused(verdict), Some(usage), Some(log))
        }
        RunEnd::OtherBlock => (refused(&outcome.other_block()), None, None),
        RunEnd::Failed(failure) => (json!({ "verdict": Value::Null, "failure": failure.to_string() }), None, None),
    };
    show::merge(&mut line, more);
    show::merge(
        &mut line,
        json!({ "usage": usage.map(|usage| show::usage(usage)), "log": log.map(|log| show::log(log)) }),
    );
    line
}

fn refused(verdict: &Verdict) -> Value {
    json!({ "verdict": verdict.name(), "message": verdict.to_string() })
}

fn artifact(kept: &Kept) -> Value {
    json!({
        "name": kept.name,
        "mediaType": kept.media_type,
        "bytes": kept.bytes,
        "sha256": kept.sha256,
        "file": kept.path.as_ref().map(|path| path.display().to_string()),
    })
}
