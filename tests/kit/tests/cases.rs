//! The cases are what their names claim, and consistent but for that.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use refiner_specimen::{
    check::{self, CheckName},
    decode,
};
use refiner_testkit::case::{self, Case, transfers};

fn all() -> Vec<Case> {
    let mut all = case::cases().unwrap();
    all.extend(case::floods().iter().map(|flood| flood.case(1_000_000_000).unwrap()));
    all.push(case::diagnosis_heavy(50, 12_000_000).unwrap());
    all
}

#[test]
fn cases_have_names_of_their_own_and_decode_to_what_was_encoded() {
    let mut names = BTreeSet::new();
    for case in all() {
        assert!(names.insert(case.name), "{} twice", case.name);
        assert_eq!(decode(&case.bytes).unwrap(), case.specimen, "{}", case.name);
    }
}

#[test]
fn header_of_a_case_has_the_stated_hash_unless_that_is_what_was_tampered_with() {
    const OF_THE_HEADER: [&str; 3] = ["tampered-block-hash", "tampered-extra-data", "tampered-gas-limit"];
    for case in all() {
        let hashed = !check::block_hash(&case.specimen).failed();
        assert_eq!(hashed, !OF_THE_HEADER.contains(&case.name), "{}", case.name);
    }
}

#[test]
fn roots_of_a_case_are_the_headers_unless_that_is_what_was_tampered_with() {
    let tampered = |name: CheckName| -> &[&str] {
        match name {
            CheckName::TransactionsRoot => &[
                "tampered-value",
                "tampered-recipient",
                "legacy-v-of-chain-5",
                "authorization-of-another-address",
                "creation-with-a-nonce-through-a-double",
            ],
            _ => &["tampered-withdrawal-amount"],
        }
    };
    for case in all() {
        for check in [check::transactions_root(&case.specimen), check::withdrawals_root(&case.specimen)] {
            if check.name == CheckName::TransactionsRoot && !case.specimen.layout.has_signatures() {
                continue;
            }
            assert_eq!(check.failed(), tampered(check.name).contains(&case.name), "{}: {check}", case.name);
        }
    }
}

#[test]
fn odd_transfer_events_are_logged_in_the_order_of_their_shapes() {
    let (specimen, shapes) = (transfers::case().unwrap().specimen, transfers::shapes());
    assert_eq!(shapes.len(), 32);
    assert_eq!(specimen.block.receipts.len(), shapes.len());
    for (receipt, shape) in specimen.block.receipts.iter().zip(shapes) {
        let [log] = &receipt.logs[..] else { panic!("{}: {receipt:?}", shape.name) };
        assert_eq!((&log.topics, log.data.as_ref()), (&shape.topics, &shape.data[..]), "{}", shape.name);
        assert_eq!(log.address, transfers::emitter(shape.topics.len()), "{}", shape.name);
    }
}
