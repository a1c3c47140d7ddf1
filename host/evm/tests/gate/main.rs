//! Each check of the gate: a sample that passes it, and the nearest lies that it finds.

// Clippy takes what tests call for something else than a test.
#![allow(clippy::unwrap_used)]

mod blob_gas;
mod extra_data;
mod header;
mod receipts;
mod senders;
mod size;

use std::{fs, path::Path};

use refiner_evm::{
    ChainSpec, EmbeddedExecutor, ExecuteError, Rejected, ResultFormat, SenderPolicy,
    gate::{self, SenderTerms},
};
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
    decode,
};

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
