//! The segment around the block: what it states twice, and what follows from the block.

use alloy_primitives::{U256, uint};

use super::{Check, CheckName, Quantity, Subject};
use crate::{Layout, Specimen};

/// The kinds of replica that the network has: with receipts, and without.
const KINDS: [&str; 2] = ["block-replica", "block-specimen"];

/// A replica of a block's outcome, without the state that execution needs.
const RESULT: &str = "block-result";

/// Ethereum's mainnet.
const MAINNET: u64 = 1;

/// Total difficulty of mainnet at its merge, which every later block repeats.
const MAINNET_TERMINAL_DIFFICULTY: U256 = uint!(0xc70d815d562d3cfa955_U256);

/// The segment's own fields are those of exactly one block, this one.
pub fn segment(specimen: &Specimen) -> Check {
    let name = CheckName::Segment;
    let height = Quantity::Number(specimen.block.header.number);
    let comparisons = [
        ("elements", Quantity::Number(specimen.elements), Quantity::Number(1)),
        ("startBlock", Quantity::Number(specimen.start_block), height.clone()),
        ("endBlock", Quantity::Number(specimen.end_block), height),
        ("hash", Quantity::Hash(specimen.event_hash), Quantity::Hash(specimen.block.hash)),
    ];
    for (field, stated, computed) in comparisons {
        if stated != computed {
            return Check::failure(name, Subject::Field(field), stated, computed);
        }
    }
    if !KINDS.contains(&specimen.block.kind.as_str()) {
        let stated = Quantity::Words(if specimen.block.kind == RESULT { RESULT } else { "another type" });
        let known = Quantity::Words("block-replica or block-specimen");
        return Check::failure(name, Subject::Field("Type"), stated, known);
    }
    total_difficulty(specimen).unwrap_or(Check::passed(name))
}

/// After mainnet's merge total difficulty is known: frozen, or zero since layout 0.38.
fn total_difficulty(specimen: &Specimen) -> Option<Check> {
    let block = &specimen.block;
    let stated = block.total_difficulty;
    let known = block.network_id == MAINNET && block.header.difficulty.is_zero();
    let zero = stated.is_zero() && specimen.layout >= Layout::V0_38;
    if !known || zero || stated == MAINNET_TERMINAL_DIFFICULTY {
        return None;
    }
    // A layout that writes doubles states the nearest one.
    let rounded = |number: U256| f64::from(number).to_bits();
    if specimen.is_rounded(stated) && rounded(stated) == rounded(MAINNET_TERMINAL_DIFFICULTY) {
        return None;
    }
    let expected = Quantity::Big(MAINNET_TERMINAL_DIFFICULTY);
    Some(Check::failure(CheckName::Segment, Subject::Field("TotalDifficulty"), Quantity::Big(stated), expected))
}
