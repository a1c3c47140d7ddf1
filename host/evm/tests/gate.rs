//! Each check of the gate: a sample that passes it, and the nearest lies that it finds.

// Clippy takes what tests call for something else than a test.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use alloy_primitives::{Address, B64, B256, Bytes, U256, uint};
use refiner_evm::{
    ChainSpec, EmbeddedExecutor, ExecuteError, ExecutionPolicy, Rejected, ResultFormat, SenderPolicy,
    gate::{self, SenderTerms},
};
use refiner_specimen::{
    Block, Envelopes, Layout, Receipt, Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
    decode,
};
use refiner_testkit::{Fork, case};
use serde_json::Value;

/// A sample of the repository's own.
fn sample(name: &str) -> Specimen {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples").join(name).with_extension("avro");
    decode(&fs::read(path).unwrap()).unwrap()
}

/// Paris, layout 0.31: types 0 to 2, legacy signatures with and without a chain.
fn paris() -> Specimen {
    sample("1-15600000")
}

/// Cancun, layout 0.37: a type-3 transaction.
fn cancun() -> Specimen {
    sample("1-19600000")
}

/// Prague, layout 0.38: type-4 transactions with their authorizations.
fn prague() -> Specimen {
    sample("1-22500001")
}

const SAMPLES: [&str; 7] =
    ["1-15600000", "1-17100000", "1-19435000", "1-19600000", "1-22500000", "1-22500001", "1-22500002"];

fn mainnet() -> ChainSpec {
    ChainSpec::builtin(1).unwrap()
}

fn check(specimen: &Specimen, name: CheckName) -> Check {
    gate::checks(specimen, Some(&mainnet())).into_iter().find(|check| check.name == name).unwrap()
}

fn with(mut specimen: Specimen, change: impl FnOnce(&mut Specimen)) -> Specimen {
    change(&mut specimen);
    specimen
}

/// The check of the senders of a mainnet block.
fn senders(specimen: &Specimen, policy: SenderPolicy) -> Check {
    gate::senders(specimen, SenderTerms::of(policy, Some(&mainnet()), &specimen.block.header))
}

/// The part that a failed check is about, and what it states and expects.
fn failure(check: Check) -> (Subject, Quantity, Quantity) {
    match check.outcome {
        Outcome::Failed { subject, stated, computed } => (subject, stated, computed),
        other => panic!("{}: {other:?}", check.name),
    }
}

#[test]
fn samples_fail_no_check_and_those_with_everything_pass_all() {
    for name in SAMPLES {
        let specimen = sample(name);
        let mut checks = gate::checks(&specimen, Some(&mainnet()));
        checks.push(senders(&specimen, SenderPolicy::Recovered));
        let dropped =
            specimen.block.transactions.iter().any(|transaction| transaction.dropped(specimen.layout).is_some());
        for check in checks {
            let not_checkable = matches!(check.outcome, Outcome::NotCheckable(_));
            let rests_on_dropped = matches!(check.name, CheckName::TransactionsRoot | CheckName::Senders);
            assert!(!check.failed(), "{name}: {check}");
            assert_eq!(not_checkable, dropped && rests_on_dropped, "{name}: {check}");
        }
    }
}

#[test]
fn checks_stand_in_one_order() {
    let names: Vec<_> = gate::checks(&prague(), Some(&mainnet())).iter().map(|check| check.name.as_str()).collect();
    let expected = [
        "segment",
        "blockHash",
        "headerRules",
        "ommersHash",
        "transactionsRoot",
        "transactionFields",
        "chainId",
        "withdrawalsRoot",
        "stateRows",
        "recordedReceipts",
    ];
    assert_eq!(names, expected);
}

#[test]
fn failed_check_rejects_the_block_in_every_format() {
    let lie = with(prague(), |specimen| specimen.block.withdrawals.as_mut().unwrap()[0].amount += 1);
    for format in ResultFormat::ALL {
        let error = EmbeddedExecutor::default().execute(&lie, format).unwrap_err();
        let ExecuteError::Rejected(Rejected::CheckFailed(check)) = error else { panic!("{format}: {error}") };
        assert_eq!(check.name, CheckName::WithdrawalsRoot, "{format}");
    }
}

#[test]
fn every_swapped_sender_is_found() {
    for specimen in [paris(), cancun(), prague()] {
        assert_eq!(senders(&specimen, SenderPolicy::Recovered).outcome, Outcome::Passed);
        for index in 0..specimen.block.senders.len() {
            let honest = specimen.block.senders[index];
            let lie = with(specimen.clone(), |specimen| specimen.block.senders[index] = Address::repeat_byte(9));
            let found = failure(senders(&lie, SenderPolicy::Recovered));
            let subject = Subject::Item { list: "Senders", index };
            let stated = Quantity::Address(Address::repeat_byte(9));
            assert_eq!(found, (subject, stated, Quantity::Address(honest)));
        }
    }
}

