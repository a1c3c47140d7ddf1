//! The executor that runs in this process.

use refiner_specimen::Specimen;

use crate::{
    Executor, canonical, chain::Chains, code::CodeCache, compat, error::ExecuteError, execution::Execution,
    format::ResultFormat,
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
}

impl Executor for EmbeddedExecutor {
    fn execute(&self, specimen: &Specimen, format: ResultFormat) -> Result<Execution, ExecuteError> {
        let chain = self.chains.get(specimen.block.network_id)?;
        match format {
            ResultFormat::Canonical => canonical::execute(specimen, chain, &self.codes),
            ResultFormat::EvmServer(era) => compat::execute(specimen, chain, era, &self.codes),
        }
    }
}
