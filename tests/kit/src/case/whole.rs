//! Blocks in which every field of their layout is filled.

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{B256, Bytes, U256};
use refiner_specimen::Layout;

use super::{Case, chain, dynamic, plan, versioned_hash};
use crate::{
    BlockPlan, Contract, Fork, KitError, Manner, Plan, export,
    sample::partial_sidecar,
    scenario::{self, Cast},
    transaction::Form,
};

/// A block of `fork` with transactions of every type that the fork knows, with logs, failures, reads of every kind,
/// withdrawals since Shanghai, requests since Prague, and an ommer before the merge.
///
/// # Errors
///
/// When `layout` has no place for something in it.
pub fn whole(fork: Fork, layout: Layout) -> Result<Case, KitError> {
    let mut chain = chain(fork);
    let mut transactions = common();
    let mut block = plan(Vec::new());
    if fork < Fork::Paris {
        block.ommers.push(chain.sibling());
    }
    if fork >= Fork::Shanghai {
        block.withdrawals = scenario::withdrawals();
    }
    if fork >= Fork::Cancun {
        let hashes = vec![versioned_hash(1), versioned_hash(2)];
        transactions.push(scenario::call(Cast::assembled().alice, Contract::BlobReader, &[], Form::Blobs(hashes)));
    }
    if fork >= Fork::Prague {
        transactions.extend(scenario::delegations());
        transactions.extend(scenario::requests());
    }
    let block = chain.seal(BlockPlan { transactions, ..block })?;
    let manner = Manner {
        size_only: vec![Contract::Statue.address()],
        authorizations: true,
        sidecars: (fork >= Fork::Cancun).then(|| vec![partial_sidecar()]),
        ..Manner::default()
    };
    Case::new("whole", export(&block, layout, manner))
}

/// Transactions that every fork allows.
fn common() -> Vec<Plan> {
    let Cast { alice, bob, carol, erin } = Cast::assembled();
    let warmed = AccessList(vec![
        AccessListItem {
            address: Contract::Coin.address(),
            storage_keys: vec![bob.address().into_word(), carol.address().into_word()],
        },
        AccessListItem { address: Contract::Deed.address(), storage_keys: Vec::new() },
    ]);
    let coins = [erin.address().into_word(), B256::with_last_byte(3)];
    vec![
        scenario::transfer(alice, bob.address(), 12_345, Form::Legacy),
        scenario::transfer(bob, erin.address(), 1_000_000, Form::LegacyUnprotected),
        scenario::call(bob, Contract::Coin, &coins, Form::AccessList(warmed.clone())),
        scenario::call(alice, Contract::Coin, &coins, Form::DynamicFee(warmed)),
        scenario::create(carol, crate::deploying(&Contract::Ledger.code()), dynamic()),
        scenario::call(alice, Contract::Herald, &[], dynamic()),
        scenario::call(bob, Contract::Reverter, &[], dynamic()),
        scenario::call(alice, Contract::Historian, &[], dynamic()),
        scenario::call(bob, Contract::Surveyor, &[Contract::Statue.address().into_word()], dynamic()),
        scenario::call(carol, Contract::Adder, &[B256::with_last_byte(1), B256::with_last_byte(2)], dynamic()),
        Plan { value: U256::from(5), ..scenario::heavy(carol, Contract::Deed, Bytes::new(), Form::Legacy) },
    ]
}