#[test]
fn result_that_states_a_wrong_sender_is_rejected_in_every_format() {
    let honest = paris();
    let senders = &honest.block.senders;
    let other = senders.iter().position(|sender| *sender != senders[0]).unwrap();
    let lie = with(honest.clone(), |specimen| {
        specimen.block.senders.swap(0, other);
        specimen.block.transactions.iter_mut().for_each(|transaction| transaction.from = None);
    });
    let executor = EmbeddedExecutor::default();
    for format in [ResultFormat::Canonical, "evm-server@b".parse().unwrap()] {
        // Receipts, bloom and gas do not contain the sender, so execution alone finds nothing.
        let execution = executor.execute(&lie, format).unwrap();
        let error = execution.block_result(&lie).unwrap_err();
        let ExecuteError::Rejected(Rejected::CheckFailed(check)) = error else { panic!("{format}: {error}") };
        assert_eq!(check.name, CheckName::Senders, "{format}");
        assert!(execution.sender_check().is_some_and(Check::failed));
    }
}

#[test]
fn senders_taken_as_stated_are_printed_and_listed_as_unproven() {
    let specimen = paris();
    let policy = ExecutionPolicy { senders: SenderPolicy::Stated, ..ExecutionPolicy::default() };
    let execution =
        EmbeddedExecutor::default().with_policy(policy).execute(&specimen, ResultFormat::Canonical).unwrap();
    let document: Value = serde_json::from_slice(&execution.block_result(&specimen).unwrap()).unwrap();
    assert_eq!(document["checks"]["senders"], "notCheckable");
    assert_eq!(document["transactions"][0]["from"], specimen.block.senders[0].to_string().to_lowercase());
    let unproven = document["unproven"].as_array().unwrap();
    assert_eq!(unproven.len(), 2 * specimen.block.senders.len());
    assert_eq!(unproven[0], "/transactions/0/from");
}

/// The order of secp256k1.
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

#[test]
fn signature_whose_s_is_in_the_upper_half_is_not_valid() {
    let upper = |specimen: &mut Specimen| {
        let transaction = &mut specimen.block.transactions[0];
        transaction.s = Some(ORDER - transaction.s.unwrap());
        // The other parity recovers the same sender.
        transaction.v = Some(transaction.v.unwrap_or_default() ^ U256::ONE);
    };
    let typed = with(cancun(), |specimen| {
        let typed = specimen.block.transactions.iter().position(|transaction| transaction.tx_type == 2).unwrap();
        specimen.block.transactions.swap(0, typed);
        specimen.block.senders.swap(0, typed);
    });
    assert_eq!(senders(&typed, SenderPolicy::Recovered).outcome, Outcome::Passed);
    let lie = with(typed, upper);
    let (_, _, computed) = failure(senders(&lie, SenderPolicy::Recovered));
    assert_eq!(computed, Quantity::Words("no valid signature"));
    // EIP-2 begins with Homestead; before it the signature is valid.
    let frontier = with(lie, |specimen| {
        specimen.block.header.number = 1_149_999;
        specimen.block.header.timestamp = 1_457_981_342;
        specimen.block.header.difficulty = U256::ONE;
    });
    assert_eq!(senders(&frontier, SenderPolicy::Recovered).outcome, Outcome::Passed);
}

#[test]
fn parity_of_a_signature_is_27_28_from_35_on_or_one_bit() {
    let legacy = paris();
    for (index, transaction) in legacy.block.transactions.iter().enumerate() {
        let valid = transaction.v.unwrap_or_default();
        let wrong: Vec<U256> = match (transaction.tx_type, transaction.signed_chain_id()) {
            (0, None) => vec![U256::ZERO, U256::from(26), U256::from(29), U256::from(34)],
            (0, Some(_)) => vec![valid + U256::from(2), valid - U256::from(2), valid ^ U256::ONE],
            _ => vec![valid ^ U256::ONE, U256::from(2), U256::from(27)],
        };
        for v in wrong {
            let lie = with(legacy.clone(), |specimen| specimen.block.transactions[index].v = Some(v));
            assert!(senders(&lie, SenderPolicy::Recovered).failed(), "transaction {index}, v {v}");
        }
    }
}

#[test]
fn missing_sender_and_missing_signature_are_found() {
    let short = with(paris(), |specimen| specimen.block.senders.truncate(1));
    assert_eq!(failure(senders(&short, SenderPolicy::Recovered)).0, Subject::Field("Senders"));
    for part in [0, 1] {
        let unsigned = with(paris(), |specimen| {
            let transaction = &mut specimen.block.transactions[2];
            *[&mut transaction.r, &mut transaction.s][part] = None;
        });
        assert_eq!(failure(senders(&unsigned, SenderPolicy::Recovered)).2, Quantity::Words("no valid signature"));
    }
}

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

