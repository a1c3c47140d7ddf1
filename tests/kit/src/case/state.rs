//! Rows of state: contradicting, missing, and of accounts that are not there.

use alloy_consensus::constants::KECCAK_EMPTY;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_specimen::{AccountRead, BlockHashRead, Layout, StorageRead};
use revm::bytecode::opcode::{CREATE2, LOG0, MSTORE, MSTORE8, STOP};

use super::{Case, address, block, chain, dynamic, newest, plan, without_receipts};
use crate::{
    Assembler, Contract, Fork, KitError, Manner, export,
    producer::measuring,
    scenario::{self, Cast},
    transaction::{Form, Plan},
};

pub(super) fn cases() -> Result<Vec<Case>, KitError> {
    let mut cases = contradictions()?;
    let (size, run) = (missing_size()?, missing_run()?);
    let lacking = [
        without_receipts("size-of-missing-code-without-receipts", &size)?,
        without_receipts("call-of-missing-code-without-receipts", &run)?,
    ];
    cases.extend([size, run].into_iter().chain(lacking));
    cases.push(fresh_authority()?);
    cases.push(collision()?);
    Ok(cases)
}

/// Rows of which there are two, the wrong one first or behind, or the right one twice.
fn contradictions() -> Result<Vec<Case>, KitError> {
    let cast = Cast::assembled();
    let plans = vec![
        scenario::call(cast.alice, Contract::Adder, &[B256::with_last_byte(1), B256::with_last_byte(2)], dynamic()),
        scenario::call(cast.bob, Contract::Historian, &[], dynamic()),
    ];
    let block = block(Fork::Cancun, plans)?;
    let changed = |name, change: fn(&mut refiner_specimen::StateReads)| {
        let mut specimen = newest(&block);
        change(&mut specimen.block.state);
        Case::new(name, specimen)
    };
    vec![
        changed("storage-row-wrong-first", |state| {
            let row = StorageRead { value: B256::with_last_byte(99), ..state.storage[0].clone() };
            state.storage.insert(0, row);
        }),
        changed("storage-row-wrong-behind", |state| {
            let row = StorageRead { value: B256::with_last_byte(99), ..state.storage[0].clone() };
            state.storage.push(row);
        }),
        changed("storage-row-twice", |state| state.storage.push(state.storage[0].clone())),
        changed("account-row-wrong-first", |state| {
            let row = AccountRead { nonce: 7, ..state.accounts[0].clone() };
            state.accounts.insert(0, row);
        }),
        changed("block-hash-row-wrong-first", |state| {
            let row = BlockHashRead { hash: B256::repeat_byte(0x55), ..state.block_hashes[0].clone() };
            state.block_hashes.insert(0, row);
        }),
    ]
    .into_iter()
    .collect()
}

/// Logs the size of a contract whose code the specimen lacks.
fn missing_size() -> Result<Case, KitError> {
    lacking("size-of-missing-code", measuring(Contract::Statue.address()), Contract::Statue)
}

/// Runs a contract whose code the specimen lacks.
fn missing_run() -> Result<Case, KitError> {
    let mut specimen =
        newest(&block(Fork::Cancun, vec![scenario::call(Cast::assembled().alice, Contract::Herald, &[], dynamic())])?);
    let hash = keccak256(Contract::Herald.code());
    specimen.block.state.codes.retain(|code| code.hash != hash);
    Case::new("call-of-missing-code", specimen)
}

fn lacking(name: &'static str, code: Bytes, lacking: Contract) -> Result<Case, KitError> {
    let contract = address(name);
    let mut chain = chain(Fork::Cancun);
    chain.world.deploy(contract, code);
    let block = chain.seal(plan(vec![calling(contract)]))?;
    Case::new(name, export(&block, Layout::V0_38, Manner { size_only: vec![lacking.address()], ..Manner::default() }))
}

fn calling(contract: Address) -> Plan {
    Plan {
        from: Cast::assembled().alice,
        to: Some(contract),
        value: U256::ZERO,
        input: Bytes::new(),
        gas: 500_000,
        form: dynamic(),
    }
}

/// An authority without an account, which the specimen shows as an account with nothing in it: no refund is due (EIP-161).
fn fresh_authority() -> Result<Case, KitError> {
    let erin = Cast::assembled().erin;
    let adoption = Form::SetCodeAt(vec![(erin, Contract::Almanac.address(), 0)]);
    let plan = scenario::heavy(Cast::assembled().alice, Contract::Ledger, Bytes::new(), adoption);
    let mut specimen = newest(&block(Fork::Prague, vec![plan])?);
    specimen.block.state.accounts.push(AccountRead {
        address: erin.address(),
        nonce: 0,
        balance: U256::ZERO,
        code_hash: KECCAK_EMPTY,
    });
    Case::new("fresh-authority-with-an-empty-row", specimen)
}

/// A creation at an address that has storage, a balance, and neither nonce nor code: a collision (EIP-7610).
///
/// The kit's EVM does not know of that storage, so the block is executed with a nonce in the way, which collides alike.
fn collision() -> Result<Case, KitError> {
    let name = "creation-over-storage";
    let creator = address(name);
    // Init code of one byte, so that a creation that did not collide would succeed and leave other gas.
    let code = Assembler::new()
        .push(u64::from(STOP))
        .push(0)
        .ops(&[MSTORE8])
        .push(0)
        .push(1)
        .push(0)
        .push(0)
        .ops(&[CREATE2])
        .push(0)
        .ops(&[MSTORE])
        .push(32)
        .push(0)
        .ops(&[LOG0, STOP])
        .finish();
    let created = creator.create2(B256::ZERO, keccak256([STOP]));
    let mut chain = chain(Fork::Prague);
    chain.world.deploy(creator, code);
    chain.world.deploy(created, Bytes::new());
    chain.world.fund(created, U256::from(1));
    let mut specimen = newest(&chain.seal(plan(vec![calling(creator)]))?);
    let state = &mut specimen.block.state;
    for row in state.accounts.iter_mut().filter(|row| row.address == created) {
        row.nonce = 0;
    }
    state.storage.push(StorageRead { account: created, slot: B256::ZERO, value: B256::with_last_byte(7) });
    Case::new(name, specimen)
}
