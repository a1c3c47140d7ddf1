//! A data set, computed again and compared.

mod compare;
mod finding;
mod recomputation;
mod unlisted;

use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsString,
    fs, io,
    num::NonZeroUsize,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use refiner_config::Values;
use refiner_data_set::{DataSet, Difference, MANIFEST, Manifest, OutputTerms, RuleTerms};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_executor as executor;
use refiner_remote_files::is_url;
use refiner_rule_package::builtin;
use refiner_specimen_files::known_blocks::KnownBlocks;
use refiner_table::{Format, WideNumbers};
use refiner_terminal::{self as terminal, PrintError, by_number, failure};
use refiner_text::{OneLine, UntrustedText};
use tempfile::TempDir;

use self::{
    compare::{Compared, Made},
    finding::Finding,
    recomputation::Recomputation,
};
use crate::{
    ChildProgram, Replay, Style, TableChoice,
    conditions::Conditions,
    job::{Job, Keep},
    keeper::Keeper,
    parallel::{self, End},
    plan::Inputs,
    report::Report,
    run::kept_headings,
    signals,
    tables::Tables,
};

/// Specimens that are named one by one when they are missing.
const MISSING_SHOWN: usize = 10;
/// Tries to remove a temporary directory in which threads may still make a file, and the pause between two.
const REMOVALS: usize = 20;
const REMOVED_AGAIN: Duration = Duration::from_millis(5);

/// A verification that is asked for.
pub struct Verification {
    /// The manifest of the data set, or its directory.
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
    /// What a run committed is not in the manifest yet.
    #[error("{}: a replay was interrupted there, or is under way", OneLine(.0.display()))]
    Unfinished(PathBuf),
    /// A manifest may be anybody's: no rule is loaded or fetched because it is named there.
    #[error("the data set has the rule {0}, which is not built in")]
    NotBuiltIn(UntrustedText),
    /// A replay makes no such data set.
    #[error("the manifest has the rule {0} more than once")]
    NamedTwice(UntrustedText),
    /// Another program, rule or parameter would make another data set.
    #[error("the data set has the {0}")]
    OtherTerms(Difference),
    /// A form of tables that this program does not know.
    #[error("the data set is of the format {format} with numbers as {wide}, which this program does not write")]
    UnknownForm { format: UntrustedText, wide: UntrustedText },
    /// A table of no blocks, or of more than this machine can count.
    #[error("the manifest has the output blocksPerFile {0}, and this program writes 1 to {max}", max = usize::MAX)]
    BlocksPerFile(u64),
    /// No place for what is computed again.
    #[error("no temporary directory: {0}")]
    Temporary(#[source] io::Error),
}

impl Diagnostic for VerifyError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoManifest(_)
            | Self::Unfinished(_)
            | Self::NamedTwice(_)
            | Self::UnknownForm { .. }
            | Self::BlocksPerFile(_) => ExitCode::Input,
            Self::OtherTerms(_) | Self::NotBuiltIn(_) => ExitCode::Usage,
            Self::Temporary(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoManifest(_) => Some("a replay with --out writes _manifest.json there".into()),
            Self::Unfinished(_) => Some("the same `refiner replay` command completes it".into()),
            Self::NotBuiltIn(_) => Some("name the component of each rule, and built-in ones too: --rule FILE".into()),
            Self::OtherTerms(_) => {
                Some("use the build that made it, and name rules that are not built in with --rule".into())
            }
            Self::NamedTwice(_) | Self::BlocksPerFile(_) => Some("put back the manifest that the replay wrote".into()),
            Self::UnknownForm { .. } | Self::Temporary(_) => None,
        }
    }
}

