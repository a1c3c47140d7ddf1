//! One specimen through every rule.

use std::{
    iter,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, Bytes};
use refiner_buffers::Buffers;
use refiner_data_set::{FileEntry, Staging};
use refiner_evm::{Executor, RecordingTerms, SharedExecutor};
use refiner_rows::RowCollector;
use refiner_rule_model::{Artifact, Run, SpecimenHash, Verdict};
use refiner_rule_session::{Block, LoadedRule};
use refiner_specimen::DecodeError;
use refiner_specimen_files::{
    input::{Input, InputError},
    known_blocks::KnownBlocks,
};

use crate::{
    hosts::{Elsewhere, HostRun, HostSpecimen, HostsFailure},
    plan::Item,
    tables::{RunRows, Tables},
};

mod outcome;

pub use outcome::{Facts, Kept, Outcome, RunEnd, RunFailure, RunRecord};

/// Media type of artifacts that have a row a line.
const NDJSON: &str = "application/x-ndjson";

/// What is the same for every specimen of a replay. Shared by its threads.
pub struct Job {
    pub rules: Vec<LoadedRule>,
    /// Executes blocks for rules that may ask for it.
    pub executor: Arc<dyn Executor>,
    /// What an execution records for the rules of this process, so that one serves them all.
    pub recording: Option<RecordingTerms>,
    /// Block hashes that are known from elsewhere.
    pub known: Arc<KnownBlocks>,
    /// The fate of artifacts.
    pub keep: Keep,
    /// The hashes that the report has: they are worked out on the threads that run, not on the one that prints.
    pub hashes: Hashes,
    /// The hosts that run the rules, where this process does not.
    pub elsewhere: Option<Elsewhere>,
    /// Memory of specimens.
    pub buffers: Buffers,
}

/// Hashes that a report has, whatever else asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    pub specimens: bool,
    pub artifacts: bool,
}

/// The fate of artifacts.
pub enum Keep {
    /// They are dropped.
    Nothing,
    /// They are files of a data set, in this directory.
    Files { staging: Staging, directory: PathBuf },
    /// Their rows become tables.
    Tables(Arc<Tables>),
}

/// What became of one specimen.
pub struct Replayed {
    pub input: Input,
    /// Number of the unit of the data set that it belongs to.
    pub unit: Option<usize>,
    /// What happened, or why nothing could.
    pub outcome: Result<Outcome, Unusable>,
}

/// Why no rule saw the specimen.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Its bytes cannot be had.
    #[error(transparent)]
    Read(#[from] InputError),
    /// Its first bytes could not be had before the work began.
    #[error(transparent)]
    Unread(Arc<InputError>),
    /// It is a specimen, and was none by its first bytes, so that its result has no place among the others.
    #[error(
        "not kept: it is of block {chain_id}-{height}, and its first bytes are of none; expand it where it is compressed, and run \
         again"
    )]
    WithoutPlace { chain_id: u64, height: u64 },
    /// Its bytes are no specimen.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Unusable {
    /// The class of the error, for reports.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Read(error) => error.class(),
            Self::Unread(error) => error.class(),
            Self::WithoutPlace { .. } => "unreadable",
            Self::Decode(_) => "malformed",
        }
    }
}

/// The recording that one execution makes for all of these rules.
pub(crate) fn recording_of(rules: &[LoadedRule]) -> Option<RecordingTerms> {
    rules.iter().filter_map(|rule| rule.place.recording()).reduce(RecordingTerms::joined)
}

impl Job {
    /// Rules that run on this machine; hashes of specimens are worked out, those of artifacts where they become files.
    pub fn here(executor: Arc<dyn Executor>, rules: Vec<LoadedRule>, known: KnownBlocks, keep: Keep) -> Self {
        Self {
            recording: recording_of(&rules),
            executor,
            rules,
            known: Arc::new(known),
            keep,
            hashes: Hashes { specimens: true, artifacts: false },
            elsewhere: None,
            buffers: Buffers::default(),
        }
    }

    /// Reads, decodes and runs. Nothing of one specimen stays in memory after.
    pub fn replay(&self, item: &Item) -> Replayed {
        let outcome = match &item.unread {
            Some(error) => Err(Unusable::Unread(Arc::clone(error))),
            None => self.outcome(item),
        };
        Replayed { input: item.input.clone(), unit: item.unit, outcome }
    }

    fn outcome(&self, item: &Item) -> Result<Outcome, Unusable> {
        if let Some(elsewhere) = &self.elsewhere {
            return self.on_hosts(elsewhere, item);
        }
        let block = block(&item.input, &self.buffers)?;
        let mut facts = Facts::of(&block);
        self.place(item, &facts)?;
        let known = self.known.check(&block.specimen);
        let executor = self.executor_of_one_block();
        let run = |rule| match known.failed() {
            true => RunRecord::of_other_block(rule),
            false => self.run(rule, &block, &facts, &executor),
        };
        let runs = self.rules.iter().map(run).collect();
        facts.specimen_hash = if self.hashes.specimens { Some(block.hash.get()) } else { block.hash.if_known() };
        Ok(Outcome { facts, known, runs })
    }

