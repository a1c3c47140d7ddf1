//! Checks against roots and hashes that alloy computes from its own transaction types.

mod bytes;
mod chain_id;
mod consistent;
mod in_alloy;
mod ommers;
mod rows;
mod segment;
mod text;
mod transactions;

use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, B256, U256, keccak256};
use refiner_specimen::{
    CodeRead, Specimen, StorageRead,
    check::{self, CheckName, Outcome},
};

use consistent::{CHAIN, consistent};

#[test]
fn consistent_block_passes_every_check() {
    for check in check::all(&consistent()) {
        assert_eq!(check.outcome, Outcome::Passed, "{check}");
    }
}

#[test]
fn each_lie_fails_the_check_that_is_about_it() {
    type Lie = fn(&mut Specimen);
    use CheckName::{
        BlockHash, ChainId, CodeHashes, OmmersHash, Segment, StateRows, TransactionFields, TransactionsRoot,
        WithdrawalsRoot,
    };
    let lies: [(&[CheckName], Lie); 41] = [
        (&[], |_| ()),
        (&[Segment], |specimen| specimen.elements = 2),
        (&[Segment], |specimen| specimen.start_block -= 1),
        (&[Segment], |specimen| specimen.end_block += 1),
        (&[Segment], |specimen| specimen.event_hash = B256::ZERO),
        (&[Segment], |specimen| specimen.block.kind = "block".into()),
        (&[], |specimen| specimen.block.kind = "block-specimen".into()),
        (&[Segment, BlockHash], |specimen| specimen.block.hash = B256::ZERO),
        (&[BlockHash], |specimen| specimen.block.header.gas_used += 1),
        (&[OmmersHash], |specimen| specimen.block.uncles = None),
        (&[OmmersHash], |specimen| specimen.block.uncles.as_mut().unwrap()[0].gas_used += 1),
        (&[TransactionsRoot], |specimen| specimen.block.transactions[7].nonce += 1),
        (&[TransactionsRoot], |specimen| specimen.block.transactions.swap(0, 1)),
        (&[TransactionsRoot, TransactionFields], |specimen| specimen.block.transactions.truncate(2)),
        (&[TransactionFields], |specimen| specimen.block.senders.truncate(1)),
        (&[TransactionFields], |specimen| specimen.block.transactions[3].from = Some(Address::ZERO)),
        (&[], |specimen| specimen.block.transactions[3].from = Some(Address::repeat_byte(1))),
        (&[TransactionFields], |specimen| {
            specimen.block.transactions[0].access_list = AccessList(vec![Default::default()]);
        }),
        (&[TransactionFields], |specimen| specimen.block.transactions[0].gas_tip_cap ^= 1),
        (&[TransactionFields], |specimen| specimen.block.transactions[1].gas_fee_cap ^= 1),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].gas_price ^= 1),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].blob_fee_cap = Some(1)),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].blob_gas = Some(1)),
        (&[], |specimen| specimen.block.transactions[2].blob_gas = Some(0)),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].blob_hashes = Some(vec![B256::ZERO])),
        (&[TransactionFields], |specimen| specimen.block.transactions[3].blob_gas = Some(1)),
        (&[TransactionFields], |specimen| {
            specimen.block.transactions[2].authorization_list = Some(vec![signed_by_any(0)]);
        }),
        (&[], |specimen| specimen.block.transactions[2].authorization_list = Some(Vec::new())),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].data = Some("0x00".into())),
        (&[TransactionsRoot, TransactionFields], |specimen| specimen.block.transactions[2].v = Some(U256::from(2))),
        (&[TransactionFields], |specimen| {
            specimen.block.transactions[4].authorization_list = Some(vec![signed_by_any(256)]);
        }),
        (&[TransactionsRoot], |specimen| {
            specimen.block.transactions[4].authorization_list = Some(vec![signed_by_any(255)]);
        }),
        (&[ChainId], |specimen| specimen.block.transactions[0].chain_id ^= 1),
        (&[TransactionsRoot, ChainId], |specimen| specimen.block.transactions[1].chain_id = 1),
        (&[ChainId], |specimen| specimen.block.network_id += 1),
        (&[WithdrawalsRoot], |specimen| specimen.block.withdrawals = None),
        (&[BlockHash, WithdrawalsRoot], |specimen| {
            specimen.block.withdrawals.get_or_insert_default().push(Default::default());
            specimen.block.header.withdrawals_root = None;
        }),
        (&[StateRows], |specimen| specimen.block.state.accounts.push(specimen.block.state.accounts[0].clone())),
        (&[StateRows], |specimen| {
            let first = specimen.block.state.storage[0].clone();
            specimen.block.state.storage.push(StorageRead { value: B256::repeat_byte(0xee), ..first });
        }),
        (&[StateRows], |specimen| {
            let first = specimen.block.state.block_hashes[0].clone();
            specimen.block.state.block_hashes.push(first);
        }),
        (&[CodeHashes], |specimen| specimen.block.state.codes[1].hash = B256::ZERO),
    ];
    for (position, (names, lie)) in lies.into_iter().enumerate() {
        let mut specimen = consistent();
        lie(&mut specimen);
        let failed: Vec<_> =
            check::all(&specimen).iter().filter(|check| check.failed()).map(|check| check.name).collect();
        assert_eq!(failed, names, "lie {position}");
    }
}

fn signed_by_any(y_parity: u64) -> refiner_specimen::Authorization {
    let (chain_id, one) = (U256::from(CHAIN), U256::ONE);
    let y_parity = U256::from(y_parity);
    refiner_specimen::Authorization { chain_id, address: Address::ZERO, nonce: 0, y_parity, r: one, s: one }
}

#[test]
fn checks_without_anything_to_compare_say_so() {
    let mut specimen = consistent();
    specimen.block.state.codes.clear();
    assert_eq!(check::code_hashes(&specimen).to_string(), "codeHashes not applicable: the block read no code");
    specimen.block.header.withdrawals_root = None;
    specimen.block.withdrawals = Some(Vec::new());
    assert_eq!(
        check::withdrawals_root(&specimen).to_string(),
        "withdrawalsRoot not applicable: the block has no withdrawals"
    );
    specimen.block.transactions[0].tx_type = 9;
    assert!(matches!(check::transactions_root(&specimen).outcome, Outcome::NotCheckable(_)));
}

#[test]
fn failed_code_check_shows_the_first_code_that_is_not_its_hash() {
    let mut specimen = consistent();
    let lie = CodeRead { hash: B256::repeat_byte(1), code: Default::default() };
    specimen.block.state.codes.push(lie);
    let text = check::code_hashes(&specimen).to_string();
    let expected = format!("codeHashes failed: stated {}, computed {}", B256::repeat_byte(1), keccak256([]));
    assert_eq!(text, expected);
}
