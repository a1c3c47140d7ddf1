//! Rows of a replay, handed on as they come: for callers that keep them in memory.

use std::{
    num::NonZeroUsize,
    ops::ControlFlow,
    path::Path,
    sync::{Arc, LazyLock},
    thread,
};

use refiner_data_set::Standing;
use refiner_diagnostics::Failure;
use refiner_evm::ExecutionPolicy;
use refiner_executor as executor;
use refiner_manifest::{Column, ColumnType, Scalar};
use refiner_rule_model::Limit;
use refiner_specimen_files::{
    input::{self, Expanded, InputError},
    known_blocks::KnownBlocks,
};
use refiner_table::{Batch, Format, Layout, Options, WideNumbers};
use refiner_text::OneLine;
use serde_json::{Value, json};

use crate::{
    Replay, TableChoice,
    conditions::Conditions,
    job::{Job, Keep, Outcome, Replayed, RunEnd, RunRecord},
    parallel::{self, End, Interrupter, NoThread},
    plan::{Inputs, Item, Plan},
    run::{kept_headings, remote_files},
    tables::Tables,
};

/// The columns of the table of runs.
const RUN_COLUMNS: [(&str, Scalar, bool, &str); 13] = [
    ("specimen", Scalar::String, false, "Name of the specimen, as it was given or found."),
    ("chain_id", Scalar::U64, true, "Chain of the block; null where the specimen is unusable."),
    ("block_number", Scalar::U64, true, "Height of the block."),
    ("block_hash", Scalar::Hash, true, "Hash of the block."),
    ("specimen_hash", Scalar::Hash, true, "Hash that the network announces for the specimen."),
    ("layout", Scalar::String, true, "Layout of the specimen."),
    ("rule", Scalar::String, true, "Name of the rule."),
    ("rule_identity", Scalar::Hash, true, "Identity of rule, parameters, limits and engine."),
    (
        "verdict",
        Scalar::String,
        false,
        "Verdict of the run; 'unusable' for a specimen that no rule saw, 'failed' for a failure of this host.",
    ),
    ("message", Scalar::String, true, "Reason, for every verdict but 'produced'."),
    ("records", Scalar::U64, true, "Rows that the run produced."),
    (
        "basis",
        Scalar::String,
        true,
        "What receipts and logs rest on: an execution, or the receipts that the specimen carries.",
    ),
    ("fuel", Scalar::U64, true, "Fuel that the run used."),
];

static RUNS: LazyLock<Layout> = LazyLock::new(|| {
    let column = |(name, scalar, nullable, doc): (&str, Scalar, bool, &str)| Column {
        name: name.to_owned(),
        kind: ColumnType::One(scalar),
        nullable,
        key: false,
        field: None,
        doc: Some(doc.to_owned()),
    };
    Layout::new(&RUN_COLUMNS.map(column), Options::default())
});

/// A replay whose rules are ready, and whose rows go to its caller.
pub struct RowReplay {
    job: Job,
    items: Vec<Item>,
    threads: NonZeroUsize,
    tables: Arc<Tables>,
    policy: ExecutionPolicy,
    /// Arguments that name nothing. They stop no other.
    pub refused: Vec<InputError>,
}

/// A table that a replay fills.
#[derive(Clone, Debug)]
pub struct RowTable {
    /// Name of the rule.
    pub rule: String,
    /// Name of the output, without `.ndjson`.
    pub output: String,
    /// Identity of rule, parameters, limits and engine, with `0x`.
    pub identity: String,
    /// Its columns.
    pub layout: Layout,
}

/// The rows of one specimen.
pub struct SpecimenRows {
    /// Rows with the position of their table, in the order in which they were made.
    pub rows: Vec<(usize, Batch)>,
    /// One row for each run, or for the specimen where it is unusable.
    pub runs: Batch,
    /// Runs without a result and the unusable specimen, a line each.
    pub missing: Vec<String>,
}

impl RowReplay {
    /// Finds specimens and makes rules ready; of [`Replay::out`], [`Replay::table`] and [`Replay::style`] nothing is read.
    /// Specimens are taken by height, and of equal ones the first.
    ///
    /// # Errors
    ///
    /// Those of inputs, rules and settings; a rule has an output without columns.
    pub fn prepare(replay: &Replay, wide: WideNumbers) -> Result<Self, Failure> {
        let Expanded { inputs, mut refused } =
            input::expand_with(&replay.arguments()?, &remote_files(&replay.settings));
        if inputs.is_empty() && !refused.is_empty() {
            return Err(refused.remove(0).into());
        }
        let threads = replay.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
        let inputs = Inputs::select(inputs, &replay.blocks, true, threads, kept_headings().as_deref())?;
        let known = KnownBlocks::of_headings(inputs.known(), replay.block_hashes.as_deref())?;
        let chains = replay.chains()?;
        let rules = replay.load(&chains, threads, replay.isolate)?;
        // The format is that of files, of which there are none.
        let choice = TableChoice { format: Format::ArrowStream, wide, blocks_per_file: NonZeroUsize::MAX };
        let tables = Arc::new(Tables::of(&rules, choice)?);
        let plan = Plan::of(inputs, &Standing::default(), Path::new(""), usize::MAX, &Conditions::default())?;
        let job = Job::here(replay.executor(&chains, None)?, rules, known, Keep::Tables(Arc::clone(&tables)));
        let policy = executor::policy(&replay.settings);
        Ok(Self { job, items: plan.items, threads, tables, policy, refused })
    }