/// Computes a data set again and compares it byte by byte, and what the manifest states of it and the names of its files as well.
/// Prints the first file that differs, and all that is known without computing.
///
/// # Errors
///
/// The manifest, the rules or the inputs cannot be used; the operating system refuses.
pub fn verify(asked: Verification) -> Result<ExitCode, Failure> {
    let path = manifest_path(&asked.manifest);
    let made = Made::at(&path, &asked.settings)?;
    if let Some(directory) = made.unfinished() {
        return Err(VerifyError::Unfinished(directory).into());
    }
    let manifest = made.manifest(&path)?.ok_or_else(|| VerifyError::NoManifest(path.clone()))?;
    let has_conditions = !asked.chain_configs.is_empty() || asked.block_hashes.is_some();
    let replay = asked.replay(&manifest)?;
    let available = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = replay.threads.unwrap_or_else(available);
    let expanded = replay.expand()?;
    expanded.refused.iter().for_each(failure::report_argument);
    let inputs = Inputs::select(expanded.inputs, &[], true, threads, kept_headings().as_deref())?;
    let known = KnownBlocks::of_headings(inputs.known(), replay.block_hashes.as_deref())?;
    let chains = replay.chains()?;
    let rules = replay.load(&chains, threads, replay.isolate)?;
    let tables = replay.table.map(|choice| Tables::of(&rules, choice)).transpose()?.map(Arc::new);
    let terms = replay.terms(&rules, tables.as_deref());
    if let Some(difference) = manifest.terms.difference(&terms) {
        return Err(VerifyError::OtherTerms(difference).into());
    }
    let mut findings: Vec<_> = manifest.inconsistencies().into_iter().map(Finding::Manifest).collect();
    findings.extend(unlisted::unlisted(&made, &path, &manifest)?);
    let Recomputation { items, units, missing, uncovered, besides, unread } = Recomputation::of(&manifest, inputs);
    unread.iter().for_each(|(input, error)| failure::report_item(input, error));
    findings.extend((uncovered > 0).then_some(Finding::Uncovered { specimens: uncovered }));
    let workplace = Workplace::new().map_err(VerifyError::Temporary)?;
    let place = workplace.path();
    let data_set = DataSet::open(place.as_path(), terms)?;
    let files = || Keep::Files { staging: data_set.staging(), directory: place.clone() };
    let keep = tables.clone().map_or_else(files, Keep::Tables);
    let job = Arc::new(Job::here(replay.executor(&chains, None)?, rules, known, keep));
    let mut report = Report::begin_counting(executor::policy(&replay.settings), items.len() as u64);
    let conditions = Conditions::of(&chains, Arc::clone(&job.known));
    let mut keeper = Keeper::new(data_set, tables, units.iter().map(|(_, items)| *items).collect())
        .replacing(&BTreeSet::new(), conditions);
    let mut compared = Compared { has_conditions, ..Compared::default() };
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
                Ok(compared.unit(stated, &unit, &made, &place)?)
            };
            match compare() {
                Ok(None) => ControlFlow::Continue(()),
                Ok(Some(finding)) => ControlFlow::Break(Ok(finding)),
                Err(failure) => ControlFlow::Break(Err(failure)),
            }
        },
    )?;
    let failures = report.end().exit_of_failures();
    let verdict = |findings: &[Finding]| if findings.is_empty() { ExitCode::Done } else { ExitCode::Verdict };
    let exit = match end {
        End::Broken(Err(failure)) => return Err(failure),
        End::Broken(Ok(finding)) => {
            findings.insert(0, finding);
            ExitCode::Verdict
        }
        End::Interrupted => ExitCode::Interrupted,
        // Whatever the reason: what was not compared is not the same.
        End::Complete if compared.units < manifest.units.len() as u64 || !unread.is_empty() => {
            failures.max(verdict(&findings)).max(ExitCode::Input)
        }
        End::Complete => failures.max(verdict(&findings)),
    };
    let result = Verified { compared, units: manifest.units.len(), findings, missing, besides };
    result.print()?;
    Ok(exit)
}

/// The manifest of a data set that is named by it, or by its directory or prefix.
fn manifest_path(named: &Path) -> PathBuf {
    match named.to_str().filter(|named| is_url(named)) {
        Some(url) if url.ends_with(".json") => named.to_owned(),
        Some(url) => format!("{}/{MANIFEST}", url.trim_end_matches('/')).into(),
        None if named.is_dir() => named.join(MANIFEST),
        None => named.to_owned(),
    }
}

/// A temporary directory for what is computed.
struct Workplace(TempDir);

impl Workplace {
    fn new() -> io::Result<Self> {
        TempDir::new().map(Self)
    }

    /// The directory of the data set that is computed.
    fn path(&self) -> PathBuf {
        self.0.path().join("data-set")
    }
}

impl Drop for Workplace {
    /// Takes the data set's name away before all is removed: threads that still have a specimen in hand find no place for its files. One may
    /// be making a file at this moment, which then stands in the way of the removal, and of the next one not any more.
    fn drop(&mut self) {
        let _ = fs::rename(self.path(), self.0.path().join("ended"));
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(self.0.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(REMOVED_AGAIN),
                Ok(()) | Err(_) => return,
            }
        }
    }
}

/// The result of a verification.
struct Verified {
    compared: Compared,
    /// Number of units of the manifest.
    units: usize,
    findings: Vec<Finding>,
    missing: Vec<(u64, u64)>,
    besides: u64,
}

impl Verified {
    fn print(&self) -> Result<(), PrintError> {
        let Self { compared, units, findings, missing, besides } = self;
        let Compared { units: same, files, without_conditions, .. } = compared;
        let mut out = terminal::buffered_out(false);
        for finding in findings {
            writeln!(out, "different  {finding}")?;
        }
        writeln!(out, "the same   {files} files of {same} of {units} units")?;
        for (chain_id, height) in missing.iter().take(MISSING_SHOWN) {
            writeln!(out, "missing    the specimen of block {chain_id}-{height}")?;
        }
        if missing.len() > MISSING_SHOWN {
            writeln!(out, "missing    {} more specimens", missing.len() - MISSING_SHOWN)?;
        }
        if *besides > 0 {
            writeln!(
                out,
                "besides    {besides} {} no unit has",
                by_number(*besides, "specimen that", "specimens that")
            )?;
        }
        if *without_conditions > 0 {
            writeln!(
                out,
                "besides    conditions of {without_conditions} {} compared: no --chain-config and no --block-hashes is given",
                by_number(*without_conditions, "unit, which are not", "units, which are not")
            )?;
        }
        out.finish()
    }
}

/// A rule with the name of one before it.
fn twice(rules: &[RuleTerms]) -> Option<&RuleTerms> {
    let mut names = HashSet::new();
    rules.iter().find(|rule| !names.insert(&rule.name))
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
                        .ok_or(VerifyError::BlocksPerFile(*blocks_per_file))?,
                })
            }
        };
        let built_in = |rule: &RuleTerms| match builtin::rule(&rule.name) {
            Some(_) => Ok(rule.name.clone()),
            None => Err(VerifyError::NotBuiltIn(UntrustedText::new(&rule.name))),
        };
        if let Some(twice) = twice(&terms.rules) {
            return Err(VerifyError::NamedTwice(UntrustedText::new(&twice.name)));
        }
        let rules = if self.rules.is_empty() {
            terms.rules.iter().map(built_in).collect::<Result<_, _>>()?
        } else {
            self.rules
        };
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
            rules,
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
