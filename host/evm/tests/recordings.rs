//! Recordings of the sample blocks, and of the real ones where they are: what must hold between them and the execution.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use refiner_evm::{
    Basis, ChainSpec, Chains, EmbeddedExecutor, Execution, Frame, GasItem, RecordingTerms, ResultFormat, StateStep,
    Step, Steps, gas_kind,
};
use refiner_specimen::Specimen;
use refiner_testkit::real;

/// Everything, without a bound that a block of these meets.
const ALL: RecordingTerms = RecordingTerms { payload_max: Some(u32::MAX), state: true, gas: true, bytes_max: 1 << 30 };

fn executor() -> EmbeddedExecutor {
    let devnet = fs::read_to_string(samples().join("devnet-1337.json")).unwrap();
    EmbeddedExecutor::new(Chains::default().with(ChainSpec::from_geth_json(&devnet).unwrap()))
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
}

/// The blocks that are executed, each with its outcome.
fn executed() -> Vec<(PathBuf, Specimen, Execution)> {
    let executor = executor();
    let directories = [Some(samples()), real::directory()];
    let files = directories.into_iter().flatten().flat_map(|directory| fs::read_dir(directory).unwrap());
    let paths = files.map(|entry| entry.unwrap().path());
    let mut blocks = Vec::new();
    for path in paths {
        let Ok(specimen) = refiner_specimen::decode(&fs::read(&path).unwrap()) else { continue };
        let Ok(execution) = executor.execute(&specimen, ResultFormat::Canonical) else { continue };
        if execution.basis == Basis::Execution {
            blocks.push((path, specimen, execution));
        }
    }
    assert!(blocks.len() >= 5, "{}", blocks.len());
    blocks
}

fn steps<T>(steps: &Steps<T>) -> Vec<&T> {
    let kept = (0..).map_while(|number| match steps.get(number) {
        Step::Kept(step) => Some(step),
        Step::TooLarge => panic!("step {number} did not fit"),
        Step::End => None,
    });
    kept.collect()
}

fn frames(execution: &Execution) -> Vec<&Vec<Frame>> {
    steps(&execution.recordings.as_ref().unwrap().frames.as_ref().unwrap().steps)
}

fn states(execution: &Execution) -> Vec<&StateStep> {
    steps(execution.recordings.as_ref().unwrap().state.as_ref().unwrap())
}

#[test]
fn recorded_execution_has_the_outcome_of_one_that_is_not_recorded_and_a_step_for_each_part_of_the_block() {
    let executor = executor();
    for (path, specimen, plain) in executed() {
        assert!(plain.recordings.is_none());
        let parts = [
            ALL,
            RecordingTerms { payload_max: None, ..ALL },
            RecordingTerms { state: false, ..ALL },
            RecordingTerms { gas: false, ..ALL },
        ];
        for terms in parts {
            let recorded = executor.record(&specimen, terms).unwrap();
            assert_eq!(
                (&recorded.receipts, recorded.gas_used),
                (&plain.receipts, plain.gas_used),
                "{}",
                path.display()
            );
            assert_eq!(recorded.block_result(&specimen).unwrap(), plain.block_result(&specimen).unwrap());
            let count = specimen.block.transactions.len() + 2;
            let recordings = recorded.recordings.as_ref().unwrap();
            assert_eq!(
                recordings.frames.as_ref().map(|frames| steps(&frames.steps).len()),
                terms.payload_max.map(|_| count)
            );
            assert_eq!(recordings.state.as_ref().map(|state| steps(state).len()), terms.state.then_some(count));
            assert_eq!(recordings.gas.as_ref().map(|gas| steps(gas).len()), terms.gas.then_some(count));
        }
    }
}

#[test]
fn outermost_call_of_each_transaction_has_the_gas_of_its_receipt_and_the_payload_of_the_transaction() {
    let executor = executor();
    for (path, specimen, _) in executed() {
        let recorded = executor.record(&specimen, ALL).unwrap();
        let frames = frames(&recorded);
        for (index, (receipt, transaction)) in recorded.receipts.iter().zip(&specimen.block.transactions).enumerate() {
            let root = &frames[index + 1][0];
            let at = format!("{}, transaction {index}", path.display());
            assert_eq!((root.gas_used, root.gas_limit), (receipt.gas_used, transaction.gas), "{at}");
            assert_eq!(
                (&root.input, root.value, root.parent),
                (&transaction.input, Some(transaction.value), None),
                "{at}"
            );
            assert_eq!(root.undone, !receipt.success, "{at}");
            assert_eq!(frames[index + 1].iter().filter(|frame| frame.parent.is_none()).count(), 1, "{at}");
            for frame in frames[index + 1] {
                let around = frame.parent.map(|parent| &frames[index + 1][parent as usize]);
                assert_eq!(frame.undone, frame.error.is_some() || around.is_some_and(|around| around.undone), "{at}");
                assert_eq!(frame.depth, around.map_or(0, |around| around.depth + 1), "{at}");
            }
        }
    }
}

