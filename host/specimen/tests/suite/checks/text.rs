//! Checks in words.

use alloy_primitives::{Address, B256, Bloom, U256};
use refiner_specimen::check::{Check, CheckName, Outcome, Quantity, Subject};

#[test]
fn failed_check_names_its_subject_and_both_quantities() {
    let text = |subject, stated, other| Check::failure(CheckName::HeaderRules, subject, stated, other).to_string();
    let item = Subject::Item { list: "Receipts", index: 3 };
    for (shown, expected) in [
        (text(Subject::Whole, Quantity::Number(7), Quantity::Number(8)), "stated 7, computed 8"),
        (text(item, Quantity::Absent, Quantity::Big(U256::MAX >> 248)), "Receipts[3]: stated absent, computed 255"),
        (
            text(Subject::Field("nonce"), Quantity::Number(7), Quantity::AtMost(6)),
            "nonce: stated 7, expected at most 6",
        ),
        (text(Subject::Whole, Quantity::Number(7), Quantity::AtLeast(9)), "stated 7, expected at least 9"),
        (text(Subject::Whole, Quantity::Words("one"), Quantity::Words("none")), "stated one, expected none"),
        (
            text(Subject::Whole, Quantity::Byte { offset: 9, byte: 1 }, Quantity::Absent),
            "stated 0x01 at byte 9, computed absent",
        ),
    ] {
        assert_eq!(shown, format!("headerRules failed: {expected}"));
    }
}

#[test]
fn hashes_and_addresses_are_shown_whole() {
    let (hash, address, bloom) = (B256::repeat_byte(1), Address::repeat_byte(2), Bloom::repeat_byte(3));
    assert_eq!(Quantity::Hash(hash).to_string(), hash.to_string());
    assert_eq!(Quantity::Address(address).to_string(), address.to_string());
    assert_eq!(Quantity::Bloom(Box::new(bloom)).to_string(), bloom.to_string());
}

#[test]
fn check_that_did_not_fail_names_its_outcome_and_reason() {
    let text = |outcome| Check { name: CheckName::Senders, outcome }.to_string();
    assert_eq!(text(Outcome::Passed), "senders passed");
    assert_eq!(text(Outcome::NotApplicable("no reason")), "senders not applicable: no reason");
    assert_eq!(text(Outcome::NotCheckable("no reason")), "senders not checkable: no reason");
}
