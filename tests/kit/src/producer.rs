//! Specimens in the shapes that the network's producer gives, on a chain of our own.
//!
//! `main-*`: as its newest version writes them, without any state. `t220-*`: as the version before it did, with state, but without
//! authorizations and without code of which only the size was asked. `fix-*`: with all that execution needs.

use alloy_primitives::{Address, Bytes, U256};
use refiner_specimen::{Layout, Specimen, encode};
use revm::bytecode::opcode::{CALLDATASIZE, EXTCODESIZE, GAS, LOG0, MSTORE, POP, STATICCALL, STOP};
use serde_json::Value;

use crate::{
    Assembler, BlockPlan, Chain, Contract, DEVNET, Fork, KitError, Manner, Plan, SealedBlock,
    case::{address, dynamic, versioned_hash},
    export,
    sample::blob_schedule,
    scenario::{self, Cast},
    transaction::{Delegation, Form},
};

/// The first number that a double cannot hold: it loses its last digit on its way into a specimen.
pub const BEYOND_A_DOUBLE: u64 = (1 << 53) + 1;

/// Every fork and the time at which it begins on the chain of the shapes.
const SCHEDULE: [(Fork, u64); 6] = [
    (Fork::Paris, 1_700_000_000),
    (Fork::Shanghai, 1_700_010_000),
    (Fork::Cancun, 1_700_020_000),
    (Fork::Prague, 1_700_030_000),
    (Fork::Osaka, 1_700_040_000),
    (Fork::Bpo1, 1_700_050_000),
];

/// The precompile of EIP-7951.
const P256_VERIFY: u64 = 0x100;

/// One specimen, and the block that it is of.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The producer's version and what is special about the block.
    pub name: &'static str,
    /// The specimen before it was encoded.
    pub specimen: Specimen,
    /// The specimen encoded.
    pub bytes: Vec<u8>,
    /// The block with all that the producer left out.
    pub block: SealedBlock,
}

/// The geth-style configuration of the shapes' chain.
pub fn config() -> Value {
    let mut config = crate::devnet_config();
    for (fork, time) in SCHEDULE {
        let key = match fork {
            Fork::London | Fork::Paris => continue,
            Fork::Shanghai => "shanghai",
            Fork::Cancun => "cancun",
            Fork::Prague => "prague",
            Fork::Osaka => "osaka",
            Fork::Bpo1 => "bpo1",
        };
        config[format!("{key}Time")] = time.into();
        if let Some(params) = fork.blob_params() {
            config["blobSchedule"][key] = blob_schedule(params);
        }
    }
    config
}

/// Every shape, each at a height of its own.
///
/// # Errors
///
/// None, unless the kit itself is broken.
pub fn shapes() -> Result<Vec<Shape>, KitError> {
    let mut shapes = without_state()?;
    shapes.extend(without_lists()?);
    shapes.extend(rounded()?);
    shapes.extend(repaired()?);
    Ok(shapes)
}

/// A block of every fork, and those whose receipts alone do not prove everything.
fn without_state() -> Result<Vec<Shape>, KitError> {
    let main = |name, height, fork, transactions| Shape::new(name, seal(height, fork, transactions)?, stateless());
    let with_blobs = |fork| [everything(fork), vec![blobs()]].concat();
    vec![
        main("main-paris", 101, Fork::Paris, everything(Fork::Paris)),
        main("main-shanghai", 102, Fork::Shanghai, everything(Fork::Shanghai)),
        main("main-cancun", 103, Fork::Cancun, with_blobs(Fork::Cancun)),
        main("main-prague", 104, Fork::Prague, with_blobs(Fork::Prague)),
        main("main-osaka", 105, Fork::Osaka, with_blobs(Fork::Osaka)),
        main("main-bpo1", 106, Fork::Bpo1, with_blobs(Fork::Bpo1)),
        main("main-prague-empty", 107, Fork::Prague, Vec::new()),
        main("main-prague-deposit", 108, Fork::Prague, scenario::requests()[..1].to_vec()),
        main("main-prague-requests", 109, Fork::Prague, scenario::requests()),
        main("main-osaka-delegations", 110, Fork::Osaka, scenario::delegations()),
    ]
    .into_iter()
    .collect()
}

