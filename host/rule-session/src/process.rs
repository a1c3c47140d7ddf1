//! Where a rule runs: in this process, or in a worker that holds nothing but the rule.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use refiner_evm::{ExecutionTerms, Executor, RecordingTerms};
use refiner_manifest::Manifest;
use refiner_rows::RowCollector;
use refiner_rule_model::{HostFailure, Limits, Params, RuleIdentity, Run, SpecimenHash};
use refiner_sandbox::{AdmittedRule, RunInput};
use refiner_specimen::Specimen;

use crate::{PrepareError, Prepared, Session};

/// Where a rule runs.
pub enum RuleProcess {
    /// In this process, on the thread that asks.
    Here(Box<AdmittedRule>),
    /// In a confined child process, which was given the rule's compiled code.
    Worker {
        /// The rule, compiled.
        rule: Prepared,
        /// Its workers, shared by every isolated rule.
        session: Arc<Session>,
    },
}

/// A block for a rule.
pub struct Block {
    /// Decoded, for a rule that runs here; a worker decodes the bytes itself.
    pub specimen: Arc<Specimen>,
    /// The bytes of its specimen.
    pub raw: Bytes,
    /// The hash that the network announces.
    pub hash: SpecimenHash,
}

/// Reasons for which a run has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum NoRun {
    /// The sandbox of this process could not finish it.
    #[error(transparent)]
    Host(#[from] HostFailure),
    /// No worker could finish it.
    #[error(transparent)]
    Worker(#[from] PrepareError),
}

impl RuleProcess {
    /// The manifest that the rule was admitted by.
    pub fn manifest(&self) -> &Manifest {
        match self {
            Self::Here(rule) => rule.manifest(),
            Self::Worker { rule, .. } => rule.compiled.manifest(),
        }
    }

    /// Identity of component, parameters, limits and engine.
    pub fn identity(&self, params: &Params, limits: &Limits, execution: &ExecutionTerms) -> B256 {
        let identity = match self {
            Self::Here(rule) => rule.identity(params, limits, execution),
            Self::Worker { rule, .. } => {
                RuleIdentity::of(rule.compiled.digest(), rule.compiled.manifest(), params, limits, execution)
            }
        };
        identity.digest()
    }

    /// The recordings that executions in this process make for the rule; `None` where it reads no recording, or runs elsewhere.
    pub fn recording(&self) -> Option<RecordingTerms> {
        match self {
            Self::Here(rule) => rule.recording(),
            Self::Worker { .. } => None,
        }
    }

    /// Runs the rule over a block. What comes out does not depend on where that was. A collector takes rows of runs in this process;
    /// workers hand over bytes alone.
    pub fn run(
        &self,
        block: &Block,
        params: &Params,
        limits: Limits,
        executor: &Arc<dyn Executor>,
        collector: Option<Arc<dyn RowCollector>>,
    ) -> Result<Run, NoRun> {
        match self {
            Self::Here(rule) => {
                let input = RunInput {
                    specimen: Arc::clone(&block.specimen),
                    raw: block.raw.clone(),
                    specimen_hash: block.hash.clone(),
                    params: params.clone(),
                    executor: Arc::clone(executor),
                    limits,
                };
                let run = match collector {
                    Some(collector) => rule.run_collecting(input, collector),
                    None => rule.run(input),
                };
                Ok(run?)
            }
            Self::Worker { rule, session } => {
                Ok(session.run(rule, &block.raw, block.hash.clone(), params, limits)?.run)
            }
        }
    }
}
