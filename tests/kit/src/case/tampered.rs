//! One honest block, and the same with one thing changed.

use alloy_primitives::{B256, Bytes, U256, hex};
use refiner_specimen::Specimen;

use super::{Case, chain, dynamic, newest, payment, plan};
use crate::{
    BlockPlan, Contract, Fork, KitError, SealedBlock,
    scenario::{self, Cast},
    transaction::Form,
};

pub(super) fn cases() -> Result<Vec<Case>, KitError> {
    let block = honest()?;
    let tampered = |name, change: fn(&mut Specimen)| {
        let mut specimen = newest(&block);
        change(&mut specimen);
        Case::new(name, specimen)
    };
    vec![
        tampered("honest", |_| {}),
        tampered("tampered-value", |it| it.block.transactions[0].value += U256::from(1)),
        tampered("tampered-recipient", |it| it.block.transactions[0].to = Some(Contract::Coin.address())),
        tampered("tampered-sender", |it| {
            it.block.senders[0] = Cast::assembled().alice.address();
            it.block.transactions[0].from = Some(it.block.senders[0]);
        }),
        tampered("tampered-sender-alone", |it| it.block.senders[0] = Cast::assembled().alice.address()),
        tampered("tampered-withdrawal-amount", |it| {
            if let Some(withdrawal) = it.block.withdrawals.iter_mut().flatten().next() {
                withdrawal.amount = 32_000_000_000_000;
            }
        }),
        tampered("tampered-block-hash", |it| {
            it.event_hash = B256::repeat_byte(0x97);
            it.block.hash = it.event_hash;
        }),
        tampered("tampered-event-hash", |it| it.event_hash = B256::repeat_byte(0x97)),
        tampered("tampered-extra-data", |it| it.block.header.extra_data = long_extra_data()),
        tampered("tampered-gas-limit", |it| it.block.header.gas_limit -= 1),
        tampered("tampered-ommers", |it| it.block.uncles = Some(vec![it.block.header.clone()])),
        tampered("tampered-start-block", |it| (it.start_block, it.end_block) = (5, 9)),
        tampered("tampered-elements", |it| it.elements = 2),
        tampered("tampered-network", |it| it.block.network_id = 11_155_111),
        tampered("tampered-kind", |it| it.block.kind = hostile_kind()),
        Case::new("sealed-extra-data", newest(&sealed(|header| header.extra_data = long_extra_data())?)),
        Case::new("sealed-gas-limit-4999", newest(&sealed(|header| header.gas_limit = 4_999)?)),
    ]
    .into_iter()
    .collect()
}

/// Two payments of different forms, and withdrawals.
fn honest() -> Result<SealedBlock, KitError> {
    let Cast { bob, carol, .. } = Cast::assembled();
    let transactions = vec![
        scenario::call(carol, Contract::Ledger, &[B256::with_last_byte(6), B256::with_last_byte(66)], dynamic()),
        scenario::transfer(bob, carol.address(), 12_345, Form::Legacy),
    ];
    chain(Fork::Prague).seal(BlockPlan { withdrawals: scenario::withdrawals(), ..plan(transactions) })
}

/// A block whose hash covers what its header's rules forbid.
fn sealed(change: fn(&mut alloy_consensus::Header)) -> Result<SealedBlock, KitError> {
    Ok(chain(Fork::Prague).seal(plan(vec![payment(dynamic())]))?.with_header(change))
}

/// One byte more than a header may have.
const fn long_extra_data() -> Bytes {
    Bytes::from_static(&[b'x'; 33])
}

/// Text that a terminal would obey: a title, a colour, a cleared screen, a forged line, and text that runs backwards.
fn hostile_kind() -> String {
    let escapes = hex!("1b5d303b70776e6564071b5b33316d5245441b5b324a0a");
    let controls = String::from_utf8_lossy(&escapes).into_owned();
    controls + "block 0 of chain 1 \u{202e}\u{2066}\u{61c}\u{180e}\u{ad}\u{fff9}\u{e0041}"
}
