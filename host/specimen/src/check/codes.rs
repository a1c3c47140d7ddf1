//! Bytecode against its hash.

use alloy_primitives::{B256, keccak256};

use super::{Check, CheckName, Outcome, Quantity};
use crate::Specimen;

/// Every piece of bytecode hashes to what the producer states. A failure shows the first that does not; code whose text
/// cannot be read has no hash, which shows as zero.
pub fn code_hashes(specimen: &Specimen) -> Check {
    let name = CheckName::CodeHashes;
    let codes = &specimen.block.state.codes;
    if codes.is_empty() {
        return Check { name, outcome: Outcome::NotApplicable("the block read no code") };
    }
    let wrong = codes.pieces().find_map(|piece| {
        let computed = piece.to_bytes().map_or(B256::ZERO, |code| keccak256(&code));
        (computed != piece.hash).then_some((piece.hash, computed))
    });
    match wrong {
        None => Check { name, outcome: Outcome::Passed },
        Some((stated, computed)) => Check::compare(name, Quantity::Hash(stated), Quantity::Hash(computed)),
    }
}