    /// The tables, by the positions that [`SpecimenRows::rows`] has.
    pub fn tables(&self) -> Vec<RowTable> {
        let identity = |rule: &str| {
            let loaded = self.job.rules.iter().find(|loaded| &*loaded.name == rule);
            loaded.map(|loaded| loaded.identity.to_string()).unwrap_or_default()
        };
        let table = |(rule, output, layout): (&str, &str, &Layout)| RowTable {
            rule: rule.to_owned(),
            output: output.to_owned(),
            identity: identity(rule),
            layout: layout.clone(),
        };
        self.tables.outputs().map(table).collect()
    }

    /// The columns of [`SpecimenRows::runs`].
    pub fn runs_layout() -> &'static Layout {
        &RUNS
    }

    /// Number of specimens.
    pub const fn specimens(&self) -> usize {
        self.items.len()
    }

    /// The terms on which blocks are executed.
    pub const fn policy(&self) -> ExecutionPolicy {
        self.policy
    }

    /// Runs every rule over every specimen, and calls `each` in the order of their heights, on this thread. `begun` is given the way
    /// to end it from another one.
    ///
    /// # Errors
    ///
    /// The operating system grants no thread.
    pub fn run<Stop>(
        self,
        begun: impl FnOnce(Interrupter),
        each: impl FnMut(SpecimenRows) -> ControlFlow<Stop>,
    ) -> Result<End<Stop>, NoThread> {
        let Self { job, items, threads, .. } = self;
        parallel::in_order(items, threads, move |item| SpecimenRows::of(job.replay(item)), begun, each)
    }
}

impl SpecimenRows {
    fn of(replayed: Replayed) -> Self {
        let (mut ndjson, mut missing) = (Vec::new(), Vec::new());
        for row in rows_of_runs(&replayed) {
            ndjson.extend(row.to_string().into_bytes());
            ndjson.push(b'\n');
        }
        let rows = match replayed.outcome {
            Ok(outcome) => {
                missing.extend(outcome.runs.iter().filter_map(|run| missing_run(&outcome, run)));
                outcome.into_rows()
            }
            Err(error) => {
                missing.push(format!("{}: {}", replayed.input, OneLine(&error)));
                Vec::new()
            }
        };
        let runs = RUNS.batch(&ndjson).unwrap_or_else(|error| unreachable!("rows of runs fit their columns: {error}"));
        Self { rows, runs, missing }
    }
}

fn rows_of_runs(replayed: &Replayed) -> Vec<Value> {
    let specimen = replayed.input.name();
    match &replayed.outcome {
        Ok(outcome) => outcome.runs.iter().map(|run| row(&specimen, outcome, run)).collect(),
        Err(error) => {
            let message = format!("{}: {error}", error.class());
            vec![json!({ "specimen": specimen, "verdict": "unusable", "message": message })]
        }
    }
}

fn row(specimen: &str, outcome: &Outcome, run: &RunRecord) -> Value {
    let facts = &outcome.facts;
    let (mut records, mut usage, mut basis) = (None, None, None);
    match &run.end {
        RunEnd::Produced { records: produced, usage: used, evidence, .. } => {
            (records, usage) = (Some(*produced), Some(used));
            basis = evidence.basis.as_ref().map(|basis| basis.as_str());
        }
        RunEnd::Refused { usage: used, .. } => usage = Some(used),
        RunEnd::OtherBlock | RunEnd::Failed(_) => {}
    }
    let (verdict, message) = ended(outcome, run);
    json!({
        "specimen": specimen,
        "chain_id": facts.chain_id,
        "block_number": facts.height,
        "block_hash": facts.block_hash,
        "specimen_hash": facts.specimen_hash,
        "layout": facts.layout,
        "rule": &*run.rule,
        "rule_identity": run.identity,
        "verdict": verdict,
        "message": message,
        "records": records,
        "basis": basis,
        "fuel": usage.map(|usage| usage.used.get(Limit::Fuel)),
    })
}

/// The verdict of a run, and its reason where there is no result.
fn ended(outcome: &Outcome, run: &RunRecord) -> (&'static str, Option<String>) {
    match &run.end {
        RunEnd::Produced { .. } => ("produced", None),
        RunEnd::Refused { verdict, .. } => (verdict.name(), Some(verdict.to_string())),
        RunEnd::OtherBlock => {
            let verdict = outcome.other_block();
            (verdict.name(), Some(verdict.to_string()))
        }
        RunEnd::Failed(failure) => ("failed", Some(failure.to_string())),
    }
}

fn missing_run(outcome: &Outcome, run: &RunRecord) -> Option<String> {
    let (verdict, message) = ended(outcome, run);
    let facts = &outcome.facts;
    let text = message?;
    let text = if text.starts_with(verdict) { text } else { format!("{verdict}: {text}") };
    Some(format!("{}-{} {}: {}", facts.chain_id, facts.height, OneLine(&run.rule), OneLine(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_runs_have_names_that_sql_takes_and_take_a_row_without_optional_values() {
        let row = b"{\"specimen\":\"a\",\"verdict\":\"unusable\",\"message\":\"malformed: x\"}\n";
        assert_eq!(RUNS.batch(row).unwrap().rows(), 1);
        assert_eq!(RUNS.names().count(), RUN_COLUMNS.len());
    }
}
