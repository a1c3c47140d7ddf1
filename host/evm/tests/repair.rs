//! Dropped fields that are found again by the block's receipts, and those that cannot be.

// Clippy takes what tests call for something else than a test.
#![allow(clippy::unwrap_used)]

use std::fs;

use alloy_eips::eip4844::kzg_to_versioned_hash;
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use refiner_evm::{
    BasisPolicy, ChainSpec, Chains, EmbeddedExecutor, ExecuteError, Execution, ExecutionPolicy, Rejected, Resource,
    ResultFormat, Supplied, SupplySource, Uninterrupted, Unsupported,
};
use refiner_specimen::{DroppedPart, Layout, Specimen, check::CheckName, decode};
use refiner_testblocks::shared;
use refiner_testkit::{BlockPlan, Chain, Contract, Fork, Form, Key, MAINNET, Manner, Plan, World, export};
use revm::bytecode::opcode::{BLOBHASH, EQ, INVALID, JUMPDEST, JUMPI, LOG0, PUSH1, PUSH32, STOP};

/// The generator of BLS12-381's first group and its double, compressed.
const POINTS: [[u8; 48]; 2] = [
    hex!("97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"),
    hex!("a572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e"),
];
const TWIN: Address = Address::repeat_byte(0x20);

fn answer_of(executor: &EmbeddedExecutor, specimen: &Specimen) -> Result<Execution, ExecuteError> {
    executor.answer(specimen, ResultFormat::Canonical, &Uninterrupted).unwrap()
}

/// The outcome of execution, for which no recorded receipts stand in.
fn answer(specimen: &Specimen) -> Result<Execution, ExecuteError> {
    answer_of(&EmbeddedExecutor::default().with_policy(executed_only()), specimen)
}

fn executed_only() -> ExecutionPolicy {
    ExecutionPolicy { basis: BasisPolicy::Execution, ..ExecutionPolicy::default() }
}

fn unsupported(specimen: &Specimen) -> Unsupported {
    match answer(specimen) {
        Err(ExecuteError::Unsupported(unsupported)) => unsupported,
        other => panic!("{other:?}"),
    }
}

fn alice() -> Key {
    Key::named("alice")
}

fn bob() -> Key {
    Key::named("bob")
}

/// Has no account.
fn erin() -> Key {
    Key::named("erin")
}

fn plan(from: Key, to: Address, form: Form) -> Plan {
    Plan { from, to: Some(to), value: U256::ZERO, input: Bytes::new(), gas: 400_000, form }
}

fn call(to: Address) -> Plan {
    plan(bob(), to, Form::DynamicFee(Default::default()))
}

/// A transaction of type 4 with these authorizations.
fn delegating(from: Key, to: Address, delegations: &[(Key, Address)]) -> Plan {
    plan(from, to, Form::SetCode(delegations.to_vec()))
}

/// A block of mainnet as the producer exports it in `layout`. [`TWIN`] has the code of [`Contract::Herald`].
fn specimen(fork: Fork, layout: Layout, deployed: &[(Address, Bytes)], transactions: Vec<Plan>) -> Specimen {
    let mut world = World::with_contracts(fork);
    for key in [alice(), bob()] {
        world.fund(key.address(), U256::from(10).pow(U256::from(20)));
    }
    world.deploy(TWIN, Contract::Herald.code());
    for (address, code) in deployed {
        world.deploy(*address, code.clone());
    }
    let (height, timestamp) = match fork {
        Fork::Prague => (22_500_000, 1_747_445_015),
        _ => (19_600_000, 1_712_343_011),
    };
    let mut chain = Chain::new(MAINNET, fork, height, timestamp, world);
    let block = chain.seal(BlockPlan { transactions, ..BlockPlan::default() }).unwrap();
    export(&block, layout, Manner::default())
}

/// A Prague block that first reads three contracts, which are then candidates for delegates.
fn prague(transactions: Vec<Plan>) -> Specimen {
    let read = [Contract::Herald, Contract::Almanac, Contract::Ledger].map(|contract| call(contract.address()));
    specimen(Fork::Prague, Layout::V0_38, &[], [read.to_vec(), transactions].concat())
}

