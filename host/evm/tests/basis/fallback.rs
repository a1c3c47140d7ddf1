//! The errors of execution for which recorded receipts stand in, and those that stay.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_evm::{Basis, BasisPolicy, CodeUse, ExecuteError, ExecutionPolicy, Rejected, ResultFormat, Unsupported};
use refiner_specimen::{
    DroppedPart, Layout, Specimen,
    check::{CheckName, Outcome, Subject},
};
use refiner_testkit::{BlockPlan, Chain, Contract, Fork, Form, Key, MAINNET, Manner, Plan, World, case, export};

use crate::{execute, executor, failed_check, instead_of, result, shape, whole, with, without_receipts, without_state};

/// Has the code of [`Contract::Herald`].
const TWIN: Address = Address::repeat_byte(0x20);

fn named(name: &str) -> Specimen {
    case::cases().unwrap().into_iter().find(|case| case.name == name).unwrap().specimen
}

fn plan(from: &str, to: Address, form: Form) -> Plan {
    Plan { from: Key::named(from), to: Some(to), value: U256::ZERO, input: Bytes::new(), gas: 400_000, form }
}

fn sealed(fork: Fork, layout: Layout, transactions: Vec<Plan>) -> Specimen {
    let mut world = World::with_contracts(fork);
    for name in ["alice", "bob"] {
        world.fund(Key::named(name).address(), U256::from(10).pow(U256::from(20)));
    }
    world.deploy(TWIN, Contract::Herald.code());
    let (height, timestamp) =
        if fork == Fork::Prague { (22_500_000, 1_747_445_015) } else { (19_600_000, 1_712_343_011) };
    let block =
        Chain::new(MAINNET, fork, height, timestamp, world).seal(BlockPlan { transactions, ..Default::default() });
    export(&block.unwrap(), layout, Manner::default())
}

/// A delegation to one of two contracts that do the same.
fn ambiguous() -> Specimen {
    let alice = Key::named("alice");
    let calls = [Contract::Herald.address(), TWIN].map(|to| plan("bob", to, Form::DynamicFee(Default::default())));
    let delegation = plan("alice", alice.address(), Form::SetCode(vec![(alice, Contract::Herald.address())]));
    sealed(Fork::Prague, Layout::V0_38, [&calls[..], &[delegation]].concat())
}

/// Reads a blob hash that its layout drops.
fn without_blob_hashes() -> Specimen {
    let mut hash = B256::with_last_byte(9);
    hash.0[0] = 1;
    let reading = plan("alice", Contract::BlobReader.address(), Form::Blobs(vec![hash]));
    sealed(Fork::Cancun, Layout::V0_36, vec![reading])
}

/// Reads the hash of the block before its parent, which no row states.
fn without_block_hash(row: Option<B256>) -> (Specimen, u64) {
    let specimen = whole();
    let number = specimen.block.header.number - 2;
    let changed = with(specimen, |specimen| {
        let rows = &mut specimen.block.state.block_hashes;
        let before = rows.len();
        match row {
            None => rows.retain(|row| row.number != number),
            Some(hash) => rows.iter_mut().filter(|row| row.number == number).for_each(|row| row.hash = hash),
        }
        assert!(row.is_some() || rows.len() < before);
    });
    (changed, number)
}

#[track_caller]
fn unsupported(specimen: &Specimen) -> Unsupported {
    match execute(BasisPolicy::Execution, specimen) {
        Err(ExecuteError::Unsupported(unsupported)) => unsupported,
        other => panic!("{other:?}"),
    }
}

