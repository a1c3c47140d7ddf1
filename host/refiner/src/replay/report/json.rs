//! One JSON object for each run, one a line.

use std::io::{self, Write};

use refiner_sandbox::LimitUse;
use serde_json::{Value, json};

use crate::replay::job::{Facts, Kept, Outcome, Replayed, RunEnd, RunRecord};

/// The lines of one specimen; a specimen that is unusable has one line, without a rule.
pub fn lines(replayed: &Replayed, out: &mut impl Write) -> io::Result<()> {
    let input = replayed.input.name();
    match &replayed.outcome {
        Ok(Outcome { facts, runs }) => runs.iter().try_for_each(|run| writeln!(out, "{}", line(&input, facts, run))),
        Err(error) => {
            writeln!(out, "{}", json!({ "specimen": input, "verdict": "unusable", "message": error.to_string() }))
        }
    }
}

fn line(input: &str, facts: &Facts, run: &RunRecord) -> Value {
    let mut line = json!({
        "specimen": input,
        "chainId": facts.chain_id,
        "height": facts.height,
        "blockHash": facts.block_hash,
        "specimenHash": facts.specimen_hash,
        "layout": facts.layout,
        "rule": &*run.rule,
        "ruleIdentity": run.identity,
        "elapsedMs": run.elapsed.as_secs_f64() * 1e3,
    });
    let (more, usage, log) = match &run.end {
        RunEnd::Produced { artifacts, records, usage, log } => {
            let artifacts: Vec<_> = artifacts.iter().map(artifact).collect();
            (json!({ "verdict": "produced", "records": records, "artifacts": artifacts }), Some(usage), Some(log))
        }
        RunEnd::Refused { verdict, usage, log } => {
            (json!({ "verdict": verdict.name(), "message": verdict.to_string() }), Some(usage), Some(log))
        }
        RunEnd::Failed(failure) => (json!({ "verdict": Value::Null, "failure": failure.to_string() }), None, None),
    };
    let usage = usage.map(|usage| {
        usage
            .iter()
            .map(|LimitUse { limit, asked, granted, used }| {
                (limit.to_string(), json!({ "asked": asked, "granted": granted, "used": used }))
            })
            .collect::<serde_json::Map<_, _>>()
    });
    let log = log.map(|log| {
        log.iter()
            .map(|line| json!({ "level": line.level.as_str(), "message": line.message.to_string() }))
            .collect::<Vec<_>>()
    });
    merge(&mut line, more);
    merge(&mut line, json!({ "usage": usage, "log": log }));
    line
}

fn artifact(kept: &Kept) -> Value {
    json!({
        "name": kept.name,
        "mediaType": kept.media_type,
        "bytes": kept.bytes,
        "sha256": format!("{:x}", kept.sha256),
        "file": kept.path.as_ref().map(|path| path.display().to_string()),
    })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
