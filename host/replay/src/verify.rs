//! A data set, computed again and compared.

mod compare;

use std::{
    collections::BTreeMap, ffi::OsString, io, num::NonZeroUsize, ops::ControlFlow, path::PathBuf, sync::Arc, thread,
};

use refiner_config::Values;
use refiner_data_set::{DataSet, Difference, Manifest, OutputTerms, RuleTerms};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_executor as executor;
use refiner_specimen_files::{input::Input, known_blocks::KnownBlocks};
use refiner_table::{Format, WideNumbers};
use refiner_terminal::{self as terminal, PrintError, failure};
use refiner_text::{OneLine, UntrustedText};
use tempfile::TempDir;

use self::compare::{Compared, Finding, Made};
use crate::{
    ChildProgram, Replay, Style, TableChoice,
    job::{Job, Keep},
    keeper::Keeper,
    parallel::{self, End},
    plan::{Inputs, Item},
    report::Report,
    run::kept_headings,
    signals,
    tables::Tables,
};

/// Specimens that are named one by one when they are missing.
const MISSING_SHOWN: usize = 10;

/// A verification that is asked for.
pub struct Verification {
    /// The manifest of the data set.
    pub manifest: PathBuf,
    /// The specimens that it was made of, named as for a replay.
    pub specimens: Vec<OsString>,
    /// A list of more of them.
    pub files_from: Option<OsString>,
    /// References of the rules, where one is not built in.
    pub rules: Vec<String>,
    /// Files with chains beyond the built-in ones.
    pub chain_configs: Vec<PathBuf>,
    /// A list of block hashes that are known.
    pub block_hashes: Option<PathBuf>,
    /// Specimens worked on at once.
    pub threads: Option<NonZeroUsize>,
    /// The settings of the command.
    pub settings: Values,
}

/// A data set that cannot be computed again.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no manifest.
    #[error("{}: no such file", OneLine(.0.display()))]
    NoManifest(PathBuf),
    /// Another program, rule or parameter would make another data set.
    #[error("the data set has the {0}")]
    OtherTerms(Difference),
    /// A form of tables that this program does not know.
    #[error("the data set is of the format {format} with numbers as {wide}, which this program does not write")]
    UnknownForm { format: UntrustedText, wide: UntrustedText },
    /// No place for what is computed again.
    #[error("no temporary directory: {0}")]
    Temporary(#[source] io::Error),
}

impl Diagnostic for VerifyError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoManifest(_) | Self::UnknownForm { .. } => ExitCode::Input,
            Self::OtherTerms(_) => ExitCode::Usage,
            Self::Temporary(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoManifest(_) => Some("a replay with --out writes _manifest.json there".into()),
            Self::OtherTerms(_) => {
                Some("use the build that made it, and name rules that are not built in with --rule".into())
            }
            Self::UnknownForm { .. } | Self::Temporary(_) => None,
        }
    }
}

/// Computes a data set again and compares it byte by byte. Prints the first difference.
///
/// # Errors
///
/// The manifest, the rules or the inputs cannot be used; the operating system refuses.
pub fn verify(asked: Verification) -> Result<ExitCode, Failure> {
    let made = Made::at(&asked.manifest, &asked.settings)?;
    let manifest = made.manifest(&asked.manifest)?.ok_or_else(|| VerifyError::NoManifest(asked.manifest.clone()))?;
    let replay = asked.replay(&manifest)?;
    let available = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = replay.threads.unwrap_or_else(available);
    let expanded = replay.expand()?;
    expanded.refused.iter().for_each(failure::report_argument);
    let inputs = Inputs::select(expanded.inputs, &[], true, threads, kept_headings().as_deref())?;
    let known = KnownBlocks::of_headings(&inputs.headings, replay.block_hashes.as_deref())?;
    let rules = replay.load(threads, replay.isolate)?;
    let tables = replay.table.map(|choice| Tables::of(&rules, choice)).transpose()?.map(Arc::new);
    let terms = replay.terms(&rules, tables.as_deref());
    if let Some(difference) = manifest.terms.difference(&terms) {
        return Err(VerifyError::OtherTerms(difference).into());
    }
    let Recomputation { items, units, missing } = Recomputation::of(&manifest, inputs);
    let place = TempDir::new().map_err(VerifyError::Temporary)?;
    let data_set = DataSet::open(place.path(), terms)?;
    let files = || Keep::Files { staging: data_set.staging(), directory: place.path().to_owned() };
    let keep = tables.clone().map_or_else(files, Keep::Tables);
    let job = Arc::new(Job::here(replay.executor(None)?, rules, known, keep));
    let mut report = Report::begin_counting(executor::policy(&replay.settings), items.len() as u64);
    let mut keeper = Keeper::new(data_set, tables, units.iter().map(|(_, items)| *items).collect());
    let mut compared = Compared::default();
    let end = parallel::in_order(
        items,
        threads,
        move |item| job.replay(item),
        signals::interrupts,
        |replayed| {
            let mut compare = || -> Result<Option<Finding>, Failure> {
                report.record(&replayed).map_err(PrintError::from)?;
                let Some(unit) = keeper.take(&replayed)? else { return Ok(None) };
                let number = replayed.unit.unwrap_or_default();
                let stated = &manifest.units[units[number].0];
                Ok(compared.unit(stated, &unit, &made, place.path())?)
            };
            match compare() {
                Ok(None) => ControlFlow::Continue(()),
                Ok(Some(finding)) => ControlFlow::Break(Ok(finding)),
                Err(failure) => ControlFlow::Break(Err(failure)),
            }
        },
    )?;
    let totals = report.end();
    let mut out = terminal::buffered_out(false);
    let exit = match end {
        End::Broken(Err(failure)) => return Err(failure),
        End::Broken(Ok(finding)) => {
            writeln!(out, "different  {finding}")?;
            ExitCode::Verdict
        }
        End::Interrupted => ExitCode::Interrupted,
        End::Complete if missing.is_empty() => totals.exit_of_failures(),
        End::Complete => totals.exit_of_failures().max(ExitCode::Input),
    };
    let Compared { units: same, files } = compared;
    writeln!(out, "the same   {files} files of {same} of {} units", manifest.units.len())?;
    for (chain_id, height) in missing.iter().take(MISSING_SHOWN) {
        writeln!(out, "missing    the specimen of block {chain_id}-{height}")?;
    }
    if missing.len() > MISSING_SHOWN {
        writeln!(out, "missing    {} more specimens", missing.len() - MISSING_SHOWN)?;
    }
    out.finish()?;
    Ok(exit)
}