const GAS_PER_BLOB: u64 = 131_072;

#[test]
fn blob_gas_is_that_of_the_transactions_blobs() {
    let blob_gas = |specimen: &Specimen, gas| {
        let specimen = with(specimen.clone(), |specimen| specimen.block.header.blob_gas_used = Some(gas));
        check(&specimen, CheckName::HeaderRules)
    };
    let specimen = cancun();
    let stated = specimen.block.header.blob_gas_used.unwrap();
    assert!(stated > 0);
    for gas in [0, stated - GAS_PER_BLOB, stated + GAS_PER_BLOB, stated + 1] {
        let found = failure(blob_gas(&specimen, gas));
        assert_eq!(found, (Subject::Field("blobGasUsed"), Quantity::Number(gas), Quantity::Number(stated)));
    }
    // Six blobs a block in Cancun.
    let (_, _, most) = failure(blob_gas(&specimen, 7 * GAS_PER_BLOB));
    assert_eq!(most, Quantity::AtMost(6 * GAS_PER_BLOB));
    let block_of = |blobs: usize| {
        with(specimen.clone(), |specimen| {
            let transactions = &mut specimen.block.transactions;
            let transaction = transactions.iter_mut().find(|transaction| transaction.tx_type == 3).unwrap();
            transaction.blob_hashes = Some(vec![B256::with_last_byte(1); blobs]);
            specimen.block.header.blob_gas_used = Some(blobs as u64 * GAS_PER_BLOB);
        })
    };
    assert_eq!(check(&block_of(6), CheckName::HeaderRules).outcome, Outcome::Passed);
    assert!(check(&block_of(7), CheckName::HeaderRules).failed());
}

#[test]
fn blob_gas_of_a_transaction_whose_hashes_were_dropped_is_at_least_that_of_one() {
    // Layout 0.36.
    let specimen = sample("1-19435000");
    let blob_gas = |gas| {
        let specimen = with(specimen.clone(), |specimen| specimen.block.header.blob_gas_used = Some(gas));
        check(&specimen, CheckName::HeaderRules)
    };
    for gas in [1, 2, 6] {
        assert_eq!(blob_gas(gas * GAS_PER_BLOB).outcome, Outcome::Passed, "{gas}");
    }
    assert_eq!(failure(blob_gas(0)).2, Quantity::AtLeast(GAS_PER_BLOB));
    assert_eq!(failure(blob_gas(GAS_PER_BLOB + 1)).2, Quantity::Words("a multiple of 131072"));
    assert_eq!(failure(blob_gas(7 * GAS_PER_BLOB)).2, Quantity::AtMost(6 * GAS_PER_BLOB));
}

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

#[test]
fn header_rules_of_an_unknown_chain_are_not_checkable_and_those_of_every_chain_hold() {
    let without_schedule = |specimen: &Specimen| {
        gate::checks(specimen, None).into_iter().find(|check| check.name == CheckName::HeaderRules).unwrap()
    };
    assert!(matches!(without_schedule(&prague()).outcome, Outcome::NotCheckable(_)));
    let lie = with(prague(), |specimen| specimen.block.header.gas_used = specimen.block.header.gas_limit + 1);
    assert!(without_schedule(&lie).failed());
}

#[test]
fn every_field_of_a_recorded_receipt_is_checked() {
    type Lie = fn(&mut Specimen);
    let lies: [Lie; 17] = [
        |specimen| specimen.block.receipts.truncate(1),
        |specimen| specimen.block.receipts[1].post_state_or_status = Bytes::from_static(&[2]),
        |specimen| specimen.block.receipts[1].post_state_or_status = Bytes::from_static(&[0, 0]),
        |specimen| specimen.block.receipts[1].post_state_or_status = Bytes::from_static(&[7; 32]),
        |specimen| specimen.block.receipts[1].cumulative_gas_used = 0,
        |specimen| specimen.block.receipts.last_mut().unwrap().cumulative_gas_used += 1,
        |specimen| specimen.block.receipts[1].gas_used += 1,
        |specimen| specimen.block.receipts[1].tx_hash = B256::repeat_byte(1),
        |specimen| specimen.block.receipts[1].contract_address = Address::repeat_byte(1),
        |specimen| log(specimen).address = Address::repeat_byte(1),
        |specimen| log(specimen).topics.push(B256::ZERO),
        |specimen| log(specimen).data = Bytes::from_static(&[9; 9]),
        |specimen| log(specimen).block_number = 1,
        |specimen| log(specimen).transaction_hash = B256::repeat_byte(1),
        |specimen| log(specimen).transaction_index = 999,
        |specimen| log(specimen).log_index = 999,
        |specimen| log(specimen).removed = true,
    ];
    let honest = paris();
    assert_eq!(gate::recorded_receipts(&honest).outcome, Outcome::Passed);
    for (position, lie) in lies.into_iter().enumerate() {
        let lie = with(honest.clone(), lie);
        assert!(gate::recorded_receipts(&lie).failed(), "lie {position}");
    }
    let other_hash = with(honest.clone(), |specimen| log(specimen).block_hash = B256::repeat_byte(1));
    assert!(gate::recorded_receipts(&other_hash).failed());
    let other_bloom = with(honest, |specimen| specimen.block.header.logs_bloom.0[0] ^= 1);
    assert!(matches!(failure(gate::recorded_receipts(&other_bloom)).1, Quantity::Bloom(_)));
}

