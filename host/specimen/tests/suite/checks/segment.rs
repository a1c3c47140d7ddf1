//! The segment around the block.

use alloy_primitives::U256;
use refiner_specimen::{Layout, check};

use super::consistent::consistent;

#[test]
fn total_difficulty_of_mainnet_after_its_merge_is_the_terminal_one_or_zero() {
    let terminal = U256::from(0x0c70_d815_d562_d3cf_a955_u128);
    for (network_id, difficulty, total, passes) in [
        (1, 0, terminal, true),
        (1, 0, U256::ZERO, true),
        (1, 0, terminal + U256::ONE, false),
        (1, 1, U256::ONE, true),
        (2, 0, U256::ONE, true),
    ] {
        let mut specimen = consistent();
        specimen.block.network_id = network_id;
        specimen.block.header.difficulty = U256::from(difficulty);
        specimen.block.total_difficulty = total;
        assert_eq!(check::segment(&specimen).failed(), !passes, "{network_id} {difficulty} {total}");
    }
}

#[test]
fn total_difficulty_of_mainnet_is_zero_in_no_layout_before_0_38() {
    for layout in Layout::NEWEST_FIRST {
        let mut specimen = consistent();
        specimen.layout = layout;
        specimen.block.network_id = 1;
        specimen.block.header.difficulty = U256::ZERO;
        specimen.block.total_difficulty = U256::ZERO;
        assert_eq!(check::segment(&specimen).failed(), layout < Layout::V0_38, "{layout}");
    }
}

#[test]
fn total_difficulty_of_mainnet_in_doubles_is_the_one_nearest_to_the_terminal_one() {
    let terminal = U256::from(0x0c70_d815_d562_d3cf_a955_u128);
    // A double has 53 bits, so the 76 bits of the terminal difficulty lose 23; here they are rounded up.
    let nearest = ((terminal >> 23) + U256::ONE) << 23;
    let apart = U256::from(1 << 23);
    for (layout, total, passes) in [
        (Layout::V0_2, nearest, true),
        (Layout::V0_2, terminal, true),
        (Layout::V0_2, nearest + apart, false),
        (Layout::V0_2, nearest - apart, false),
        (Layout::V0_3, nearest, false),
    ] {
        let mut specimen = consistent();
        specimen.layout = layout;
        specimen.block.network_id = 1;
        specimen.block.header.difficulty = U256::ZERO;
        specimen.block.total_difficulty = total;
        assert_eq!(check::segment(&specimen).failed(), !passes, "{layout} {total}");
    }
}

#[test]
fn replica_of_another_type_is_refused_by_its_type() {
    for (kind, shown) in [("block-result", "block-result"), ("something\u{1b}", "another type")] {
        let mut specimen = consistent();
        specimen.block.kind = kind.to_owned();
        let check = check::segment(&specimen);
        let expected = format!("segment failed: Type: stated {shown}, expected block-replica or block-specimen");
        assert_eq!(check.to_string(), expected);
    }
}
