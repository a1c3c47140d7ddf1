//! The header against the rules of its fork.

use alloy_primitives::{B64, B256, U256};
use refiner_evm::gate;
use refiner_specimen::{
    Layout, Specimen,
    check::{CheckName, Outcome, Quantity, Subject},
};
use refiner_testkit::{Fork, case};

use crate::{cancun, check, failure, paris, prague, with};

#[test]
fn header_rules_have_a_least_value_and_a_greatest() {
    type Set = fn(&mut Specimen, u64);
    let gas_limit: Set = |specimen, gas| specimen.block.header.gas_limit = gas;
    let gas_used: Set = |specimen, gas| specimen.block.header.gas_used = gas;
    let extra_data: Set =
        |specimen, bytes| specimen.block.header.extra_data = vec![1; usize::try_from(bytes).unwrap()].into();
    let excess: Set = |specimen, gas| specimen.block.header.excess_blob_gas = Some(gas);
    let most_excess = 88 * 3_338_477;
    let cases: [(&str, Set, u64, bool); 10] = [
        ("extraData", extra_data, 32, true),
        ("extraData", extra_data, 33, false),
        ("gasLimit", gas_limit, i64::MAX as u64, true),
        ("gasLimit", gas_limit, 1 << 63, false),
        ("gasLimit", gas_limit, 4_999, false),
        ("gasUsed", gas_used, 5_000, true),
        ("gasUsed", gas_used, 30_000_001, false),
        ("excessBlobGas", excess, most_excess, true),
        ("excessBlobGas", excess, most_excess + 1, false),
        ("excessBlobGas", excess, u64::MAX, false),
    ];
    for (field, set, value, passes) in cases {
        let specimen = with(cancun(), |specimen| {
            specimen.block.header.gas_limit = 30_000_000;
            set(specimen, value);
        });
        let check = check(&specimen, CheckName::HeaderRules);
        if passes {
            assert_eq!(check.outcome, Outcome::Passed, "{field} {value}");
        } else {
            assert_eq!(failure(check).0, Subject::Field(field), "{value}");
        }
    }
    let least = with(cancun(), |specimen| {
        specimen.block.header.gas_limit = 5_000;
        specimen.block.header.gas_used = 5_000;
    });
    assert_eq!(check(&least, CheckName::HeaderRules).outcome, Outcome::Passed);
}

#[test]
fn header_fields_stand_from_their_fork_on_and_not_before() {
    type Change = fn(&mut Specimen);
    let before: [(&str, Change); 5] = [
        ("withdrawalsRoot", |specimen| specimen.block.header.withdrawals_root = Some(B256::ZERO)),
        ("blobGasUsed", |specimen| specimen.block.header.blob_gas_used = Some(0)),
        ("excessBlobGas", |specimen| specimen.block.header.excess_blob_gas = Some(0)),
        ("parentBeaconBlockRoot", |specimen| specimen.block.header.parent_beacon_block_root = Some(B256::ZERO)),
        ("requestsHash", |specimen| specimen.block.header.requests_hash = Some(B256::ZERO)),
    ];
    let since: [(&str, Change); 6] = [
        ("baseFeePerGas", |specimen| specimen.block.header.base_fee_per_gas = None),
        ("withdrawalsRoot", |specimen| specimen.block.header.withdrawals_root = None),
        ("blobGasUsed", |specimen| specimen.block.header.blob_gas_used = None),
        ("excessBlobGas", |specimen| specimen.block.header.excess_blob_gas = None),
        ("parentBeaconBlockRoot", |specimen| specimen.block.header.parent_beacon_block_root = None),
        ("requestsHash", |specimen| specimen.block.header.requests_hash = None),
    ];
    for (field, change) in before {
        let found = failure(check(&with(paris(), change), CheckName::HeaderRules));
        assert_eq!(found.0, Subject::Field(field));
    }
    for (field, change) in since {
        let found = failure(check(&with(prague(), change), CheckName::HeaderRules));
        assert_eq!((found.0, found.1), (Subject::Field(field), Quantity::Absent));
    }
}

#[test]
fn block_after_the_merge_has_no_work_no_nonce_and_no_ommer() {
    type Change = fn(&mut Specimen);
    let changes: [(&str, Change); 3] = [
        ("difficulty", |specimen| specimen.block.header.difficulty = U256::ONE),
        ("nonce", |specimen| specimen.block.header.nonce = B64::with_last_byte(1)),
        ("sha3Uncles", |specimen| specimen.block.header.ommers_hash = B256::ZERO),
    ];
    for (field, change) in changes {
        assert_eq!(failure(check(&with(prague(), change), CheckName::HeaderRules)).0, Subject::Field(field));
    }
}

#[test]
fn block_before_the_merge_has_work_and_at_most_two_ommers() {
    let london = case::whole(Fork::London, Layout::V0_31).unwrap().specimen;
    let rules = |specimen: Specimen| check(&specimen, CheckName::HeaderRules);
    let of = |ommers: usize| {
        with(london.clone(), |specimen| {
            specimen.block.uncles = Some(vec![specimen.block.header.clone(); ommers]);
        })
    };
    for ommers in 0..=2 {
        assert_eq!(rules(of(ommers)).outcome, Outcome::Passed, "{ommers}");
    }
    let (subject, stated, most) = failure(rules(of(3)));
    assert_eq!((subject, stated, most), (Subject::Field("uncles"), Quantity::Number(3), Quantity::AtMost(2)));
    let idle = with(of(0), |specimen| specimen.block.header.difficulty = U256::ZERO);
    assert_eq!(failure(rules(idle)).0, Subject::Field("difficulty"));
}

#[test]
fn header_rules_of_an_unknown_chain_are_not_checkable_and_those_of_every_chain_hold() {
    let without_schedule = |specimen: &Specimen| {
        gate::checks(specimen, None).into_iter().find(|check| check.name == CheckName::HeaderRules).unwrap()
    };
    assert!(matches!(without_schedule(&prague()).outcome, Outcome::NotCheckable(_)));
    let lie = with(prague(), |specimen| specimen.block.header.gas_used = specimen.block.header.gas_limit + 1);
    assert!(without_schedule(&lie).failed());
}