#[test]
fn status_of_a_failed_transaction_is_nothing_or_zero() {
    let honest = paris();
    let position = honest.block.receipts.iter().position(|receipt| receipt.post_state_or_status.is_empty()).unwrap();
    for (status, passes) in [(&[][..], true), (&[0], true), (&[2], false), (&[0, 0], false)] {
        let lie = with(honest.clone(), |specimen| {
            specimen.block.receipts[position].post_state_or_status = Bytes::copy_from_slice(status);
        });
        assert_eq!(gate::recorded_receipts(&lie).failed(), !passes, "{status:?}");
    }
}

/// A specimen whose receipts state truly what others leave out.
fn fully_recorded() -> Specimen {
    with(paris(), |specimen| {
        let Block { transactions, senders, receipts, header, hash, .. } = &mut specimen.block;
        let (mut gas, mut position) = (0, 0);
        for (index, (receipt, transaction)) in receipts.iter_mut().zip(transactions).enumerate() {
            receipt.gas_used = receipt.cumulative_gas_used - gas;
            gas = receipt.cumulative_gas_used;
            receipt.tx_hash = transaction.hash().unwrap();
            if transaction.to.is_none() {
                receipt.contract_address = senders[index].create(transaction.nonce);
            }
            for log in &mut receipt.logs {
                (log.block_number, log.block_hash) = (header.number, *hash);
                (log.transaction_index, log.transaction_hash) = (index as u64, receipt.tx_hash);
                log.log_index = position;
                position += 1;
            }
        }
    })
}

#[test]
fn recorded_receipts_may_state_everything_truly_and_nothing_otherwise() {
    type Lie = fn(&mut Specimen);
    let honest = fully_recorded();
    assert!(honest.block.receipts.iter().any(|receipt| !receipt.contract_address.is_zero()));
    assert_eq!(gate::recorded_receipts(&honest).outcome, Outcome::Passed);
    let lies: [Lie; 8] = [
        |specimen| specimen.block.receipts[1].gas_used += 1,
        |specimen| specimen.block.receipts[1].tx_hash = specimen.block.receipts[0].tx_hash,
        |specimen| log(specimen).block_number -= 1,
        |specimen| log(specimen).transaction_index -= 1,
        |specimen| log(specimen).log_index -= 1,
        |specimen| log(specimen).transaction_hash = B256::repeat_byte(1),
        |specimen| log(specimen).block_hash = B256::repeat_byte(1),
        |specimen| {
            let created = |receipt: &&mut Receipt| !receipt.contract_address.is_zero();
            let receipt = specimen.block.receipts.iter_mut().find(created).unwrap();
            receipt.contract_address = Address::repeat_byte(1);
        },
    ];
    for (position, lie) in lies.into_iter().enumerate() {
        assert!(gate::recorded_receipts(&with(honest.clone(), lie)).failed(), "lie {position}");
    }
}

/// The last log of the last receipt that has one: its position in the block is not 0.
fn log(specimen: &mut Specimen) -> &mut refiner_specimen::Log {
    specimen.block.receipts.iter_mut().rev().find_map(|receipt| receipt.logs.last_mut()).unwrap()
}

#[test]
fn recorded_receipts_may_leave_out_what_they_repeat() {
    let bare = with(paris(), |specimen| {
        for receipt in &mut specimen.block.receipts {
            (receipt.tx_hash, receipt.contract_address, receipt.gas_used) = (B256::ZERO, Address::ZERO, 0);
            for log in &mut receipt.logs {
                (log.block_number, log.transaction_index, log.log_index) = (0, 0, 0);
                (log.transaction_hash, log.block_hash) = (B256::ZERO, B256::ZERO);
            }
        }
    });
    assert_eq!(gate::recorded_receipts(&bare).outcome, Outcome::Passed);
    let none = with(bare, |specimen| specimen.block.receipts.clear());
    assert!(matches!(gate::recorded_receipts(&none).outcome, Outcome::NotCheckable(_)));
}
