//! Executes a block by the rules it is given. The only home of the EVM.

use alloy_primitives::B256;
use refiner_specimen::Specimen;

use crate::{code::CodeCache, error::ExecuteError, outcome::Outcome, rules::BlockRules};

/// Executes the block of a specimen by `rules`.
///
/// `hashes` holds one hash a transaction, which is only copied into the receipts.
pub(crate) fn run(
    _specimen: &Specimen,
    _rules: &BlockRules,
    _hashes: &[B256],
    _codes: &CodeCache,
) -> Result<Outcome, ExecuteError> {
    Err(crate::error::Unsupported::UnknownChain { network_id: _specimen.block.network_id }.into())
}
