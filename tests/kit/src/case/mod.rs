//! Inputs of the kinds that once had a wrong answer, each built of our own transactions and contracts.
//!
//! A case is consistent with its own header unless its kind is an inconsistency: so each shows one thing, and no other check
//! can reject it first. The right answers stand in `tests/acceptance/cases`.

mod blobs;
mod bounds;
mod layouts;
mod limits;
mod signatures;
mod state;
mod tampered;
pub mod transfers;
mod whole;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_specimen::{Layout, Specimen, encode};

pub use bounds::{Flood, diagnosis_heavy, floods};
pub use whole::whole;

use crate::{
    BlockPlan, Chain, Fork, KitError, Manner, Plan, SealedBlock, export,
    sample::mainnet,
    scenario::{self, Cast},
    transaction::Form,
};

/// One input.
#[derive(Clone, Debug)]
pub struct Case {
    /// The kind, and what is special about this one of it.
    pub name: &'static str,
    /// The specimen before it was encoded.
    pub specimen: Specimen,
    /// The specimen encoded.
    pub bytes: Vec<u8>,
}

impl Case {
    fn new(name: &'static str, specimen: Specimen) -> Result<Self, KitError> {
        match encode(&specimen, specimen.layout) {
            Ok(bytes) => Ok(Self { name, specimen, bytes }),
            Err(source) => Err(KitError::Encode { name: name.to_owned(), source: source.into() }),
        }
    }
}

/// The same block without the receipts that its producer recorded.
fn without_receipts(name: &'static str, case: &Case) -> Result<Case, KitError> {
    let mut specimen = case.specimen.clone();
    specimen.block.receipts.clear();
    Case::new(name, specimen)
}

/// Every case that ends at once.
///
/// # Errors
///
/// None, unless the kit itself is broken.
pub fn cases() -> Result<Vec<Case>, KitError> {
    let mut cases = tampered::cases()?;
    cases.extend(signatures::cases()?);
    cases.extend(blobs::cases()?);
    cases.extend(state::cases()?);
    cases.extend(limits::cases()?);
    cases.extend(layouts::cases()?);
    cases.push(transfers::case()?);
    Ok(cases)
}

/// Height and time of the cases, by fork, on mainnet.
fn chain(fork: Fork) -> Chain {
    match fork {
        Fork::London => mainnet(fork, 15_127_614, 1_657_600_013),
        Fork::Paris => mainnet(fork, 15_582_840, 1_663_790_003),
        Fork::Shanghai => mainnet(fork, 17_200_000, 1_683_350_003),
        Fork::Cancun => mainnet(fork, 20_200_000, 1_720_000_007),
        Fork::Prague => mainnet(fork, 22_600_000, 1_748_650_007),
        Fork::Osaka => mainnet(fork, 23_940_000, 1_764_900_011),
        Fork::Bpo1 => mainnet(fork, 23_980_000, 1_765_390_007),
    }
}

/// A block of these transactions.
fn block(fork: Fork, transactions: Vec<Plan>) -> Result<SealedBlock, KitError> {
    chain(fork).seal(plan(transactions))
}

fn plan(transactions: Vec<Plan>) -> BlockPlan {
    BlockPlan { transactions, extra_data: Bytes::from_static(b"refiner case"), ..BlockPlan::default() }
}

/// A block as the producer writes it in the newest layout, and its authorizations too.
fn newest(block: &SealedBlock) -> Specimen {
    export(block, Layout::V0_38, Manner { authorizations: true, ..Manner::default() })
}

/// A transfer of one wei, the least that a transaction can do.
fn payment(form: Form) -> Plan {
    let Cast { alice, bob, .. } = Cast::assembled();
    scenario::transfer(alice, bob.address(), 1, form)
}

pub(crate) fn dynamic() -> Form {
    Form::DynamicFee(alloy_eips::eip2930::AccessList::default())
}

/// The address of a contract that only one case has.
pub(crate) fn address(name: &str) -> Address {
    Address::from_slice(&keccak256(format!("refiner case: {name}"))[12..])
}

/// More wei than the dearest block costs.
fn fortune() -> U256 {
    U256::from(1) << 100
}

/// A blob hash of the version that EIP-4844 allows.
pub(crate) fn versioned_hash(serial: u8) -> B256 {
    let mut hash = B256::repeat_byte(serial);
    hash.0[0] = 1;
    hash
}
