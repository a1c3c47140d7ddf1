//! A whole replay: inputs, rules, threads, report.

use std::{
    env,
    ffi::OsString,
    num::NonZeroUsize,
    ops::ControlFlow,
    path::{self, Path, PathBuf},
    sync::Arc,
    thread,
};

use alloy_primitives::{hex, keccak256};
use refiner_buffers::Buffers;
use refiner_config::{Values, cache_directory, egress, table};
use refiner_data_set::{DataSet, Destination, OutputTerms, RuleTerms, Terms as DataSetTerms};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_evm::{ExecutionTerms, Executor};
use refiner_executor::{self as executor, Evm, chains::ConfiguredChains};
use refiner_output::refuse_input;
use refiner_remote_files::{RemoteFiles, Terms as RemoteTerms, is_url};
use refiner_rule_model::{Params, engine};
use refiner_rule_package::{Allowance, Sources};
use refiner_rule_session::{self as rules, LoadError, LoadedRule, Session, Terms};
use refiner_specimen_files::{
    input::{self, Expanded, Input, InputError},
    known_blocks::KnownBlocks,
    selection::BlockSelection,
};
use refiner_terminal::{PrintError, failure};
use refiner_text::OneLine;
use refiner_worker::ChildProgram;

use crate::{
    conditions::Conditions,
    dry_run,
    hosts::{Elsewhere, Hosts},
    job::{Hashes, Job, Keep, recording_of},
    keeper::Keeper,
    parallel::{self, End},
    plan::{Inputs, Plan},
    report::{Page, Report, State},
    signals::Signals,
    style::Style,
    tables::{TableChoice, Tables},
};

/// Bytes of a hash in the name of the directory in which files for a store are made.
const STAGING_NAME_BYTES: usize = 16;

/// A replay that is asked for.
pub struct Replay {
    /// Files, directories, patterns, archives, or `-` for standard input.
    pub specimens: Vec<OsString>,
    /// A list of more of them, or `-` for a list on standard input.
    pub files_from: Option<OsString>,
    /// Heights to take; all without any.
    pub blocks: Vec<BlockSelection>,
    /// Rules as an argument names them.
    pub rules: Vec<String>,
    /// The directory for what they produce, or a prefix of an object store; without it results are hashed and dropped.
    pub out: Option<PathBuf>,
    /// Puts rows of many blocks into tables there, instead of a file an artifact.
    pub table: Option<TableChoice>,
    /// The file for a page with the figures of the replay.
    pub report_page: Option<PathBuf>,
    /// Runs nothing, and prints the plan.
    pub dry_run: bool,
    /// Parameters for the rules, part of their identity.
    pub params: Vec<(String, String)>,
    /// Files with chains beyond the built-in ones.
    pub chain_configs: Vec<PathBuf>,
    /// A list of block hashes that are known.
    pub block_hashes: Option<PathBuf>,
    /// Runs rules that are not built in in workers.
    pub isolate: bool,
    /// The program that compiles rules which are not built in, and is the workers.
    pub children: ChildProgram,
    /// Specimens worked on at once; as many as there are cores without it.
    pub threads: Option<NonZeroUsize>,
    /// The form in which runs are printed.
    pub style: Style,
    /// The settings of the command.
    pub settings: Values,
}

/// Runs the whole replay. A specimen that fails never stops the others.
///
/// # Errors
///
/// Those of inputs, rules and settings, before the first run; of files of the data set, and of standard output.
pub fn run(replay: &Replay) -> Result<ExitCode, Failure> {
    run_with(replay, None)
}

/// The same with rules that worker hosts run. Files and manifest of the data set are those of a replay on one machine.
///
/// # Errors
///
/// Those of [`run`], and of the way to the hosts.
pub fn run_on(replay: &Replay, hosts: &dyn Hosts) -> Result<ExitCode, Failure> {
    run_with(replay, Some(hosts))
}

