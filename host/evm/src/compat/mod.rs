//! The exact bytes of the network's evm-server, era by era.

use refiner_specimen::Specimen;

use crate::{
    code::CodeCache,
    chain::ChainSpec,
    error::ExecuteError,
    execution::Execution,
    format::Era,
};

/// Executes the block by the rules of an era and writes the bytes that era's evm-server wrote.
pub(crate) fn execute(
    _specimen: &Specimen,
    _chain: &ChainSpec,
    _era: Era,
    _codes: &CodeCache,
) -> Result<Execution, ExecuteError> {
    Err(crate::error::Unsupported::UnknownChain { network_id: _specimen.block.network_id }.into())
}
