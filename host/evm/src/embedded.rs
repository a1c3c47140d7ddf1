//! The executor that runs in this process.

use alloy_primitives::Bytes;
use refiner_specimen::{Specimen, check::Check};

use crate::{
    Executor, canonical,
    chain::Chains,
    code::CodeCache,
    compat::{self, Frame},
    error::{ExecuteError, Rejected},
    execution::{Execution, SenderGate},
    format::{Era, ResultFormat},
    gate,
    interrupt::{Interrupt, Interrupted},
    policy::ExecutionPolicy,
    unavailable::Unavailable,
};

/// Executes specimens with revm, in this process. One is shared by every thread.
#[derive(Debug, Default)]
pub struct EmbeddedExecutor {
    chains: Chains,
    codes: CodeCache,
    policy: ExecutionPolicy,
}

impl EmbeddedExecutor {
    /// An executor for these chains.
    pub fn new(chains: Chains) -> Self {
        Self { chains, codes: CodeCache::default(), policy: ExecutionPolicy::default() }
    }

    /// The same executor on other terms.
    #[must_use]
    pub fn with_policy(self, policy: ExecutionPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The terms on which it executes.
    pub const fn policy(&self) -> ExecutionPolicy {
        self.policy
    }

    /// Every check of the specimen that needs no execution.
    pub fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        gate::checks(specimen, self.chains.get(specimen.block.network_id).ok())
    }

    /// Executes the block in `format`, after every check that needs no execution.
    ///
    /// # Errors
    /// [`ExecuteError`]: the specimen's own doing, the same on every machine.
    pub fn execute(&self, specimen: &Specimen, format: ResultFormat) -> Result<Execution, ExecuteError> {
        let chain = self.chains.get(specimen.block.network_id)?;
        match format {
            ResultFormat::Canonical => canonical::execute(specimen, chain, &self.codes, self.policy),
            ResultFormat::EvmServer(era) => {
                self.admit(specimen)?;
                let gate = SenderGate::Closed(self.policy.senders);
                compat::execute(specimen, chain, era, &self.codes, self.policy, gate)
            }
        }
    }

    /// Answers as the network's evm-server does: without the checks that need no execution, which it does not make. The canonical
    /// format is checked all the same.
    ///
    /// # Errors
    /// The inner error is a property of the block. The outer one is that of `interrupt`.
    pub fn answer(
        &self,
        specimen: &Specimen,
        format: ResultFormat,
        interrupt: &dyn Interrupt,
    ) -> Result<Result<Execution, ExecuteError>, Interrupted> {
        interrupt.check()?;
        let chain = match self.chains.get(specimen.block.network_id) {
            Ok(chain) => chain,
            Err(unsupported) => return Ok(Err(unsupported.into())),
        };
        Ok(match format {
            ResultFormat::Canonical => canonical::execute(specimen, chain, &self.codes, self.policy),
            ResultFormat::EvmServer(era) => {
                compat::execute(specimen, chain, era, &self.codes, self.policy, SenderGate::Open)
            }
        })
    }

    fn admit(&self, specimen: &Specimen) -> Result<(), Rejected> {
        match self.checks(specimen).into_iter().find(Check::failed) {
            Some(failed) => Err(Rejected::CheckFailed(failed)),
            None => Ok(()),
        }
    }

    /// What an era's document of the block is written around.
    pub(crate) fn checked_frame<'a>(&self, specimen: &'a Specimen, era: Era) -> Result<Frame<'a>, ExecuteError> {
        self.admit(specimen)?;
        let block = &specimen.block;
        let (frame, _) = Frame::of(block, self.chains.get(block.network_id)?, era)?;
        Ok(frame)
    }
}

impl Executor for EmbeddedExecutor {
    fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        self.checks(specimen)
    }

    fn execute(
        &self,
        specimen: &Specimen,
        _raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        Ok(self.execute(specimen, format))
    }
}