fn run_with(replay: &Replay, hosts: Option<&dyn Hosts>) -> Result<ExitCode, Failure> {
    // To list millions of files and to compile rules takes its time.
    let signals = Signals::listen();
    // Before all reading, which a URL that nothing is written to is not to cost.
    let destination = replay.destination()?;
    let queue_file = destination.as_ref().map(queue_file);
    let Expanded { inputs, refused } = replay.expand()?;
    if let Some(page) = &replay.report_page {
        refuse_input(page, replay.named_files())?;
        refuse_input(page, inputs.iter().filter_map(Input::path))?;
        destination.as_ref().map_or(Ok(()), |destination| refuse_page_of(destination, page))?;
    }
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let at_once = hosts.map_or(cores, Hosts::specimens_at_once);
    let threads = replay.threads.unwrap_or(at_once);
    // Hosts have hundreds of specimens under way, and this machine works on as many as it has cores.
    let here = if hosts.is_some() { cores } else { threads };
    let inputs = Inputs::select(inputs, &replay.blocks, replay.out.is_some(), here, kept_headings().as_deref())?;
    let known = Arc::new(KnownBlocks::of_headings(inputs.known(), replay.block_hashes.as_deref())?);
    let chains = replay.chains()?;
    let rules = replay.load(&chains, here, replay.isolate || hosts.is_some())?;
    let tables = replay.table.map(|choice| Tables::of(&rules, choice)).transpose()?.map(Arc::new);
    let terms = replay.terms(&rules, tables.as_deref());
    let blocks_per_unit = tables.as_ref().map_or(1, |tables| tables.blocks_per_file());
    let conditions = match &replay.out {
        Some(_) => Conditions::of(&chains, Arc::clone(&known)),
        None => Conditions::default(),
    };
    if replay.dry_run {
        let plan = match replay.out.as_deref().zip(destination.as_ref()) {
            Some((out, to)) => Plan::of(inputs, &DataSet::standing_of(to, &terms)?, out, blocks_per_unit, &conditions)?,
            None => Plan::of_all(inputs),
        };
        dry_run::print(replay, &rules, tables.as_deref(), &plan, &refused)?;
        let is_whole = refused.is_empty() && plan.items.iter().all(|item| item.unread.is_none());
        return Ok(if is_whole { ExitCode::Done } else { ExitCode::Input });
    }
    let (plan, keep, data_set) = match replay.out.as_deref().zip(destination) {
        Some((out, to)) => {
            let data_set = DataSet::open(to, terms)?;
            let plan = Plan::of(inputs, data_set.standing(), out, blocks_per_unit, &conditions)?;
            let files = || Keep::Files { staging: data_set.staging(), directory: out.to_owned() };
            let keep = tables.clone().map_or_else(files, Keep::Tables);
            (plan, keep, Some(data_set))
        }
        None => (Plan::of_all(inputs), Keep::Nothing, None),
    };
    let policy = executor::policy(&replay.settings);
    let executor = replay.executor(&chains, replay.differences())?;
    let hashes = Hashes {
        specimens: replay.style == Style::Json || replay.out.is_some(),
        artifacts: replay.style != Style::Summary,
    };
    let opened = match (hosts, queue_file) {
        (Some(hosts), Some(file)) if !plan.items.is_empty() || hosts.has_left(&file) => {
            Some(hosts.open(&file, &rules, policy)?)
        }
        _ => None,
    };
    let elsewhere = opened.clone().map(|hosts| Elsewhere::new(hosts, cores)).transpose()?;
    let buffers = Buffers::default();
    let recording = recording_of(&rules);
    let job = Arc::new(Job { rules, executor, recording, known, keep, hashes, elsewhere, buffers });
    let page = replay.report_page.clone().map(|path| Page::begin(path, &job.rules)).transpose()?;
    let report = Report::begin(replay.style, policy, &plan, data_set.is_some()).map_err(PrintError::from)?;
    let mut report = report.with_page(page);
    report.refused(&refused);
    if let Some(data_set) = &data_set {
        report.damaged(&data_set.standing().damaged);
    }
    let mut keeper =
        data_set.map(|data_set| Keeper::new(data_set, tables, plan.units).replacing(&plan.replacing, conditions));
    let ahead = if opened.is_some() { AHEAD_ON_HOSTS } else { AHEAD_HERE };
    let end = parallel::in_order_within(
        plan.items,
        threads,
        ahead,
        move |item| job.replay(item),
        |interrupter| {
            signals.end(interrupter.clone());
            if let Some(hosts) = &opened {
                hosts.when_lost(Box::new(move || interrupter.interrupt()));
            }
        },
        |replayed| {
            let kept = keeper.as_mut().map_or(Ok(()), |keeper| keeper.take(&replayed).map(drop));
            let recorded = kept.and_then(|()| Ok(report.record(&replayed).map_err(PrintError::from)?));
            recorded.map_or_else(ControlFlow::Break, ControlFlow::Continue)
        },
    )?;
    // Before another run can have the data set.
    let closed = opened.map_or(Ok(()), |hosts| hosts.close(matches!(end, End::Complete)));
    // Also where the replay ends early: what is done is done.
    let finished = keeper.map_or(Ok(()), |keeper| keeper.finish().map(drop));
    let end = match (end, closed) {
        (End::Complete | End::Interrupted, Err(failure)) => End::Broken(failure),
        (end, _) => end,
    };
    let is_interrupted = match end {
        End::Broken(failure) => {
            // The first failure is the one to report.
            let _ = report.write_page(State::Broken);
            return Err(failure);
        }
        End::Interrupted => true,
        End::Complete => false,
    };
    finished?;
    report.write_page(if is_interrupted { State::Interrupted } else { State::Complete })?;
    let exit = report.finish(is_interrupted).map_err(PrintError::from)?.exit();
    Ok(if is_interrupted { ExitCode::Interrupted } else { exit })
}

