//! The executor that runs in this process.

use alloy_primitives::Bytes;
use refiner_specimen::Specimen;

use crate::{
    Executor, canonical,
    chain::Chains,
    code::CodeCache,
    compat::{self, Frame},
    error::ExecuteError,
    execution::Execution,
    format::{Era, ResultFormat},
    unavailable::Unavailable,
};

/// Executes specimens with revm, in this process. One is shared by every thread.
#[derive(Debug, Default)]
pub struct EmbeddedExecutor {
    chains: Chains,
    codes: CodeCache,
}

impl EmbeddedExecutor {
    /// An executor for these chains.
    pub fn new(chains: Chains) -> Self {
        Self { chains, codes: CodeCache::default() }
    }

    /// Executes the block and writes its block result in `format`.
    ///
    /// # Errors
    /// [`ExecuteError`]: the specimen's own doing, the same on every machine.
    pub fn execute(&self, specimen: &Specimen, format: ResultFormat) -> Result<Execution, ExecuteError> {
        let chain = self.chains.get(specimen.block.network_id)?;
        match format {
            ResultFormat::Canonical => canonical::execute(specimen, chain, &self.codes),
            ResultFormat::EvmServer(era) => compat::execute(specimen, chain, era, &self.codes),
        }
    }

    /// What an era's document of the block is written around.
    pub(crate) fn frame<'a>(&self, specimen: &'a Specimen, era: Era) -> Result<Frame<'a>, ExecuteError> {
        let block = &specimen.block;
        let (frame, _) = Frame::of(block, self.chains.get(block.network_id)?, era)?;
        Ok(frame)
    }
}

impl Executor for EmbeddedExecutor {
    fn execute(
        &self,
        specimen: &Specimen,
        _raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        Ok(self.execute(specimen, format))
    }
}
