//! The ommers against the header.

use alloy_consensus::proofs::calculate_ommers_root;
use alloy_primitives::U256;
use refiner_specimen::{
    Layout,
    check::{self, Outcome},
};

use super::consistent::consistent;

#[test]
fn hash_of_an_ommer_whose_difficulty_0_2_rounds_is_checkable_up_to_2_to_the_55() {
    for (layout, difficulty, fails) in [
        (Layout::V0_2, 1_u64 << 55, true),
        (Layout::V0_2, (1 << 55) + 8, false),
        (Layout::V0_2, 1 << 53, true),
        (Layout::V0_38, (1 << 55) + 8, true),
    ] {
        let mut specimen = consistent();
        specimen.layout = layout;
        specimen.block.uncles.as_mut().unwrap()[0].difficulty = U256::from(difficulty);
        let outcome = check::ommers_hash(&specimen).outcome;
        assert_eq!(matches!(outcome, Outcome::Failed { .. }), fails, "{layout} {difficulty}");
        assert_eq!(matches!(outcome, Outcome::NotCheckable(_)), !fails, "{layout} {difficulty}");
        specimen.block.header.ommers_hash = calculate_ommers_root(specimen.block.uncles.as_deref().unwrap());
        assert_eq!(check::ommers_hash(&specimen).outcome, Outcome::Passed, "{layout} {difficulty}");
    }
}
