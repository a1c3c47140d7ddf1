//! State rows against each other.

use alloy_primitives::B256;
use refiner_specimen::{
    BlockHashRead,
    check::{self, Outcome, Quantity},
};

use super::consistent::consistent;

#[test]
fn second_row_of_one_key_is_told_from_one_that_contradicts_the_first() {
    for (nonce, words) in [(0, "a second row of one key"), (1, "a second row that contradicts the first")] {
        let mut specimen = consistent();
        let mut row = specimen.block.state.accounts[0].clone();
        row.nonce ^= nonce;
        specimen.block.state.accounts.push(row);
        let Outcome::Failed { stated, .. } = check::state_rows(&specimen).outcome else { panic!() };
        assert_eq!(stated, Quantity::Words(words));
    }
}

#[test]
fn one_piece_of_code_may_stand_twice() {
    let mut specimen = consistent();
    let first = specimen.block.state.codes[0].clone();
    specimen.block.state.codes.push(first);
    assert_eq!(check::state_rows(&specimen).outcome, Outcome::Passed);
}

#[test]
fn block_hash_row_of_the_parent_is_the_headers_parent_hash() {
    let [parent, other] = [3, 4].map(B256::repeat_byte);
    // Zero is what the producer writes for a hash that it did not find.
    for (back, hash, passes) in [(1, parent, true), (1, other, false), (1, B256::ZERO, true), (2, other, true)] {
        let mut specimen = consistent();
        let header = &mut specimen.block.header;
        header.parent_hash = parent;
        let number = header.number - back;
        specimen.block.state.block_hashes = vec![BlockHashRead { number, hash }];
        let check = check::state_rows(&specimen);
        assert_eq!(check.failed(), !passes, "{back} {hash}: {check}");
    }
}