impl Verification {
    /// The replay that made the data set.
    fn replay(self, manifest: &Manifest) -> Result<Replay, VerifyError> {
        let terms = &manifest.terms;
        let table = match &terms.output {
            OutputTerms::Artifacts => None,
            OutputTerms::Table { format, blocks_per_file, wide_numbers, .. } => {
                let text = |text: &String| UntrustedText::new(text);
                let unknown = || VerifyError::UnknownForm { format: text(format), wide: text(wide_numbers) };
                Some(TableChoice {
                    format: Format::named(format).ok_or_else(unknown)?,
                    wide: WideNumbers::named(wide_numbers).ok_or_else(unknown)?,
                    blocks_per_file: usize::try_from(*blocks_per_file)
                        .ok()
                        .and_then(NonZeroUsize::new)
                        .ok_or_else(unknown)?,
                })
            }
        };
        let names = || terms.rules.iter().map(|rule| rule.name.clone()).collect();
        let of_rule = |rule: &RuleTerms| {
            let name = rule.name.clone();
            rule.params
                .clone()
                .into_iter()
                .map(move |(own, value)| (format!("{name}:{own}"), value))
                .collect::<Vec<_>>()
        };
        let params = terms.rules.iter().flat_map(of_rule).collect();
        Ok(Replay {
            specimens: self.specimens,
            files_from: self.files_from,
            blocks: Vec::new(),
            rules: if self.rules.is_empty() { names() } else { self.rules },
            out: None,
            table,
            report_page: None,
            dry_run: false,
            params,
            chain_configs: self.chain_configs,
            block_hashes: self.block_hashes,
            isolate: false,
            children: ChildProgram::this_program(),
            threads: self.threads,
            style: Style::Summary,
            settings: self.settings,
        })
    }
}

/// The work of a verification.
#[derive(Default)]
struct Recomputation {
    items: Vec<Item>,
    /// For each unit its position in the manifest, and the number of its items.
    units: Vec<(usize, usize)>,
    /// Chain and height of specimens that no input is. A unit that lacks one is left out.
    missing: Vec<(u64, u64)>,
}

impl Recomputation {
    fn of(manifest: &Manifest, inputs: Inputs) -> Self {
        let mut by_block: BTreeMap<_, Input> = BTreeMap::new();
        for (input, heading) in inputs.inputs.into_iter().zip(inputs.headings) {
            if let Some(heading) = heading {
                by_block.entry((heading.chain_id, heading.height, heading.block_hash)).or_insert(input);
            }
        }
        let mut work = Self::default();
        for (position, unit) in manifest.units.iter().enumerate() {
            let mut found = Vec::new();
            for specimen in &unit.specimens {
                match by_block.get(&(unit.chain_id, specimen.height, specimen.block_hash)) {
                    Some(input) => found.push(Item { input: input.clone(), unit: Some(work.units.len()) }),
                    None => work.missing.push((unit.chain_id, specimen.height)),
                }
            }
            if found.len() == unit.specimens.len() && !found.is_empty() {
                work.units.push((position, found.len()));
                work.items.extend(found);
            }
        }
        work
    }
}
