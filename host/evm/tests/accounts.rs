//! Existence of accounts, fork by fork, and addresses at which nothing can be created.

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::Transaction;
use refiner_testblocks::devnet::{CALLER, CONTRACT, PRAGUE, TestBlock, call, mainnet::*, old_call};
use refiner_testkit::Key;
use revm::bytecode::opcode as op;

#[test]
fn a_call_pays_for_a_new_account_only_where_there_is_none() {
    const NEW_ACCOUNT: u64 = 25_000;
    let gas = |at, value, row: bool| {
        let block = if row { mainnet(at).row(NOBODY, 0, 0, &[]) } else { mainnet(at) };
        run(block, &calling(NOBODY, value)).receipts[0].gas_used
    };
    // Before EIP-161 an empty account can exist, and a call without value makes one.
    for at in [FRONTIER, HOMESTEAD, SPURIOUS_DRAGON - 1] {
        assert_eq!(gas(at, 0, false), gas(at, 0, true) + NEW_ACCOUNT, "{at}");
        assert_eq!(gas(at, 1, false), gas(at, 1, true) + NEW_ACCOUNT, "{at}");
    }
    // Since then it does not, whatever the row states, and only value makes one.
    for at in [SPURIOUS_DRAGON, BYZANTIUM, LONDON, PRAGUE_TIME] {
        assert_eq!(gas(at, 0, false), gas(at, 0, true), "{at}");
        assert_eq!(gas(at, 1, false), gas(at, 1, true), "{at}");
    }
}

#[test]
fn an_account_that_an_earlier_transaction_destroyed_does_not_exist() {
    let destroy = [&push(CALLER)[..], &[op::SELFDESTRUCT]].concat();
    let block = |first: &[u8]| {
        let caller = Address::repeat_byte(0xcc);
        let block = mainnet(TANGERINE).account(NOBODY, first).account(caller, &calling(NOBODY, 0));
        block.transaction(old_call(NOBODY)).transaction(old_call(caller)).executed().receipts[1].gas_used
    };
    assert_eq!(block(&destroy), block(&[op::STOP]) + 25_000);
}

#[test]
fn an_empty_row_is_no_account_and_earns_its_authority_no_refund() {
    let key = Key::named("authority");
    let set_code = Transaction { tx_type: 4, authorization_list: Some(vec![authorization(&key, 0)]), ..call(CALLER) };
    let gas = |block: TestBlock| {
        let execution = block.transaction(set_code.clone()).executed();
        execution.receipts.last().unwrap().gas_used
    };
    let block = || TestBlock::at(PRAGUE);
    assert_eq!(gas(block()), 46_000);
    assert_eq!(gas(block().row(key.address(), 0, 0, &[])), 46_000);
    // EIP-7702's refund for an authority that exists, at most a fifth of the gas.
    assert_eq!(gas(block().row(key.address(), 0, 1, &[])), 36_800);

    // A transaction that touches an empty account leaves none behind, and one that pays it does.
    let touched = |value| block().transaction(Transaction { value: U256::from(value), ..call(key.address()) });
    assert_eq!(gas(touched(0)), 46_000);
    assert_eq!(gas(touched(1)), 36_800);
}

#[test]
fn a_creation_at_an_address_with_storage_collides_in_every_fork() {
    let create = Transaction { to: None, input: Bytes::from_static(&[op::STOP]), ..old_call(CONTRACT) };
    let target = CALLER.create(0);
    let forks =
        [FRONTIER, HOMESTEAD, TANGERINE, SPURIOUS_DRAGON, BYZANTIUM, BERLIN, LONDON, PARIS, CANCUN, PRAGUE_TIME, OSAKA];
    for at in forks {
        let created = |balance, slots: &[u64]| {
            let block = mainnet(at).row(target, 0, balance, slots).transaction(create.clone());
            let receipt = block.executed().receipts.remove(0);
            (receipt.success, receipt.gas_used == create.gas)
        };
        // All the gas is lost, as with any collision.
        assert_eq!(created(1, &[7]), (false, true), "{at}");
        assert_eq!(created(0, &[0, 7]), (false, true), "{at}");
        assert_eq!(created(1, &[]), (true, false), "{at}");
        assert_eq!(created(1, &[0]), (true, false), "{at}");
        // Rows of an account that has none of its own are orphans and read as zero.
        let orphan = mainnet(at).row(target, 0, 0, &[7]).transaction(create.clone());
        let orphan = orphan.with(|block| block.state.accounts.retain(|read| read.address != target));
        assert!(orphan.executed().receipts[0].success, "{at}");
    }
}

#[test]
fn a_collision_in_a_contract_returns_zero_and_moves_no_value() {
    // Creates an empty contract with 1 wei and logs its address.
    let code = logging(&[op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 1, op::CREATE]);
    let target = CONTRACT.create(1);
    let block = |slots: &[u64]| {
        let block = mainnet(LONDON).contract(&code).row(target, 0, 0, slots);
        let transaction = Transaction { value: U256::from(1), ..old_call(CONTRACT) };
        topic(&block.transaction(transaction).executed())
    };
    assert_eq!(block(&[7]), B256::ZERO);
    assert_eq!(block(&[]), target.into_word());
}
