//! The plan of a replay: inputs, less what is not selected and what is done, in units that are kept together.

mod again;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use refiner_data_set::{Standing, Unit};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_specimen_files::{
    headings::{Heading, Peeked},
    input::{Input, InputError},
    selection::{BlockSelection, selects},
};
use refiner_text::OneLine;

use self::again::{Key, by_block, key, units_again};
use crate::conditions::Conditions;

/// An input that is to be run.
#[derive(Clone, Debug)]
pub struct Item {
    /// The place of its bytes.
    pub input: Input,
    /// Number of its unit; none of what has no heading, and where nothing is kept.
    pub unit: Option<usize>,
    /// The reason for which its heading could not be read, which is its result: without a heading it has no place among the others.
    pub unread: Option<Arc<InputError>>,
}

/// Inputs with the headings that were read of them.
#[derive(Debug)]
pub struct Inputs {
    pub inputs: Vec<Input>,
    /// One for each of them; none where there is no use for it.
    pub headings: Vec<Peeked>,
}

/// The work of a replay.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order of their results.
    pub items: Vec<Item>,
    /// Number of items of each unit.
    pub units: Vec<usize>,
    /// The unit's first and last height, for a report before the work.
    pub ranges: Vec<(u64, u64, u64)>,
    /// Numbers of units that take the place of one of the data set, whole or not at all.
    pub replacing: BTreeSet<usize>,
    /// Specimens that are part of the data set already.
    pub done: u64,
    /// Of them: those with a run that ended in another verdict than `produced`.
    pub done_otherwise: u64,
    /// Specimens that are another's copies.
    pub copies: u64,
}

/// Inputs that cannot be run together.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No height is selected.
    #[error("--blocks selects none of the {found} specimens, whose heights are {first} to {last}")]
    NothingSelected { found: usize, first: u64, last: u64 },
    /// Two files of one height with other bytes.
    #[error("two specimens of block {chain_id}-{height} that are not equal: {one} and {other}")]
    TwoSpecimens { chain_id: u64, height: u64, one: Input, other: Input },
    /// The data set has another specimen of the height.
    #[error(
        "{}: the data set was made with another specimen of block {chain_id}-{height} than {input}",
        OneLine(.directory.display())
    )]
    OtherSpecimen { directory: PathBuf, chain_id: u64, height: u64, input: Input },
    /// The same of a height without results, whose unit cannot be made again from these inputs.
    #[error(
        "{}: the data set was made with another specimen of block {chain_id}-{height} than {input}, and has it in one unit with \
         blocks {first} to {last}",
        OneLine(.directory.display())
    )]
    PartOfUnit { directory: PathBuf, chain_id: u64, height: u64, first: u64, last: u64, input: Input },
    /// Some of the blocks of a unit that is made again as a whole, for a file of it is missing.
    #[error(
        "{}: a file of the unit with blocks {chain_id}-{first} to {last} is not there as the manifest states, and {named} of its \
         {blocks} specimens are named",
        OneLine(.directory.display())
    )]
    PartOfDamagedUnit { directory: PathBuf, chain_id: u64, first: u64, last: u64, named: usize, blocks: usize },
    /// Two files of one height, of which one cannot be read.
    #[error(transparent)]
    Read(#[from] InputError),
}

impl Diagnostic for PlanError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NothingSelected { .. }
            | Self::TwoSpecimens { .. }
            | Self::OtherSpecimen { .. }
            | Self::PartOfDamagedUnit { .. }
            | Self::PartOfUnit { .. } => ExitCode::Input,
            Self::Read(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NothingSelected { .. } => Some("a range ends before its last number: 10:20 is 10 to 19".into()),
            Self::TwoSpecimens { .. } => {
                Some("look at both with `refiner specimen check`, and name only one of them".into())
            }
            Self::OtherSpecimen { .. } => {
                Some("name another directory (--out), or the specimen that it was made with".into())
            }
            Self::PartOfDamagedUnit { .. } => {
                Some("name the specimens of all these blocks, or of none of them: they are made again together".into())
            }
            Self::PartOfUnit { .. } => {
                Some("name the specimens of all these blocks: they are made again together".into())
            }
            Self::Read(error) => error.hint(),
        }
    }
}

impl Inputs {
    /// Reads the headings, where there is use for them, and takes those of selected heights. What has no heading stays: its own
    /// result reports why.
    pub fn select(
        inputs: Vec<Input>,
        blocks: &[BlockSelection],
        is_kept: bool,
        threads: NonZeroUsize,
        kept_headings: Option<&Path>,
    ) -> Result<Self, PlanError> {
        if inputs.len() < 2 && blocks.is_empty() && !is_kept {
            return Ok(Self { headings: inputs.iter().map(|_| Ok(None)).collect(), inputs });
        }
        let headings = Heading::of_all_kept(&inputs, threads, kept_headings);
        let heights = || headings.iter().flatten().flatten().map(|heading| heading.height);
        let (first, last) = (heights().min().unwrap_or_default(), heights().max().unwrap_or_default());
        let found = inputs.len();
        let is_selected = |peeked: &Peeked| match peeked {
            Ok(Some(heading)) => selects(blocks, heading.height, last),
            Ok(None) | Err(_) => true,
        };
        let selected = inputs.into_iter().zip(headings).filter(|(_, heading)| is_selected(heading));
        let (inputs, headings): (Vec<_>, Vec<_>) = selected.unzip();
        if inputs.is_empty() && found > 0 {
            return Err(PlanError::NothingSelected { found, first, last });
        }
        Ok(Self { inputs, headings })
    }