/// Blocks whose authorizations or code the producer left out.
fn without_lists() -> Result<Vec<Shape>, KitError> {
    let t220 = |name, height, transactions| Shape::new(name, seal(height, Fork::Prague, transactions)?, as_exported());
    let mut measured = chain(124, Fork::Prague);
    let (ruler, delegated) = (address("ruler"), address("delegated"));
    let designation = [&[0xef, 0x01, 0x00], Contract::Herald.address().as_slice()].concat();
    measured.world.deploy(delegated, designation.into());
    measured.world.deploy(ruler, measuring(delegated));
    let measured = measured.seal(plan(vec![calling(ruler)]))?;
    let mut sized = chain(123, Fork::Prague);
    sized.world.deploy(ruler, measuring(Contract::Statue.address()));
    let sized = sized.seal(plan(vec![calling(ruler)]))?;
    let lacking = |account| Manner { size_only: vec![account], ..as_exported() };
    vec![
        t220("t220-set-and-call", 120, vec![delegating(vec![delegation(0)])]),
        t220("t220-many-and-invalid", 121, vec![delegating(many_and_invalid())]),
        t220("t220-requests-all-three", 122, scenario::requests()),
        Shape::new("t220-size-only", sized, lacking(Contract::Statue.address())),
        Shape::new("t220-size-of-a-delegated-account", measured, lacking(delegated)),
    ]
    .into_iter()
    .collect()
}

/// Blocks with a number that the producer's agent rounds.
fn rounded() -> Result<Vec<Shape>, KitError> {
    let alice = Cast::assembled().alice.address();
    let mut nonce = chain(130, Fork::Prague);
    nonce.world.accounts.entry(alice).or_default().nonce = BEYOND_A_DOUBLE;
    let mut nonce = Shape::new("t220-sender-nonce-2^53+1", nonce.seal(plan(vec![payment()]))?, as_exported())?;
    nonce.change(|specimen| {
        specimen.block.transactions[0].nonce -= 1;
        specimen.block.state.accounts.iter_mut().filter(|row| row.address == alice).for_each(|row| row.nonce -= 1);
    })?;
    let mut amount = plan(vec![payment()]);
    amount.withdrawals = scenario::withdrawals();
    amount.withdrawals[0].amount = BEYOND_A_DOUBLE;
    let sealed = chain(131, Fork::Prague).seal(amount)?;
    let mut amount = Shape::new("main-withdrawal-2^53+1", sealed, stateless())?;
    amount
        .change(|specimen| specimen.block.withdrawals.iter_mut().flatten().take(1).for_each(|row| row.amount -= 1))?;
    Ok(vec![nonce, amount])
}

/// Blocks from which nothing was left out.
fn repaired() -> Result<Vec<Shape>, KitError> {
    let whole = || Manner { authorizations: true, ..as_exported() };
    let verifier = address("verifier");
    let mut verifying = chain(140, Fork::Bpo1);
    verifying.world.deploy(verifier, verifying_code());
    let verifying = verifying.seal(plan(vec![calling(verifier)]))?;
    let listed = seal(141, Fork::Prague, vec![delegating(many_and_invalid())])?;
    Ok(vec![
        Shape::new("fix-bpo1-p256", verifying, whole())?,
        Shape::new("fix-prague-many-and-invalid", listed, whole())?,
        Shape::new("fix-osaka-delegations", seal(142, Fork::Osaka, scenario::delegations())?, whole())?,
    ])
}

impl Shape {
    fn new(name: &'static str, block: SealedBlock, manner: Manner) -> Result<Self, KitError> {
        let specimen = export(&block, Layout::V0_38, manner);
        let mut shape = Self { name, specimen, bytes: Vec::new(), block };
        shape.change(|_| {})?;
        Ok(shape)
    }

