//! The greatest size of a block.

use alloy_primitives::Bytes;
use refiner_specimen::{
    Envelopes, Specimen,
    check::{CheckName, Outcome, Quantity, Subject},
};

use crate::{check, failure, prague, with};

#[test]
fn block_of_osaka_has_a_greatest_size_in_rlp() {
    const OSAKA: u64 = 1_764_798_551;
    const MOST_BYTES: usize = 8_388_608;
    let of_size = |bytes: usize| {
        with(prague(), |specimen| {
            let block = &mut specimen.block;
            block.header.timestamp = OSAKA;
            block.transactions.truncate(1);
            let header = alloy_rlp::encode(&block.header).len();
            block.transactions[0].input = Bytes::new();
            let rest: usize = Envelopes::of(&block.transactions).unwrap().iter().map(<[u8]>::len).sum();
            let withdrawals: usize = block.withdrawals.iter().flatten().map(|one| alloy_rlp::encode(one).len()).sum();
            // List heads of 4 bytes for block and transactions, 1 for ommers; what grows with a long input is tried out.
            let input = bytes - header - rest - withdrawals - 32;
            block.transactions[0].input = vec![7; input].into();
        })
    };
    let rlp_bytes = |specimen: &Specimen| {
        // By alloy's own encoding of the lists.
        let block = &specimen.block;
        let list = |payload_length| alloy_rlp::Header { list: true, payload_length }.length_with_payload();
        let envelope = Envelopes::of(&block.transactions).unwrap().iter().next().unwrap().to_vec();
        let transaction =
            if block.transactions[0].tx_type == 0 { envelope.len() } else { alloy_rlp::encode(&envelope[..]).len() };
        let withdrawals = alloy_rlp::encode(block.withdrawals.clone().unwrap_or_default()).len();
        list(alloy_rlp::encode(&block.header).len() + list(transaction) + 1 + withdrawals)
    };
    let near = of_size(MOST_BYTES);
    let missing = MOST_BYTES.checked_sub(rlp_bytes(&near)).unwrap();
    let grown = |by: usize| {
        with(near.clone(), |specimen| {
            let input = specimen.block.transactions[0].input.len();
            specimen.block.transactions[0].input = vec![7; input + missing + by].into();
        })
    };
    assert_eq!((rlp_bytes(&grown(0)), rlp_bytes(&grown(1))), (MOST_BYTES, MOST_BYTES + 1));
    assert_eq!(check(&grown(0), CheckName::HeaderRules).outcome, Outcome::Passed);
    let (subject, stated, _) = failure(check(&grown(1), CheckName::HeaderRules));
    assert_eq!((subject, stated), (Subject::Field("the block"), Quantity::Number(MOST_BYTES as u64 + 1)));
    // Prague has no such bound.
    let before = with(grown(1), |specimen| specimen.block.header.timestamp = OSAKA - 1);
    assert_eq!(check(&before, CheckName::HeaderRules).outcome, Outcome::Passed);
}