#[test]
fn receipts_stand_in_where_execution_lacks_what_the_producer_left_out() {
    let stateless = without_state(whole());
    let transactions = stateless.block.transactions.len();
    let authorizations = DroppedPart::Authorizations;
    let cases = [
        (stateless, Unsupported::NoState { transactions }),
        (shape("main-prague-empty").specimen, Unsupported::NoState { transactions: 0 }),
        (shape("t220-many-and-invalid").specimen, Unsupported::AuthorizationListMissing { transaction: 0 }),
        (without_blob_hashes(), Unsupported::BlobHashesMissing { transaction: 0, layout: Layout::V0_36 }),
        (ambiguous(), Unsupported::Ambiguous { transaction: 2, field: authorizations }),
        (named("codec-0.2-whose-rounding-decides"), Unsupported::RoundedNumbers { layout: Layout::V0_2 }),
    ];
    for (specimen, expected) in cases {
        assert_eq!(unsupported(&specimen), expected);
        assert_eq!(instead_of(&specimen), ExecuteError::Unsupported(expected.clone()));
        let execution = result(BasisPolicy::Auto, &specimen);
        assert_eq!(execution.gas_used, specimen.block.header.gas_used, "{expected}");
        assert_eq!(execution.receipts.len(), specimen.block.transactions.len(), "{expected}");
        assert!(execution.supplied.is_empty(), "{expected}");
        if specimen.block.transactions.is_empty() {
            continue;
        }
        // Without receipts there are two reasons.
        let neither = execute(BasisPolicy::Auto, &without_receipts(specimen)).unwrap_err();
        let both = Unsupported::NoBasis { execution: Box::new(expected.clone()) };
        let text = neither.to_string();
        assert_eq!(neither, ExecuteError::Unsupported(both));
        assert!(text.contains(&expected.to_string()) && text.contains("carries no receipts"), "{text}");
    }
}

#[test]
fn receipts_stand_in_for_code_that_is_not_carried() {
    let cases = [("size-of-missing-code", Contract::Statue), ("call-of-missing-code", Contract::Herald)];
    for (name, contract) in cases {
        let specimen = named(name);
        let error = execute(BasisPolicy::Execution, &specimen).unwrap_err();
        let ExecuteError::Rejected(Rejected::CodeMissing(missing)) = &error else { panic!("{name}: {error}") };
        assert_eq!((missing.account, missing.hash), (contract.address(), keccak256(contract.code())), "{name}");
        assert_eq!(missing.asked == CodeUse::Size, contract == Contract::Statue, "{name}");
        assert_eq!(instead_of(&specimen), error);
        assert_eq!(execute(BasisPolicy::Auto, &without_receipts(specimen)).unwrap_err(), error);
    }
}

#[test]
fn receipts_stand_in_for_a_block_hash_that_no_row_states_or_only_as_zero() {
    for row in [None, Some(B256::ZERO)] {
        let (specimen, number) = without_block_hash(row);
        let missing = ExecuteError::Rejected(Rejected::BlockHashMissing { number });
        assert_eq!(execute(BasisPolicy::Execution, &specimen).unwrap_err(), missing);
        assert_eq!(instead_of(&specimen), missing);
        assert_eq!(execute(BasisPolicy::Auto, &without_receipts(specimen)).unwrap_err(), missing);
    }
}

#[test]
fn receipts_stand_in_for_a_search_that_its_bound_ended_and_not_for_a_block_that_is_too_large() {
    let within = |specimen: &Specimen, basis| {
        let gas_bound = specimen.block.header.gas_used + 1_000;
        let executor = executor(basis).with_policy(ExecutionPolicy { gas_bound, basis, ..ExecutionPolicy::default() });
        executor.execute(specimen, ResultFormat::Canonical)
    };
    let searched = shape("t220-many-and-invalid").specimen;
    let error = within(&searched, BasisPolicy::Execution).unwrap_err();
    assert!(matches!(error, ExecuteError::Unsupported(Unsupported::ExecutionTooLarge { .. })), "{error}");
    assert!(matches!(within(&searched, BasisPolicy::Auto).unwrap().basis, Basis::Receipts { instead_of: Some(_) }));

    // A tenth of what the block uses.
    let large = whole();
    let gas_bound = large.block.header.gas_used / 10;
    for basis in [BasisPolicy::Auto, BasisPolicy::Execution] {
        let policy = ExecutionPolicy { gas_bound, basis, ..ExecutionPolicy::default() };
        let error = executor(basis).with_policy(policy).execute(&large, ResultFormat::Canonical).unwrap_err();
        assert!(matches!(error, ExecuteError::Unsupported(Unsupported::ExecutionTooLarge { .. })), "{error}");
    }
    let policy = ExecutionPolicy { gas_bound, basis: BasisPolicy::Receipts, ..ExecutionPolicy::default() };
    executor(BasisPolicy::Receipts).with_policy(policy).execute(&large, ResultFormat::Canonical).unwrap();
}

