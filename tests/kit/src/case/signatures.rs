//! Signatures for another chain, authorizations and nonces that are not what was signed.

use alloy_primitives::{Bytes, U256};

use super::{Case, block, chain, dynamic, newest, payment, plan};
use crate::{
    Contract, Fork, KitError,
    scenario::{self, Cast},
    transaction::{Form, Plan},
};

/// The first nonce that a double cannot hold.
const BEYOND_A_DOUBLE: u64 = (1 << 53) + 1;

/// The parity of a signature that is not one byte, and whose last byte is.
const LONG_PARITY: u64 = 256;

pub(super) fn cases() -> Result<Vec<Case>, KitError> {
    // Signed for another chain, with a root that covers it.
    let mut foreign = newest(&block(Fork::Cancun, vec![payment(Form::LegacyForeign(5))])?);
    foreign.block.transactions[0].chain_id = 1;
    // Signed for this chain, and then shown with another's v.
    let mut relabelled = newest(&block(Fork::Cancun, vec![payment(Form::Legacy)])?);
    relabelled.block.transactions[0].v = relabelled.block.transactions[0].v.map(|v| v + U256::from(8));

    let mut other_delegate = newest(&block(Fork::Prague, vec![stale_authorization()])?);
    let mut long_parity = newest(&block(Fork::Prague, vec![authorization()])?);
    let parity = &mut authorizations(&mut long_parity)[0].y_parity;
    *parity += U256::from(LONG_PARITY);
    authorizations(&mut other_delegate)[0].address = Contract::Herald.address();
    vec![
        Case::new("legacy-signed-for-chain-5", foreign),
        Case::new("legacy-v-of-chain-5", relabelled),
        Case::new("authorization-of-another-address", other_delegate),
        Case::new("authorization-with-parity-256", long_parity),
        nonce_through_a_double(),
    ]
    .into_iter()
    .collect()
}

fn authorizations(specimen: &mut refiner_specimen::Specimen) -> &mut [refiner_specimen::Authorization] {
    specimen.block.transactions[0].authorization_list.as_deref_mut().unwrap_or_default()
}

fn delegation(form: Form) -> Plan {
    let alice = Cast::assembled().alice;
    scenario::heavy(alice, Contract::Almanac, Bytes::new(), form)
}

/// An authorization that is applied.
fn authorization() -> Plan {
    delegation(Form::SetCodeAt(vec![(Cast::assembled().bob, Contract::Almanac.address(), 0)]))
}

/// An authorization that is not, so that its delegate changes nothing of what the block does.
fn stale_authorization() -> Plan {
    delegation(Form::SetCodeAt(vec![(Cast::assembled().bob, Contract::Almanac.address(), 5)]))
}

/// A creation whose nonce lost its last digit on the way into the specimen, and with it the created address.
fn nonce_through_a_double() -> Result<Case, KitError> {
    let alice = Cast::assembled().alice;
    let mut chain = chain(Fork::Cancun);
    chain.world.accounts.entry(alice.address()).or_default().nonce = BEYOND_A_DOUBLE;
    let creation = scenario::create(alice, Bytes::from_static(&[0]), dynamic());
    let mut specimen = newest(&chain.seal(plan(vec![creation]))?);
    specimen.block.transactions[0].nonce -= 1;
    Case::new("creation-with-a-nonce-through-a-double", specimen)
}