/// A page that would be among the files of the data set.
#[derive(Debug, thiserror::Error)]
#[error("{}: expected a place outside of the data set's directory for the page", OneLine(.0.display()))]
struct PageInDataSet(PathBuf);

impl Diagnostic for PageInDataSet {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        Some("name another: it could take the place of a file there, and `refiner verify` knows only files of the replay".into())
    }
}

fn refuse_page_of(destination: &Destination, page: &Path) -> Result<(), PageInDataSet> {
    let Destination::Directory(directory) = destination else { return Ok(()) };
    // Neither may be there yet.
    let resolved = |path: &Path| path.canonicalize().or_else(|_| path::absolute(path)).unwrap_or_default();
    let folder = page.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if resolved(folder).starts_with(resolved(directory)) { Err(PageInDataSet(page.to_owned())) } else { Ok(()) }
}

/// Specimens that may be begun before the oldest unfinished one is done, for each thread: their results are in memory.
const AHEAD_HERE: usize = parallel::AHEAD_PER_THREAD;
/// The same where each of hundreds of threads waits for hosts.
const AHEAD_ON_HOSTS: usize = 4;

/// The file with the name of a data set's queue: in its directory, or beside the one from which files go to a store. Either is locked.
fn queue_file(destination: &Destination) -> PathBuf {
    match destination {
        Destination::Directory(directory) => directory.join("_queue"),
        Destination::Store { staging, .. } => staging.with_extension("queue"),
    }
}

/// The place of the kept heights of large directories.
pub(crate) fn kept_headings() -> Option<PathBuf> {
    Some(cache_directory()?.join("headings"))
}

/// The way to files of other machines.
pub(crate) fn remote_files(settings: &Values) -> RemoteFiles {
    RemoteFiles::new(RemoteTerms {
        egress: egress::of(settings),
        gateways: settings.get(&table::IPFS_GATEWAY),
        variables: refiner_environment::variables().collect(),
        ..RemoteTerms::default()
    })
}

impl Replay {
    /// The chains beside the built-in ones.
    pub(crate) fn chains(&self) -> Result<ConfiguredChains, Failure> {
        Ok(ConfiguredChains::read(&self.chain_configs)?)
    }

