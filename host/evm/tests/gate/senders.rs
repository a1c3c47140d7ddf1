//! Stated senders against the signatures.

use alloy_primitives::{Address, U256, uint};
use refiner_evm::{EmbeddedExecutor, ExecuteError, ExecutionPolicy, Rejected, ResultFormat, SenderPolicy};
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};
use serde_json::Value;

use crate::{cancun, failure, paris, prague, senders, with};

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
fn greatest_s_of_a_valid_signature_is_half_the_order() {
    let half = ORDER >> 1;
    let with_s = |s: U256| {
        let lie = with(cancun(), |specimen| specimen.block.transactions[0].s = Some(s));
        failure(senders(&lie, SenderPolicy::Recovered)).2
    };
    assert!(matches!(with_s(half), Quantity::Address(_)), "it gives another sender");
    assert_eq!(with_s(half + U256::ONE), Quantity::Words("no valid signature"));
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