/// Checks that a block is executed as its chain did, and returns what was supplied.
fn repaired(specimen: &Specimen) -> Vec<Supplied> {
    let execution = answer(specimen).unwrap_or_else(|error| panic!("{error}"));
    assert!(!execution.checks.iter().any(|check| check.failed()));
    assert_eq!(execution.gas_used, specimen.block.header.gas_used);
    execution.supplied
}

fn found_at(supplied: &[Supplied]) -> Vec<usize> {
    assert!(supplied.iter().all(|supplied| supplied.field == DroppedPart::Authorizations));
    supplied.iter().map(|supplied| supplied.transaction).collect()
}

#[test]
fn delegation_of_a_sender_that_calls_itself_is_found() {
    let (alice, herald) = (alice(), Contract::Herald.address());
    let supplied = repaired(&prague(vec![delegating(alice, alice.address(), &[(alice, herald)])]));
    assert_eq!(found_at(&supplied), [3]);
    assert!(matches!(supplied[0].source, SupplySource::Authorization { candidates: 4.. }), "{supplied:?}");
    assert_eq!(Supplied::PROVEN_BY, CheckName::ReceiptsRoot);
}

#[test]
fn delegation_of_a_callee_is_found_and_so_is_its_end() {
    let erin = erin();
    let supplied = repaired(&prague(vec![
        delegating(bob(), erin.address(), &[(erin, Contract::Almanac.address())]),
        call(erin.address()),
        delegating(alice(), erin.address(), &[(erin, Address::ZERO)]),
        delegating(bob(), erin.address(), &[(erin, Contract::Herald.address())]),
    ]));
    assert_eq!(found_at(&supplied), [3, 5, 6]);
}

#[test]
fn authorization_that_only_costs_gas_is_found() {
    // An authorization of an account that nothing looks at afterwards is worth as much as an invalid one.
    let herald = Contract::Herald.address();
    let supplied = repaired(&prague(vec![delegating(bob(), herald, &[(erin(), herald)])]));
    assert_eq!(found_at(&supplied), [3]);
}

#[test]
fn two_delegates_that_give_the_same_receipts_are_ambiguous_unless_a_later_transaction_tells_them_apart() {
    let (alice, herald) = (alice(), Contract::Herald.address());
    let delegation = || delegating(alice, alice.address(), &[(alice, herald)]);
    let expected = Unsupported::Ambiguous { transaction: 4, field: DroppedPart::Authorizations };
    assert_eq!(unsupported(&prague(vec![call(TWIN), delegation()])), expected);

    // Logs the last byte of the code that the delegation left: that of the delegate's address.
    let code = [&[0x60, 1, 0x60, 22, 0x60, 0, 0x73][..], &alice.address()[..], &[0x3c, 0x60, 1, 0x60, 0, LOG0, STOP]];
    let peeking = Address::repeat_byte(0x22);
    let deployed = [(peeking, code.concat().into())];
    let transactions = vec![call(herald), call(TWIN), delegation(), call(peeking)];
    let told_apart = specimen(Fork::Prague, Layout::V0_38, &deployed, transactions);
    assert_eq!(found_at(&repaired(&told_apart)), [2]);
}

#[test]
fn list_of_several_authorizations_is_not_found() {
    let (alice, herald) = (alice(), Contract::Herald.address());
    let lossy = prague(vec![delegating(alice, alice.address(), &[(alice, herald), (erin(), herald)])]);
    assert_eq!(unsupported(&lossy), Unsupported::AuthorizationListMissing { transaction: 3 });
}