    /// Decodes here, so that what is no specimen is the same as without hosts, and has the rules run there.
    fn on_hosts(&self, elsewhere: &Elsewhere, item: &Item) -> Result<Outcome, Unusable> {
        let input = &item.input;
        let (reading, known, buffers) = (input.clone(), Arc::clone(&self.known), self.buffers.clone());
        let (facts, known, raw) = elsewhere.read(move || {
            let block = block(&reading, &buffers)?;
            let facts = Facts { specimen_hash: Some(block.hash.get()), ..Facts::of(&block) };
            Ok::<_, Unusable>((facts, known.check(&block.specimen), block.raw))
        })?;
        self.place(item, &facts)?;
        if known.failed() {
            let runs = self.rules.iter().map(RunRecord::of_other_block).collect();
            return Ok(Outcome { facts, known, runs });
        }
        let results = elsewhere.hosts.run(HostSpecimen {
            input: input.clone(),
            chain_id: facts.chain_id,
            height: facts.height,
            block_hash: facts.block_hash,
            specimen_hash: facts.specimen_hash.unwrap_or_default(),
            raw,
        });
        let record = |(rule, result): (&LoadedRule, Result<HostRun, HostsFailure>)| match result {
            Ok(HostRun { run, sha256, host, elapsed }) => {
                let end =
                    self.ended(rule, &facts, run, &sha256, self.rows(rule).as_deref()).unwrap_or_else(RunEnd::Failed);
                RunRecord { host: Some(host), ..RunRecord::of(rule, end, elapsed) }
            }
            Err(failure) => RunRecord::of(rule, RunEnd::Failed(failure.into()), Duration::ZERO),
        };
        let runs = self.rules.iter().zip(results).map(record).collect();
        Ok(Outcome { facts, known, runs })
    }

    /// Refuses a specimen whose results would be dropped: they are kept by unit, and it has none.
    const fn place(&self, item: &Item, facts: &Facts) -> Result<(), Unusable> {
        match (&self.keep, item.unit) {
            (Keep::Nothing, _) | (_, Some(_)) => Ok(()),
            (Keep::Files { .. } | Keep::Tables(_), None) => {
                Err(Unusable::WithoutPlace { chain_id: facts.chain_id, height: facts.height })
            }
        }
    }

    /// The executor of one specimen: each format is executed once, for all rules of this process.
    fn executor_of_one_block(&self) -> Arc<dyn Executor> {
        if self.rules.len() == 1 {
            return Arc::clone(&self.executor);
        }
        Arc::new(SharedExecutor::new(Arc::clone(&self.executor), self.recording))
    }

    fn run(&self, rule: &LoadedRule, block: &Block, facts: &Facts, executor: &Arc<dyn Executor>) -> RunRecord {
        let begun = Instant::now();
        let end = self.try_run(rule, block, facts, executor).unwrap_or_else(RunEnd::Failed);
        RunRecord::of(rule, end, begun.elapsed())
    }

    fn try_run(
        &self,
        rule: &LoadedRule,
        block: &Block,
        facts: &Facts,
        executor: &Arc<dyn Executor>,
    ) -> Result<RunEnd, RunFailure> {
        let rows = self.rows(rule);
        let collector = rows.clone().map(|rows| rows as Arc<dyn RowCollector>);
        let run = rule.place.run(block, &rule.params, rule.limits, executor, collector)?;
        self.ended(rule, facts, run, &[], rows.as_deref())
    }

    /// A collector of the rows of one run, where they become tables.
    fn rows(&self, rule: &LoadedRule) -> Option<Arc<RunRows>> {
        match &self.keep {
            Keep::Tables(tables) => Some(Arc::new(tables.collector(&rule.name))),
            Keep::Nothing | Keep::Files { .. } => None,
        }
    }

    /// Keeps what a run produced; `known` are the hashes of its artifacts, as many as were computed.
    fn ended(
        &self,
        rule: &LoadedRule,
        facts: &Facts,
        run: Run,
        known: &[B256],
        rows: Option<&RunRows>,
    ) -> Result<RunEnd, RunFailure> {
        let (usage, evidence) = (Box::new(run.usage), Box::new(run.evidence));
        match run.verdict {
            Verdict::Produced { artifacts, records } => {
                let known = known.iter().copied().map(Some).chain(iter::repeat(None));
                let keep = |(artifact, sha256)| self.keep(rule, facts, artifact, sha256, rows);
                let artifacts = artifacts.into_iter().zip(known).map(keep).collect::<Result<_, _>>()?;
                Ok(RunEnd::Produced { artifacts, records, usage, log: run.log, evidence })
            }
            verdict => Ok(RunEnd::Refused { verdict, usage, log: run.log, evidence }),
        }
    }

    fn keep(
        &self,
        rule: &LoadedRule,
        facts: &Facts,
        artifact: Artifact,
        sha256: Option<B256>,
        rows: Option<&RunRows>,
    ) -> Result<Kept, RunFailure> {
        let sha256 = sha256.or_else(|| self.hashes.artifacts.then(|| artifact.sha256()));
        let Artifact { name, media_type, bytes, .. } = artifact;
        let rows = rows.map_or(Ok(None), |rows| rows.take(&name, &bytes))?;
        let mut kept = Kept { name, media_type, bytes: bytes.len(), sha256, path: None, file: None, rows };
        if let Keep::Files { staging, directory } = &self.keep {
            let path = format!("{}-{}.{}.{}", facts.chain_id, facts.height, rule.name, kept.name);
            staging.write_hashed(&path, &bytes)?;
            kept.path = Some(directory.join(&path));
            kept.file = Some(FileEntry {
                path,
                rule: rule.name.to_string(),
                output: kept.name.clone(),
                rows: (kept.media_type == NDJSON).then(|| lines(&bytes)),
                bytes: bytes.len() as u64,
                sha256: *kept.sha256.get_or_insert_with(|| refiner_specimen::sha256(&bytes)),
            });
        }
        Ok(kept)
    }
}

fn block(input: &Input, buffers: &Buffers) -> Result<Block, Unusable> {
    let raw = Bytes::from(input.read_into(buffers)?);
    let specimen = Arc::new(refiner_specimen::decode_shared(&raw)?);
    Ok(Block { specimen, hash: SpecimenHash::of(raw.clone()), raw })
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