    /// The executor that the settings ask for, and the directory where differences between two are kept.
    pub(crate) fn executor(
        &self,
        chains: &ConfiguredChains,
        differences: Option<PathBuf>,
    ) -> Result<Arc<dyn Executor>, Failure> {
        let embedded = chains.executor(executor::policy(&self.settings));
        Ok(Evm::of(&self.settings).executor(embedded, differences)?)
    }

    /// Every input, and the arguments that name none. Where nothing else is named, the first of those is the error.
    pub(crate) fn expand(&self) -> Result<Expanded, Failure> {
        let mut expanded = input::expand_with(&self.arguments()?, &remote_files(&self.settings));
        if expanded.inputs.is_empty() && !expanded.refused.is_empty() {
            let first = expanded.refused.remove(0);
            expanded.refused.iter().for_each(failure::report_argument);
            return Err(first.into());
        }
        Ok(expanded)
    }

    /// Every name that was given.
    pub(crate) fn arguments(&self) -> Result<Vec<OsString>, InputError> {
        let mut arguments = self.specimens.clone();
        if let Some(list) = &self.files_from {
            arguments.extend(input::names_from(list)?);
            if list == "-" && arguments.iter().any(|argument| argument == "-") {
                return Err(InputError::ListIsStandardInput);
            }
        }
        Ok(arguments)
    }

    /// The files of this machine that are read beside specimens.
    fn named_files(&self) -> Vec<PathBuf> {
        let sources = Sources::of(&self.settings);
        let mut files: Vec<_> = self.rules.iter().flat_map(|rule| sources.input_files(rule)).collect();
        files.extend(self.chain_configs.iter().chain(&self.block_hashes).cloned());
        files.extend(self.files_from.iter().map(PathBuf::from));
        files
    }

    pub(crate) fn load(
        &self,
        chains: &ConfiguredChains,
        threads: NonZeroUsize,
        isolate: bool,
    ) -> Result<Vec<LoadedRule>, Failure> {
        let settings = &self.settings;
        let evm = Evm::of(settings);
        let policy = executor::policy(settings);
        let session = |allowance| {
            let session = Session::begin_with(&self.children, chains, policy, allowance, threads)?;
            Ok(session.executing(evm.executes(self.differences())?))
        };
        let execution = ExecutionTerms { executed_by: evm.executed_by(), policy };
        let params = Params::of(self.params.iter().cloned()).map_err(LoadError::from)?;
        let terms = Terms { params, execution, allowance: Allowance::of(settings) };
        rules::load(&self.rules, &Sources::of(settings), &terms, session, isolate)
    }

    /// The directory for results in which executors differ.
    fn differences(&self) -> Option<PathBuf> {
        let directory = self.out.as_deref().filter(|out| !is_url(&out.to_string_lossy()));
        directory.map(|out| out.join("differences"))
    }

    /// Where the data set is kept, if it is.
    fn destination(&self) -> Result<Option<Destination>, Failure> {
        let Some(out) = &self.out else { return Ok(None) };
        let Some(url) = out.to_str().filter(|out| is_url(out)) else {
            return Ok(Some(Destination::Directory(out.clone())));
        };
        let folder = remote_files(&self.settings).folder(url)?;
        let staging = cache_directory().unwrap_or_else(|| env::temp_dir().join("refiner"));
        let staging = staging.join("staging").join(hex::encode(&keccak256(folder.name())[..STAGING_NAME_BYTES]));
        Ok(Some(Destination::Store { folder, staging }))
    }

    /// The terms that files of one data set have in common.
    pub(crate) fn terms(&self, rules: &[LoadedRule], tables: Option<&Tables>) -> DataSetTerms {
        let of_rule = |rule: &LoadedRule| RuleTerms {
            name: rule.name.to_string(),
            version: rule.place.manifest().version.clone(),
            identity: rule.identity,
            params: rule.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            hypothetical: rule.place.manifest().is_hypothetical(),
        };
        let mut rules: Vec<_> = rules.iter().map(of_rule).collect();
        rules.sort();
        let output = tables.map_or(OutputTerms::Artifacts, Tables::terms);
        DataSetTerms { engine_profile: engine::id(), rules, output }
    }
}
