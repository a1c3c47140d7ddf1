//! The outcome of one specimen: what each rule's run came to.

use std::{path::PathBuf, sync::Arc, time::Duration};

use alloy_primitives::B256;
use refiner_data_set::{DataSetError, FileEntry};
use refiner_rule_model::{Evidence, LogLine, UntrustedText, Usage, Verdict};
use refiner_rule_session::{Block, LoadedRule, NoRun};
use refiner_specimen::check::Check;
use refiner_table::{Batch, TableError};

use crate::{hosts::HostsFailure, tables::Rows};

/// A specimen and its runs.
pub struct Outcome {
    /// Height and layout of the specimen.
    pub facts: Facts,
    /// The comparison of its block with those known from elsewhere. A specimen of another block is rejected by every rule's run.
    pub known: Check,
    /// One for each rule, in the rules' order.
    pub runs: Vec<RunRecord>,
}

/// Height and layout of a specimen.
pub struct Facts {
    pub chain_id: u64,
    pub height: u64,
    pub block_hash: B256,
    /// The hash the network announces, if a rule or the report asked for it.
    pub specimen_hash: Option<B256>,
    pub layout: &'static str,
    /// Gas used, by the header.
    pub gas_used: u64,
    /// Length of the file.
    pub bytes: usize,
}

/// One run of one rule.
pub struct RunRecord {
    pub rule: Arc<str>,
    /// Identity of rule, parameters, limits and engine.
    pub identity: B256,
    /// The rule executes blocks under other conditions than their own.
    pub hypothetical: bool,
    pub end: RunEnd,
    /// Wall time of the run and of writing its artifacts; of a run on a host, of the run there.
    pub elapsed: Duration,
    /// The host that it was on.
    pub host: Option<Arc<str>>,
}

/// The end of a run, with or without a verdict.
pub enum RunEnd {
    /// With artifacts.
    Produced {
        /// In the order in which the rule opened them.
        artifacts: Vec<Kept>,
        /// The number of records in them.
        records: u64,
        /// The run's use of each limit.
        usage: Box<Usage>,
        /// The rule's own message.
        log: Vec<LogLine>,
        /// The checks and values that its output rests on.
        evidence: Box<Evidence>,
    },
    /// With another verdict.
    Refused {
        verdict: Verdict,
        /// The run's use of each limit.
        usage: Box<Usage>,
        /// The rule's own message.
        log: Vec<LogLine>,
        /// The checks that were made.
        evidence: Box<Evidence>,
    },
    /// Rejected before any run: the block is not the one that is known.
    OtherBlock,
    Failed(RunFailure),
}

/// Reasons for which a run has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum RunFailure {
    /// The run could not be finished.
    #[error(transparent)]
    Run(#[from] NoRun),
    /// No host could finish it.
    #[error(transparent)]
    Hosts(#[from] HostsFailure),
    /// The artifacts could not be kept.
    #[error(transparent)]
    Output(#[from] DataSetError),
    /// A row has no place in the form of tables that was chosen.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// An artifact that was hashed and, where there is an output directory, written.
pub struct Kept {
    /// The rule's name for it.
    pub name: String,
    pub media_type: String,
    pub bytes: usize,
    /// sha256 of its bytes.
    pub sha256: B256,
    /// The file that it is, where it is one.
    pub path: Option<PathBuf>,
    /// The same, as part of a data set.
    pub file: Option<FileEntry>,
    /// Its rows, where they become a table.
    pub rows: Option<Rows>,
}

impl RunRecord {
    pub(super) fn of(rule: &LoadedRule, end: RunEnd, elapsed: Duration) -> Self {
        let hypothetical = rule.place.manifest().is_hypothetical();
        Self { rule: Arc::clone(&rule.name), identity: rule.identity, hypothetical, end, elapsed, host: None }
    }

    pub(super) fn of_other_block(rule: &LoadedRule) -> Self {
        Self::of(rule, RunEnd::OtherBlock, Duration::ZERO)
    }
}

impl Outcome {
    /// Every artifact of every run.
    pub fn artifacts(&self) -> impl Iterator<Item = &Kept> {
        self.runs.iter().flat_map(|run| match &run.end {
            RunEnd::Produced { artifacts, .. } => artifacts.as_slice(),
            RunEnd::Refused { .. } | RunEnd::OtherBlock | RunEnd::Failed(_) => &[],
        })
    }

    /// The rows of every artifact, with the position of their table.
    pub fn into_rows(self) -> Vec<(usize, Batch)> {
        let artifacts = self.runs.into_iter().flat_map(|run| match run.end {
            RunEnd::Produced { artifacts, .. } => artifacts,
            RunEnd::Refused { .. } | RunEnd::OtherBlock | RunEnd::Failed(_) => Vec::new(),
        });
        artifacts.filter_map(|kept| kept.rows.map(Rows::into_parts)).collect()
    }

    /// True when a run has no verdict, so that a later run has to make it again.
    pub fn has_failure(&self) -> bool {
        self.runs.iter().any(|run| matches!(run.end, RunEnd::Failed(_)))
    }

    /// The verdict of [`RunEnd::OtherBlock`].
    pub fn other_block(&self) -> Verdict {
        let reason = format!("the block is not the one that is known: {}", self.known);
        Verdict::Rejected { reason: UntrustedText::new(&reason) }
    }
}

impl Facts {
    pub(super) fn of(Block { specimen, raw, .. }: &Block) -> Self {
        let block = &specimen.block;
        Self {
            chain_id: block.network_id,
            height: block.header.number,
            block_hash: block.hash,
            specimen_hash: None,
            layout: specimen.layout.as_str(),
            gas_used: block.header.gas_used,
            bytes: raw.len(),
        }
    }
}
