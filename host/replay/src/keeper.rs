//! Results on their way into a data set: what belongs to one unit is committed together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use refiner_data_set::{DataSet, DataSetError, Manifest, SpecimenEntry, Unit, VerdictEntry};
use refiner_diagnostics::Failure;

use crate::{
    conditions::Conditions,
    job::{Outcome, Replayed, RunEnd},
    tables::{OpenTables, Tables},
};

/// Takes results in their order and commits each unit that is complete.
pub struct Keeper {
    data_set: DataSet,
    /// The tables that rows become, if they do.
    tables: Option<Arc<Tables>>,
    /// Items that each unit still waits for.
    left: Vec<usize>,
    /// Number of specimens of units that take the place of an earlier one, which stays where they are not whole.
    replacing: BTreeMap<usize, usize>,
    open: BTreeMap<usize, OpenUnit>,
    conditions: Conditions,
}

#[derive(Default)]
struct OpenUnit {
    unit: Unit,
    tables: Option<OpenTables>,
}

impl Keeper {
    /// The keeper of units of so many items.
    pub fn new(data_set: DataSet, tables: Option<Arc<Tables>>, units: Vec<usize>) -> Self {
        let (replacing, open) = (BTreeMap::new(), BTreeMap::new());
        Self { data_set, tables, left: units, replacing, open, conditions: Conditions::default() }
    }

    /// The same under conditions, with units that take the place of an earlier one.
    pub fn replacing(self, numbers: &BTreeSet<usize>, conditions: Conditions) -> Self {
        let replacing = numbers.iter().map(|number| (*number, self.left[*number])).collect();
        Self { replacing, conditions, ..self }
    }

    /// Takes one result, and commits its unit where it was the last of it. A specimen without a result, or with a run that has no
    /// verdict, stays out of the data set, and a later run makes it. Returns the unit that was committed.
    ///
    /// # Errors
    ///
    /// The operating system refuses a file: the replay ends.
    pub fn take(&mut self, replayed: &Replayed) -> Result<Option<Unit>, Failure> {
        // The job gives nothing without a unit a result where results are kept.
        let Some(number) = replayed.unit else { return Ok(None) };
        match &replayed.outcome {
            Ok(outcome) if outcome.has_failure() => self.discard(outcome),
            Ok(outcome) => self.add(number, outcome)?,
            Err(_) => {}
        }
        self.left[number] -= 1;
        match self.open.remove(&number) {
            Some(open) if self.left[number] == 0 && self.lacks_one(number, &open) => {
                let staging = self.data_set.staging();
                open.unit.files.iter().for_each(|file| staging.discard(&file.path));
                Ok(None)
            }
            Some(open) if self.left[number] == 0 => self.commit(open).map(Some),
            Some(open) => {
                self.open.insert(number, open);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// True for a unit that does not have all of the one in whose place it would come.
    fn lacks_one(&self, number: usize, open: &OpenUnit) -> bool {
        self.replacing.get(&number).is_some_and(|specimens| open.unit.specimens.len() < *specimens)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    ///
    /// The operating system refuses it.
    pub fn finish(self) -> Result<Manifest, DataSetError> {
        self.data_set.finish()
    }

    fn add(&mut self, number: usize, outcome: &Outcome) -> Result<(), Failure> {
        let open = self.open.entry(number).or_default();
        if let Some(tables) = &self.tables {
            if open.tables.is_none() {
                let chain_id = outcome.facts.chain_id;
                open.tables = Some(OpenTables::begin(tables, &self.data_set.staging(), chain_id, number)?);
            }
            for rows in outcome.artifacts().filter_map(|kept| kept.rows.as_ref()) {
                open.tables.as_mut().map_or(Ok(()), |tables| tables.append(rows))?;
            }
        }
        add(&mut open.unit, outcome);
        Ok(())
    }

    fn commit(&mut self, OpenUnit { mut unit, tables: open }: OpenUnit) -> Result<Unit, Failure> {
        if let (Some(tables), Some(open)) = (&self.tables, open) {
            let range = (unit.chain_id, unit.first, unit.last);
            unit.files = open.finish(tables, &self.data_set.staging(), range)?;
        }
        // Not in the order in which rules were named: the same rules give the same manifest.
        unit.files.sort_by(|one, other| one.path.cmp(&other.path));
        unit.verdicts.sort_by(|one, other| (one.height, &one.rule).cmp(&(other.height, &other.rule)));
        if !unit.verdicts.is_empty() {
            let heights = unit.specimens.iter().map(|specimen| specimen.height);
            unit.conditions = self.conditions.of_blocks(unit.chain_id, heights);
        }
        self.data_set.commit(unit.clone())?;
        Ok(unit)
    }

    fn discard(&self, outcome: &Outcome) {
        let staging = self.data_set.staging();
        outcome.artifacts().filter_map(|kept| kept.file.as_ref()).for_each(|file| staging.discard(&file.path));
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
    unit.files.extend(outcome.artifacts().filter_map(|kept| kept.file.clone()));
    for run in &outcome.runs {
        let (name, message) = match &run.end {
            RunEnd::Produced { .. } | RunEnd::Failed(_) => continue,
            RunEnd::Refused { verdict, .. } => (verdict.name(), verdict.to_string()),
            RunEnd::OtherBlock => {
                let verdict = outcome.other_block();
                (verdict.name(), verdict.to_string())
            }
        };
        let (rule, verdict) = (run.rule.to_string(), name.to_owned());
        unit.verdicts.push(VerdictEntry { height: facts.height, rule, verdict, message });
    }
}
