//! Bytecode against its hash.

use alloy_primitives::keccak256;

use super::{Check, CheckName, Outcome, Quantity};
use crate::Specimen;

/// Every piece of bytecode hashes to what the producer states. A failure shows the first that does not.
pub fn code_hashes(specimen: &Specimen) -> Check {
    let name = CheckName::CodeHashes;
    let codes = &specimen.block.state.codes;
    if codes.is_empty() {
        return Check { name, outcome: Outcome::NotApplicable("the block read no code") };
    }
    let wrong = codes.iter().find_map(|read| {
        let computed = keccak256(&read.code);
        (computed != read.hash).then_some((read.hash, computed))
    });
    match wrong {
        None => Check { name, outcome: Outcome::Passed },
        Some((stated, computed)) => Check::compare(name, Quantity::Hash(stated), Quantity::Hash(computed)),
    }
}
