//! Results on their way into a data set: what belongs to one unit is committed together.

use std::collections::BTreeMap;

use refiner_data_set::{DataSet, DataSetError, Manifest, SpecimenEntry, Unit, VerdictEntry};
use refiner_diagnostics::Failure;

use crate::job::{Outcome, Replayed, RunEnd};

/// Takes results in their order and commits each unit that is complete.
pub struct Keeper {
    data_set: DataSet,
    /// Items that each unit still waits for.
    left: Vec<usize>,
    open: BTreeMap<usize, Unit>,
}

impl Keeper {
    /// The keeper of units of so many items.
    pub fn new(data_set: DataSet, units: Vec<usize>) -> Self {
        Self { data_set, left: units, open: BTreeMap::new() }
    }

    /// Takes one result, and commits its unit where it was the last of it. A specimen without a result, or with a run that has no
    /// verdict, stays out of the data set, and a later run makes it.
    ///
    /// # Errors
    ///
    /// The operating system refuses a file: the replay ends.
    pub fn take(&mut self, replayed: &Replayed) -> Result<(), Failure> {
        if let Ok(outcome) = &replayed.outcome
            && outcome.has_failure()
        {
            self.discard(outcome);
        }
        let Some(number) = replayed.unit else { return Ok(()) };
        if let Ok(outcome) = &replayed.outcome
            && !outcome.has_failure()
        {
            add(self.open.entry(number).or_default(), outcome);
        }
        self.left[number] -= 1;
        if self.left[number] == 0
            && let Some(unit) = self.open.remove(&number)
        {
            self.data_set.commit(unit)?;
        }
        Ok(())
    }

    /// Writes the manifest.
    ///
    /// # Errors
    ///
    /// The operating system refuses it.
    pub fn finish(self) -> Result<Manifest, DataSetError> {
        self.data_set.finish()
    }

    fn discard(&self, outcome: &Outcome) {
        let staging = self.data_set.staging();
        for run in &outcome.runs {
            if let RunEnd::Produced { artifacts, .. } = &run.end {
                artifacts.iter().filter_map(|kept| kept.file.as_ref()).for_each(|file| staging.discard(&file.path));
            }
        }
    }
}

fn add(unit: &mut Unit, outcome: &Outcome) {
    let facts = &outcome.facts;
    if unit.specimens.is_empty() {
        (unit.chain_id, unit.first) = (facts.chain_id, facts.height);
    }
    unit.last = facts.height;
    unit.specimens.push(SpecimenEntry {
        height: facts.height,
        block_hash: facts.block_hash,
        specimen_hash: facts.specimen_hash.unwrap_or_default(),
        bytes: facts.bytes as u64,
    });
    for run in &outcome.runs {
        let verdict = match &run.end {
            RunEnd::Produced { artifacts, .. } => {
                unit.files.extend(artifacts.iter().filter_map(|kept| kept.file.clone()));
                continue;
            }
            RunEnd::Refused { verdict, .. } => (verdict.name(), verdict.to_string()),
            RunEnd::OtherBlock => {
                let verdict = outcome.other_block();
                (verdict.name(), verdict.to_string())
            }
            RunEnd::Failed(_) => continue,
        };
        let (name, message) = verdict;
        let (rule, verdict) = (run.rule.to_string(), name.to_owned());
        unit.verdicts.push(VerdictEntry { height: facts.height, rule, verdict, message });
    }
}