#[test]
fn each_step_begins_with_the_state_that_the_steps_before_it_left() {
    let executor = executor();
    for (path, specimen, _) in executed() {
        let recorded = executor.record(&specimen, ALL).unwrap();
        let (mut accounts, mut slots) = (BTreeMap::new(), BTreeMap::new());
        for read in &specimen.block.state.accounts {
            accounts.insert(read.address, (read.balance, read.nonce));
        }
        for read in &specimen.block.state.storage {
            slots.insert((read.account, read.slot), read.value);
        }
        for (number, step) in states(&recorded).into_iter().enumerate() {
            let at = format!("{}, step {number}", path.display());
            for change in &step.accounts {
                let before =
                    accounts.insert(change.address, (change.after.balance, change.after.nonce)).unwrap_or_default();
                assert_eq!((change.before.balance, change.before.nonce), before, "{at}: {}", change.address);
                assert_ne!(change.before, change.after, "{at}");
            }
            for change in &step.slots {
                let before = slots.insert((change.address, change.slot), change.after).unwrap_or_default();
                assert_eq!(change.before, before, "{at}: {} of {}", change.slot, change.address);
            }
            let changed = step.accesses.iter().filter(|access| access.changed && access.slot.is_some()).count();
            assert_eq!(changed, step.slots.len(), "{at}: a slot that changes is looked up");
            assert!(step.accesses.is_sorted_by_key(|access| (access.address, access.slot)), "{at}");
        }
    }
}

#[test]
fn recording_ends_with_the_step_that_its_bytes_do_not_hold_and_payload_is_cut_to_what_was_asked() {
    let executor = executor();
    for (path, specimen, _) in executed() {
        let whole = executor.record(&specimen, ALL).unwrap();
        for payload_max in [0, 4, u32::MAX] {
            let whole = frames(&whole);
            let bytes_of = |step: &&Vec<Frame>| step.iter().map(|frame| frame.bytes_within(payload_max)).sum::<u64>();
            let bytes: u64 = whole.iter().map(bytes_of).sum();
            let record = |bytes_max| {
                let terms = RecordingTerms { payload_max: Some(payload_max), state: false, gas: false, bytes_max };
                executor.record(&specimen, terms).unwrap().recordings.unwrap().frames.clone().unwrap()
            };
            let fits = record(bytes);
            assert!(fits.steps.is_whole(), "{}", path.display());
            for (step, of_all) in steps(&fits.steps).into_iter().zip(&whole) {
                for (frame, all) in step.iter().zip(of_all.iter()) {
                    assert_eq!(frame.input[..], all.input[..all.input.len().min(payload_max as usize)]);
                    assert_eq!((frame.input_len, frame.output_len), (all.input_len, all.output_len));
                }
            }
            let Some(bytes) = bytes.checked_sub(1) else { continue };
            let last = whole.iter().rposition(|step| !step.is_empty()).unwrap();
            let cut = record(bytes);
            assert!(!cut.steps.is_whole());
            assert_eq!(cut.steps.get(u32::try_from(last).unwrap()), Step::TooLarge);
            assert_eq!(cut.steps.get(u32::try_from(whole.len()).unwrap()), Step::End);
        }
    }
}

#[test]
fn gas_of_each_transaction_adds_up_to_that_of_its_receipt() {
    let executor = executor();
    let mut met = BTreeSet::new();
    for (path, specimen, _) in executed() {
        let recorded = executor.record(&specimen, ALL).unwrap();
        let recordings = recorded.recordings.as_ref().unwrap();
        let gas = steps(recordings.gas.as_ref().unwrap());
        for (index, receipt) in recorded.receipts.iter().enumerate() {
            let items = gas[index + 1];
            let at = format!("{}, transaction {index}", path.display());
            assert_eq!(
                items.iter().map(|item| item.gas).sum::<i64>(),
                i64::try_from(receipt.gas_used).unwrap(),
                "{at}"
            );
            assert!(items.is_sorted_by_key(|item| (item.code_address, item.what)), "{at}");
            for item in items {
                met.insert(item.what);
                assert!(item.times > 0, "{at}: {item:?}");
                assert_eq!(item.gas < 0, item.what == gas_kind::REFUND, "{at}: {item:?}");
                let of_no_code = matches!(item.what, gas_kind::INTRINSIC | gas_kind::REFUND | gas_kind::FLOOR);
                assert_eq!(item.code_address.is_none(), of_no_code, "{at}: {item:?}");
            }
            assert_eq!(items.iter().filter(|item| item.what == gas_kind::INTRINSIC).count(), 1, "{at}");
        }
    }
    for what in [gas_kind::INTRINSIC, gas_kind::CODE_DEPOSIT, gas_kind::REFUND, 0x54, 0x55, 0xf1, 0x00] {
        assert!(met.contains(&what), "no transaction has an item {what}");
    }
    if real::directory().is_some() {
        for what in [gas_kind::PRECOMPILE, gas_kind::LOST, gas_kind::FLOOR, 0xf4, 0xfa, 0xfd] {
            assert!(met.contains(&what), "no transaction has an item {what}");
        }
    }
}

#[test]
fn recording_of_gas_ends_with_the_step_that_its_bytes_do_not_hold() {
    let executor = executor();
    for (path, specimen, _) in executed() {
        let record = |bytes_max| {
            let terms = RecordingTerms { payload_max: None, state: false, gas: true, bytes_max };
            executor.record(&specimen, terms).unwrap().recordings.unwrap().gas.clone().unwrap()
        };
        let whole = record(1 << 30);
        let bytes: u64 = steps(&whole).into_iter().map(|items| GasItem::bytes(items)).sum();
        assert_eq!(record(bytes), whole, "{}", path.display());
        let Some(bytes) = bytes.checked_sub(1) else { continue };
        let last = steps(&whole).iter().rposition(|items| !items.is_empty()).unwrap();
        let cut = record(bytes);
        assert!(!cut.is_whole(), "{}", path.display());
        assert_eq!(cut.get(u32::try_from(last).unwrap()), Step::TooLarge, "{}", path.display());
    }
}