/// Proven receipts beside a state with which the block comes out otherwise.
#[test]
fn disagreement_of_a_block_that_has_all_it_asks_for_is_rejected_although_its_receipts_are_proven() {
    let account = |specimen: &mut Specimen, address: Address, change: fn(&mut refiner_specimen::AccountRead)| {
        change(specimen.block.state.accounts.iter_mut().find(|row| row.address == address).unwrap());
    };
    // Its code is carried, for the surveyor looks at it and does not run it.
    let surveyed = || {
        sealed(
            Fork::Prague,
            Layout::V0_38,
            vec![
                Plan {
                    input: Contract::Ledger.address().into_word().0.to_vec().into(),
                    ..plan("alice", Contract::Surveyor.address(), Form::Legacy)
                },
                plan("bob", Contract::Ledger.address(), Form::Legacy),
            ],
        )
    };
    let honest = surveyed();
    assert_eq!(result(BasisPolicy::Auto, &honest).basis, Basis::Execution);
    let balance = with(surveyed(), |specimen| {
        account(specimen, Contract::Ledger.address(), |row| row.balance += U256::from(1));
    });
    let slot = with(whole(), |specimen| {
        let adder = Contract::Adder.address();
        let rows = specimen.block.state.storage.iter_mut().filter(|row| row.account == adder);
        rows.for_each(|row| row.value = B256::ZERO);
    });
    for (place, specimen) in [("balance", balance), ("slot", slot)] {
        for basis in [BasisPolicy::Auto, BasisPolicy::Execution] {
            let error = execute(basis, &specimen).unwrap_err();
            assert!(matches!(error, ExecuteError::Rejected(Rejected::HeaderMismatch(_))), "{place}, {basis}: {error}");
        }
        let proven = result(BasisPolicy::Receipts, &specimen);
        assert_eq!(proven.gas_used, specimen.block.header.gas_used, "{place}");
    }
}

#[test]
fn errors_that_are_no_lack_of_data_stay_beside_proven_receipts() {
    type Change = fn(&mut Specimen);
    let poor: Change = |specimen| {
        let sender = specimen.block.senders[0];
        specimen.block.state.accounts.iter_mut().filter(|row| row.address == sender).for_each(|row| {
            row.balance = U256::ZERO;
        });
    };
    // The contract that the system calls at the end burns all of their gas.
    let burning: Change = |specimen| {
        let contract = alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
        let code_hash = keccak256(Contract::Burner.code());
        specimen.block.state.accounts.iter_mut().filter(|row| row.address == contract).for_each(|row| {
            row.code_hash = code_hash;
        });
        let code = Contract::Burner.code();
        specimen.block.state.codes.push(refiner_specimen::CodeRead { hash: code_hash, code });
    };
    let other_code: Change = |specimen| {
        specimen.block.state.codes[0].code = Bytes::from_static(&[0xfe]);
    };
    let is = |error: &ExecuteError, name: &str| {
        matches!(
            (error, name),
            (ExecuteError::Rejected(Rejected::InvalidTransaction { transaction: 0, .. }), "poor")
                | (ExecuteError::Rejected(Rejected::SystemCall { .. }), "burning")
                | (ExecuteError::Rejected(Rejected::CodeHash { .. }), "other code")
        )
    };
    for (name, change) in [("poor", poor), ("burning", burning), ("other code", other_code)] {
        // Without transactions on the way to the call at the end of the block.
        let block = if name == "burning" {
            sealed(Fork::Prague, Layout::V0_38, vec![plan("alice", TWIN, Form::Legacy)])
        } else {
            whole()
        };
        let changed = with(block, change);
        for basis in [BasisPolicy::Auto, BasisPolicy::Execution] {
            let error = execute(basis, &changed).unwrap_err();
            assert!(is(&error, name), "{name}, {basis}: {error}");
        }
        // Nothing of it is looked at where nothing is executed.
        result(BasisPolicy::Receipts, &changed);
    }
}