#[test]
fn transaction_before_the_first_dropped_field_is_compared_with_its_recorded_receipt() {
    let (alice, herald) = (alice(), Contract::Herald.address());
    let mut lossy = prague(vec![delegating(alice, alice.address(), &[(alice, herald)])]);
    lossy.block.transactions[1].to = Some(herald);
    match answer(&lossy) {
        Err(ExecuteError::Rejected(Rejected::HeaderMismatch(check))) => {
            assert_eq!(check.name, CheckName::ReceiptsRoot);
            assert!(check.to_string().contains("Receipts[1]"), "{check}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn delegation_is_found_without_recorded_receipts_too() {
    let (alice, herald) = (alice(), Contract::Herald.address());
    let mut lossy = prague(vec![delegating(alice, alice.address(), &[(alice, herald)])]);
    lossy.block.receipts.clear();
    assert_eq!(found_at(&repaired(&lossy)), [3]);
}

#[test]
fn candidates_count_against_the_gas_bound() {
    let (alice, herald) = (alice(), Contract::Herald.address());
    let lossy = prague(vec![delegating(alice, alice.address(), &[(alice, herald)])]);
    let gas_bound = lossy.block.header.gas_used + 1_000;
    let executor = EmbeddedExecutor::default().with_policy(ExecutionPolicy { gas_bound, ..executed_only() });
    match answer_of(&executor, &lossy) {
        Err(ExecuteError::Unsupported(Unsupported::ExecutionTooLarge { resource: Resource::Gas, bound, .. })) => {
            assert_eq!(bound, gas_bound);
        }
        other => panic!("{other:?}"),
    }
}

/// A type-3 transaction that logs its first blob hash, with this input.
fn blob_reading(hashes: Vec<B256>, input: Vec<u8>) -> Plan {
    Plan { input: input.into(), ..plan(alice(), Contract::BlobReader.address(), Form::Blobs(hashes)) }
}

fn without_blob_fields(transactions: Vec<Plan>) -> Specimen {
    specimen(Fork::Cancun, Layout::V0_36, &[], transactions)
}

#[test]
fn blob_hash_is_found_by_its_commitment_in_calldata() {
    let [first, second] = POINTS;
    let hash = kzg_to_versioned_hash(&second);
    let half = |bytes: &[u8]| [&[0; 8][..], bytes].concat();
    let selector = [1, 2, 3, 4];
    let inputs = [
        [&selector[..], &second[..]].concat(),
        [&selector[..], &[0x2b; 77], &first, &second, &[0x99; 50]].concat(),
        [&selector[..], &half(&second[24..]), &half(&second[..24])].concat(),
        [&selector[..], &[7; 32], &half(&second[..24]), &half(&second[24..]), &[0; 16], &first].concat(),
    ];
    for (index, input) in inputs.into_iter().enumerate() {
        let supplied = repaired(&without_blob_fields(vec![blob_reading(vec![hash], input)]));
        let [Supplied { transaction: 0, field: DroppedPart::BlobHashes, source }] = supplied[..] else {
            panic!("input {index}: {supplied:?}");
        };
        assert!(matches!(source, SupplySource::Commitments { found: 1, .. }), "input {index}: {source:?}");
    }
}

#[test]
fn blob_hashes_behind_those_that_are_read_are_stood_in_for() {
    let hashes = POINTS.map(|point| kzg_to_versioned_hash(&point)).to_vec();
    let input = [&[0; 4][..], &POINTS[0], &POINTS[1]].concat();
    let supplied = repaired(&without_blob_fields(vec![blob_reading(hashes, input)]));
    let source = SupplySource::Commitments { found: 1, candidates: 2 };
    assert_eq!(supplied, [Supplied { transaction: 0, field: DroppedPart::BlobHashes, source }]);
}

#[test]
fn every_blob_transaction_gets_the_hash_of_its_own_commitment() {
    let reading = |point: [u8; 48], blobs| {
        let mut hashes = vec![B256::with_last_byte(1); blobs];
        hashes.iter_mut().for_each(|hash| hash[0] = 1);
        hashes[0] = kzg_to_versioned_hash(&point);
        blob_reading(hashes, [&[0; 4][..], &point].concat())
    };
    let supplied = repaired(&without_blob_fields(vec![reading(POINTS[0], 1), call(TWIN), reading(POINTS[1], 4)]));
    assert_eq!(supplied.iter().map(|supplied| supplied.transaction).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn block_that_reads_no_blob_hash_is_executed_with_stand_ins() {
    let hash = kzg_to_versioned_hash(&POINTS[0]);
    let indifferent = plan(alice(), Contract::Ledger.address(), Form::Blobs(vec![hash; 2]));
    let supplied = repaired(&without_blob_fields(vec![indifferent]));
    let source = SupplySource::StandIns { blobs: 2 };
    assert_eq!(supplied, [Supplied { transaction: 0, field: DroppedPart::BlobHashes, source }]);
}

#[test]
fn blob_hash_whose_commitment_is_nowhere_makes_the_block_unsupported() {
    let hash = kzg_to_versioned_hash(&POINTS[0]);
    let lossy = without_blob_fields(vec![blob_reading(vec![hash], [&[0; 4][..], &POINTS[1]].concat())]);
    let expected = Unsupported::BlobHashesMissing { transaction: 0, layout: Layout::V0_36 };
    assert_eq!(unsupported(&lossy), expected);
}

#[test]
fn gas_burnt_for_want_of_a_blob_hash_is_not_told_as_a_transaction_beyond_the_gas_limit() {
    let hash = kzg_to_versioned_hash(&POINTS[0]);
    // Burns all gas unless the first blob hash is the one.
    let code =
        [&[PUSH1, 0, BLOBHASH, PUSH32][..], &hash[..], &[EQ, PUSH1, 41, JUMPI, INVALID, JUMPDEST, STOP]].concat();
    assert_eq!(code[41], JUMPDEST);
    let burning = Address::repeat_byte(0x23);
    let first = Plan { gas: 20_000_000, ..plan(alice(), burning, Form::Blobs(vec![hash])) };
    let second = Plan { gas: 20_000_000, ..call(TWIN) };
    let mut lossy = specimen(Fork::Cancun, Layout::V0_36, &[(burning, code.into())], vec![first, second]);
    let expected = Unsupported::BlobHashesMissing { transaction: 0, layout: Layout::V0_36 };
    assert_eq!(unsupported(&lossy), expected);
    lossy.block.receipts.clear();
    assert_eq!(unsupported(&lossy), expected);
}

#[test]
fn specimen_without_state_is_unsupported_as_such() {
    let mut stateless = prague(Vec::new());
    stateless.block.state = Default::default();
    assert_eq!(unsupported(&stateless), Unsupported::NoState { transactions: 3 });
}

#[test]
fn real_block_with_a_dropped_authorization_has_one_solution() {
    let Some(specimen) = shared::specimen(22_433_670) else { return };
    let execution = answer(&specimen).unwrap();
    assert_eq!(found_at(&execution.supplied), [46]);
    assert_eq!(execution.receipts[46].gas_used, 87_151);
    assert_eq!(execution.gas_used, specimen.block.header.gas_used);
}

#[test]
fn real_block_that_reads_no_blob_hash_is_executed_with_stand_ins() {
    let Some(specimen) = shared::specimen(19_434_485) else { return };
    let execution = answer(&specimen).unwrap();
    let [Supplied { source: SupplySource::StandIns { blobs: 6 }, .. }] = execution.supplied[..] else {
        panic!("{:?}", execution.supplied);
    };
}

/// A file of `cases/producer`, which are the producer's own, and the configuration of their chain.
fn producer(chain: &str, name: &str) -> Option<(EmbeddedExecutor, Specimen)> {
    let file = |name: &str| shared::path(&format!("cases/producer/{name}"));
    let bytes = fs::read(file(&format!("{name}.avro"))).ok()?;
    let chain = ChainSpec::from_geth_json(&fs::read_to_string(file(chain)).unwrap()).unwrap();
    let executor = EmbeddedExecutor::new(Chains::default().with(chain)).with_policy(executed_only());
    Some((executor, decode(&bytes).unwrap()))
}

#[test]
fn producers_own_specimens_are_repaired_or_refused_by_the_right_name() {
    let t220 = "chain-t220.json";
    if let Some((executor, specimen)) = producer(t220, "t220-prague-7702-set-and-call") {
        let execution = answer_of(&executor, &specimen).unwrap();
        assert_eq!((execution.gas_used, execution.receipts[0].logs.len()), (100_471, 1));
        assert_eq!(found_at(&execution.supplied), [0]);
    }
    let refused =
        |chain, name| producer(chain, name).map(|(executor, specimen)| answer_of(&executor, &specimen).unwrap_err());
    let check = |chain, name, expected: Unsupported| {
        if let Some(error) = refused(chain, name) {
            assert_eq!(error, ExecuteError::Unsupported(expected), "{name}");
        }
    };
    let missing = Unsupported::AuthorizationListMissing { transaction: 0 };
    check(t220, "t220-prague-7702-many-and-invalid", missing);
    let main = "chain-main-and-fix.json";
    check(main, "main-prague-empty", Unsupported::NoState { transactions: 0 });
    if let Some(error) = refused(main, "main-osaka-types012+unprotected") {
        assert!(matches!(error, ExecuteError::Unsupported(Unsupported::NoState { .. })), "{error}");
    }
}