    /// Changes the specimen and encodes it anew.
    fn change(&mut self, change: impl FnOnce(&mut Specimen)) -> Result<(), KitError> {
        change(&mut self.specimen);
        let encoded = encode(&self.specimen, Layout::V0_38);
        let name = self.name.to_owned();
        self.bytes = encoded.map_err(|source| KitError::Encode { name, source: source.into() })?;
        Ok(())
    }
}

/// The manner of every version: sidecars without any in them, no authorizations.
fn as_exported() -> Manner {
    Manner { sidecars: Some(Vec::new()), ..Manner::default() }
}

fn stateless() -> Manner {
    Manner { stateless: true, ..as_exported() }
}

fn chain(height: u64, fork: Fork) -> Chain {
    let begin = SCHEDULE.into_iter().find(|(begun, _)| *begun == fork).map_or(SCHEDULE[0].1, |(_, time)| time);
    Chain::new(DEVNET, fork, height, begin + 12 * height, scenario::world(fork))
}

fn plan(transactions: Vec<Plan>) -> BlockPlan {
    BlockPlan { transactions, extra_data: Bytes::from_static(b"refiner producer"), ..BlockPlan::default() }
}

fn seal(height: u64, fork: Fork, transactions: Vec<Plan>) -> Result<SealedBlock, KitError> {
    let withdrawals =
        if fork >= Fork::Shanghai && height.is_multiple_of(2) { scenario::withdrawals() } else { Vec::new() };
    chain(height, fork).seal(BlockPlan { withdrawals, ..plan(transactions) })
}

/// Types 0 to 2, signed with and without a chain, creations, failures and logs.
fn everything(fork: Fork) -> Vec<Plan> {
    let mut transactions = scenario::everyday();
    if fork >= Fork::Prague {
        transactions.extend(scenario::requests()[..1].to_vec());
    }
    transactions
}

fn blobs() -> Plan {
    let hashes = vec![versioned_hash(1), versioned_hash(2)];
    scenario::call(Cast::assembled().alice, Contract::BlobReader, &[], Form::Blobs(hashes))
}

fn payment() -> Plan {
    let Cast { alice, bob, .. } = Cast::assembled();
    scenario::transfer(alice, bob.address(), 1, dynamic())
}

fn calling(contract: Address) -> Plan {
    let from = Cast::assembled().alice;
    Plan { from, to: Some(contract), value: U256::ZERO, input: Bytes::new(), gas: 500_000, form: dynamic() }
}

/// A transaction of type 4 that calls one of the authorities.
fn delegating(list: Vec<Delegation>) -> Plan {
    Plan { form: Form::SetCodeFor(list), ..calling(Cast::assembled().bob.address()) }
}

/// Bob adopts the code of the almanac.
fn delegation(nonce: u64) -> Delegation {
    let authority = Cast::assembled().bob;
    Delegation { authority, delegate: Contract::Almanac.address(), nonce, chain_id: DEVNET }
}

/// Authorizations that are applied, for any chain too, and those of a stale nonce, another chain, and one that comes twice.
fn many_and_invalid() -> Vec<Delegation> {
    let Cast { carol, erin, .. } = Cast::assembled();
    vec![
        delegation(0),
        Delegation { authority: carol, chain_id: 0, ..delegation(0) },
        Delegation { chain_id: 5, ..delegation(1) },
        delegation(9),
        delegation(0),
        Delegation { authority: erin, delegate: Contract::Herald.address(), ..delegation(0) },
    ]
}

/// Logs the size of an account's code.
pub(crate) fn measuring(account: Address) -> Bytes {
    let size = Assembler::new().push_address(account).ops(&[EXTCODESIZE]).push(0).ops(&[MSTORE]);
    size.push(32).push(0).ops(&[LOG0, STOP]).finish()
}

/// Calls the precompile of Osaka with a signature that is none, which costs what a good one does.
fn verifying_code() -> Bytes {
    let call = Assembler::new().push(32).push(0).push(160).push(0).push(P256_VERIFY).ops(&[GAS, STATICCALL, POP]);
    call.ops(&[CALLDATASIZE]).push(0).ops(&[LOG0, STOP]).finish()
}