#[test]
fn block_that_contradicts_itself_is_rejected_on_every_basis() {
    type Change = fn(&mut Specimen);
    let changes: [(CheckName, Change); 6] = [
        (CheckName::Segment, |specimen| specimen.block.kind = "block-result".to_owned()),
        (CheckName::BlockHash, |specimen| specimen.block.header.gas_limit += 1),
        (CheckName::TransactionsRoot, |specimen| specimen.block.transactions[0].value += U256::from(1)),
        (CheckName::TransactionFields, |specimen| specimen.block.senders.truncate(1)),
        (CheckName::WithdrawalsRoot, |specimen| {
            specimen.block.withdrawals.iter_mut().flatten().for_each(|w| w.amount += 1);
        }),
        (CheckName::ChainId, |specimen| specimen.block.network_id = 1337),
    ];
    for (name, change) in changes {
        for block in [whole(), without_state(whole())] {
            let changed = with(block, change);
            for basis in BasisPolicy::ALL {
                assert_eq!(failed_check(basis, &changed).name, name, "{basis}");
            }
        }
    }
    let replica = with(whole(), |specimen| specimen.block.kind = "block-result".to_owned());
    let check = failed_check(BasisPolicy::Auto, &replica);
    assert!(matches!(check.outcome, Outcome::Failed { subject: Subject::Field("Type"), .. }), "{check}");
    assert!(check.to_string().contains("block-result"), "{check}");
}

#[test]
fn chain_fork_and_transaction_type_that_are_not_known_are_unsupported_on_every_basis() {
    let unknown = with(shape("main-prague").specimen, |specimen| specimen.block.network_id = 5);
    let typed = with(shape("main-prague").specimen, |specimen| {
        specimen.block.transactions[0].tx_type = 5;
        specimen.block.transactions[0].chain_id = specimen.block.network_id;
        specimen.block.transactions[0].v = None;
    });
    for basis in BasisPolicy::ALL {
        let error = execute(basis, &unknown).unwrap_err();
        assert!(matches!(error, ExecuteError::Unsupported(Unsupported::UnknownChain { network_id: 5 })), "{error}");
        let error = execute(basis, &typed).unwrap_err();
        let of_type = Unsupported::TransactionType { transaction: 0, tx_type: 5, format: "canonical" };
        assert_eq!(error, ExecuteError::Unsupported(of_type));
    }
}

#[test]
fn malformed_deposit_event_is_rejected_on_every_basis() {
    let malformed = Plan { input: vec![1; 64].into(), ..plan("alice", Contract::Deposits.address(), Form::Legacy) };
    let block = sealed(Fork::Prague, Layout::V0_38, vec![malformed]);
    for specimen in [block.clone(), without_state(block)] {
        for basis in [BasisPolicy::Auto, BasisPolicy::Receipts] {
            let error = execute(basis, &specimen).unwrap_err();
            let expected = Rejected::DepositEvent { contract: Contract::Deposits.address() };
            assert_eq!(error, ExecuteError::Rejected(expected));
        }
    }
}

#[test]
fn policy_that_forces_a_basis_takes_no_other() {
    for (basis, expected) in
        [(BasisPolicy::Receipts, Basis::Receipts { instead_of: None }), (BasisPolicy::Execution, Basis::Execution)]
    {
        assert_eq!(result(basis, &whole()).basis, expected);
    }
    assert_eq!(result(BasisPolicy::Auto, &whole()).basis, Basis::Execution);
    let transactions = whole().block.transactions.len();
    let no_receipts = execute(BasisPolicy::Receipts, &without_receipts(whole())).unwrap_err();
    assert_eq!(no_receipts, ExecuteError::Unsupported(Unsupported::NoReceipts { transactions }));
    let no_state = execute(BasisPolicy::Execution, &without_state(whole())).unwrap_err();
    assert_eq!(no_state, ExecuteError::Unsupported(Unsupported::NoState { transactions }));
    assert!(no_state.to_string().contains(&format!("0 accounts read for {transactions} transactions")), "{no_state}");
}