    /// The headings that there are.
    pub fn known(&self) -> impl Iterator<Item = &Heading> {
        self.headings.iter().flatten().flatten()
    }
}

impl Item {
    /// An input of this unit.
    pub const fn of(input: Input, unit: usize) -> Self {
        Self { input, unit: Some(unit), unread: None }
    }

    /// An input without a unit, for whatever reason.
    fn without_unit(input: Input, peeked: Peeked) -> Self {
        Self { input, unit: None, unread: peeked.err().map(Arc::new) }
    }
}

impl Plan {
    /// Every input, and nothing is kept.
    pub fn of_all(inputs: Inputs) -> Self {
        let items = inputs.inputs.into_iter().zip(inputs.headings);
        let items = items.map(|(input, peeked)| Item::without_unit(input, peeked)).collect();
        Self { items, ..Self::default() }
    }

    /// The inputs that a data set lacks, in units of at most so many blocks of one chain. One of a single block keeps the order of
    /// the inputs, others are by height.
    pub fn of(
        inputs: Inputs,
        standing: &Standing,
        directory: &Path,
        blocks_per_unit: usize,
        conditions: &Conditions,
    ) -> Result<Self, PlanError> {
        let mut plan = Self::default();
        let mut unknown = Vec::new();
        let mut known: Vec<(Heading, Input)> = Vec::new();
        let mut first_of: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        for (input, heading) in inputs.inputs.into_iter().zip(inputs.headings) {
            let heading = match heading {
                Ok(Some(heading)) => heading,
                peeked @ (Ok(None) | Err(_)) => {
                    unknown.push(Item::without_unit(input, peeked));
                    continue;
                }
            };
            match first_of.entry((heading.chain_id, heading.height)) {
                Entry::Vacant(entry) => {
                    entry.insert(known.len());
                    known.push((heading, input));
                }
                Entry::Occupied(entry) => {
                    let one = &known[*entry.get()].1;
                    if one.read()? != input.read()? {
                        let Heading { chain_id, height, .. } = heading;
                        return Err(PlanError::TwoSpecimens { chain_id, height, one: one.clone(), other: input });
                    }
                    plan.copies += 1;
                }
            }
        }
        if blocks_per_unit > 1 {
            known.sort_by_key(|(heading, _)| (heading.chain_id, heading.height));
        }
        // Units follow from all inputs, so that they are the same however often a run was interrupted.
        let again = units_again(&known, standing, directory, conditions)?;
        let (by_block, mut begun) = (by_block(&known), BTreeSet::new());
        for unit in units(&known, blocks_per_unit) {
            plan.add(unit, standing, &again);
            for (heading, _) in unit {
                let earlier = standing.unit_of(heading.chain_id, heading.height);
                if let Some(earlier) =
                    earlier.filter(|earlier| again.contains(&key(earlier)) && begun.insert(key(earlier)))
                {
                    plan.replace(earlier, &by_block);
                }
            }
        }
        plan.items.extend(unknown);
        Ok(plan)
    }

    /// Adds a unit of those blocks that the data set lacks.
    fn add(&mut self, unit: &[(Heading, Input)], standing: &Standing, again: &BTreeSet<Key>) {
        let before = self.items.len();
        let mut range: Option<(u64, u64, u64)> = None;
        for (heading, input) in unit {
            let Heading { chain_id, height, .. } = *heading;
            match standing.unit_of(chain_id, height) {
                Some(there) if again.contains(&key(there)) => {}
                Some(_) => {
                    self.done += 1;
                    self.done_otherwise += u64::from(standing.has_other_verdict(chain_id, height));
                }
                None => {
                    self.items.push(Item::of(input.clone(), self.units.len()));
                    range = Some((chain_id, range.map_or(height, |(_, first, _)| first), height));
                }
            }
        }
        if let Some(range) = range {
            self.units.push(self.items.len() - before);
            self.ranges.push(range);
        }
    }

    /// Adds a unit in the place of an earlier one, of the same blocks.
    fn replace(&mut self, earlier: &Unit, by_block: &BTreeMap<(u64, u64), &Input>) {
        let number = self.units.len();
        let before = self.items.len();
        let inputs = earlier.specimens.iter().filter_map(|one| by_block.get(&(earlier.chain_id, one.height)));
        self.items.extend(inputs.map(|input| Item::of((*input).clone(), number)));
        self.units.push(self.items.len() - before);
        self.ranges.push((earlier.chain_id, earlier.first, earlier.last));
        self.replacing.insert(number);
    }
}

/// Neighbours of one chain, so many at once.
fn units(known: &[(Heading, Input)], blocks_per_unit: usize) -> impl Iterator<Item = &[(Heading, Input)]> {
    let chains = known.chunk_by(|(one, _), (other, _)| one.chain_id == other.chain_id);
    chains.flat_map(move |chain| chain.chunks(blocks_per_unit.max(1)))
}
