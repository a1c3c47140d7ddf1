//! What changes at each fork's boundary, on blocks of our own at mainnet's heights and times.

mod devnet;

use alloy_consensus::{
    Eip658Value, Header, Receipt as ChainReceipt, ReceiptEnvelope, ReceiptWithBloom, proofs::calculate_receipt_root,
};
use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use devnet::{BEACON_ROOTS, CALLER, CONTRACT, PRAGUE, TestBlock, WITHDRAWAL_REQUESTS, call, old_call};
use refiner_evm::{ChainSpec, Era, ExecuteError, Execution, Rejected, ResultFormat, Unsupported};
use refiner_specimen::{
    Transaction,
    check::{CheckName, Outcome},
};
use refiner_testkit::Key;
use revm::bytecode::opcode as op;
use sha2::{Digest, Sha256};

const NOBODY: Address = Address::repeat_byte(0x99);
const FRONTIER: u64 = 1_149_999;
const HOMESTEAD: u64 = 1_150_000;
const TANGERINE: u64 = 2_463_000;
const SPURIOUS_DRAGON: u64 = 2_675_000;
const BYZANTIUM: u64 = 4_370_000;
const PETERSBURG: u64 = 7_280_000;
const ISTANBUL: u64 = 9_069_000;
const BERLIN: u64 = 12_244_000;
const LONDON: u64 = 12_965_000;
const PARIS: u64 = 15_537_394;
const SHANGHAI: u64 = 1_681_338_455;
const CANCUN: u64 = 1_710_338_135;
const PRAGUE_TIME: u64 = 1_746_612_311;
const OSAKA: u64 = 1_764_798_551;

/// A block of mainnet: heights before the merge, times after it.
fn mainnet(at: u64) -> TestBlock {
    let (height, timestamp) = if at <= PARIS { (at, 0) } else { (20_000_000, at) };
    TestBlock::on(ChainSpec::builtin(1).unwrap(), height, timestamp).with(|block| {
        if (1_920_000..1_920_010).contains(&height) {
            block.header.extra_data = Bytes::from_static(b"dao-hard-fork");
        }
    })
}

/// Runs `code` in one transaction of type 0.
fn run(block: TestBlock, code: &[u8]) -> Execution {
    block.contract(code).transaction(old_call(CONTRACT)).executed()
}

fn push(address: Address) -> Vec<u8> {
    [&[op::PUSH20], &address[..]].concat()
}

/// Emits what `code` leaves on the stack as the topic of an empty log.
fn logging(code: &[u8]) -> Vec<u8> {
    [code, &[op::PUSH1, 0, op::PUSH1, 0, op::LOG1, op::STOP]].concat()
}

/// Calls with this value and 0 gas, which is not enough to run anything.
fn calling(target: Address, value: u8) -> Vec<u8> {
    let zeros = [op::PUSH1, 0].repeat(4);
    [&zeros[..], &[op::PUSH1, value], &push(target), &[op::PUSH1, 0, op::CALL, op::STOP]].concat()
}

fn topic(execution: &Execution) -> B256 {
    execution.receipts[0].logs[0].topics[0]
}

#[test]
fn opcodes_come_with_their_fork() {
    let cases: [(&str, u64, &[u8]); 10] = [
        ("DELEGATECALL", HOMESTEAD, &[0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 9, 0x60, 0, op::DELEGATECALL]),
        ("RETURNDATASIZE", BYZANTIUM, &[op::RETURNDATASIZE]),
        ("SHL", PETERSBURG, &[op::PUSH1, 1, op::PUSH1, 1, op::SHL]),
        ("CHAINID", ISTANBUL, &[op::CHAINID]),
        ("BASEFEE", LONDON, &[op::BASEFEE]),
        ("PUSH0", SHANGHAI, &[op::PUSH0]),
        ("TLOAD", CANCUN, &[op::PUSH1, 0, op::TLOAD]),
        ("BLOBBASEFEE", CANCUN, &[op::BLOBBASEFEE]),
        ("MCOPY", CANCUN, &[op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0, op::MCOPY]),
        ("CLZ", OSAKA, &[op::PUSH1, 1, op::CLZ]),
    ];
    for (name, since, code) in cases {
        for (at, expected) in [(since - 1, false), (since, true)] {
            assert_eq!(run(mainnet(at), code).receipts[0].success, expected, "{name} at {at}");
        }
    }
}

#[test]
fn gas_costs_change_with_their_fork() {
    let sload: &[u8] = &[op::PUSH1, 0, op::SLOAD];
    let modexp: &[u8] = &[0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 5, 0x61, 0xff, 0xff, op::CALL];
    let cases: [(&str, u64, &[u8], u64, u64); 7] = [
        ("EIP-150", TANGERINE, sload, 50, 200),
        ("EIP-160", SPURIOUS_DRAGON, &[op::PUSH1, 2, op::PUSH1, 2, op::EXP], 23, 63),
        ("EIP-1884", ISTANBUL, sload, 200, 800),
        ("EIP-2929", BERLIN, sload, 800, 2_100),
        ("EIP-2565", BERLIN, modexp, 700, 100 + 200),
        ("EIP-3651", SHANGHAI, &[op::COINBASE, op::BALANCE], 2_602, 102),
        ("EIP-7883", OSAKA, modexp, 100 + 200, 100 + 500),
    ];
    for (name, since, code, before, after) in cases {
        // Pushes before the opcode that is priced.
        let pushes = match name {
            "EIP-150" | "EIP-1884" | "EIP-2929" => 3,
            "EIP-160" => 3,
            "EIP-3651" => 0,
            _ => 21,
        };
        for (at, expected) in [(since - 1, before), (since, after)] {
            let gas = run(mainnet(at), code).receipts[0].gas_used;
            assert_eq!(gas, 21_000 + pushes + expected, "{name} at {at}");
        }
    }
}

#[test]
fn difficulty_becomes_prevrandao_at_the_merge() {
    let code = logging(&[op::DIFFICULTY]);
    assert_eq!(topic(&run(mainnet(PARIS - 1), &code)), B256::from(devnet::DIFFICULTY));
    assert_eq!(topic(&run(mainnet(PARIS), &code)), devnet::MIX_HASH);
}

#[test]
fn transactions_of_a_type_are_valid_from_its_fork_on() {
    let typed = |tx_type| Transaction { tx_type, chain_id: 1, gas_price: 100, ..call(CONTRACT) };
    let blob = Transaction { blob_hashes: Some(vec![devnet::BLOB_HASH]), blob_fee_cap: Some(1_000), ..typed(3) };
    let set_code = Transaction { authorization_list: Some(vec![authorization(&Key::named("a"), 0)]), ..typed(4) };
    for (since, transaction) in [(BERLIN, typed(1)), (LONDON, typed(2)), (CANCUN, blob), (PRAGUE_TIME, set_code)] {
        let block = |at| mainnet(at).transaction(transaction.clone());
        block(since).executed();
        let error = block(since - 1).refused();
        assert!(
            matches!(error, ExecuteError::Rejected(Rejected::InvalidTransaction { transaction: 0, .. })),
            "{error}"
        );
    }
}

#[test]
fn a_creation_that_cannot_pay_for_its_code_succeeds_in_frontier_only() {
    // Returns 32 bytes of code, which cost 6,400 gas, and has less left.
    let init = [op::PUSH1, 32, op::PUSH1, 0, op::RETURN];
    let create = |gas| Transaction { to: None, input: init.into(), gas, ..old_call(CONTRACT) };
    let success = |at, gas| mainnet(at).transaction(create(gas)).executed().receipts[0].success;
    assert!(success(FRONTIER, 23_000));
    assert!(!success(HOMESTEAD, 55_000));
    assert!(success(HOMESTEAD, 65_000));
}

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
    // Since then it does not, whatever the row says, and only value makes one.
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

fn authorization(key: &Key, nonce: u64) -> refiner_specimen::Authorization {
    let signed = key.authorize(0, CONTRACT, nonce);
    refiner_specimen::Authorization {
        chain_id: U256::ZERO,
        address: CONTRACT,
        nonce,
        y_parity: U256::from(signed.y_parity()),
        r: signed.r(),
        s: signed.s(),
    }
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

/// Code that answers how much gas it was given, less what it took to find out.
const ANSWERS_GAS: [u8; 9] = [op::GAS, op::PUSH1, 0, op::MSTORE, op::PUSH1, 32, op::PUSH1, 0, op::RETURN];
const GAS_SEEN: u64 = 30_000_000 - 2;

#[test]
fn system_calls_get_thirty_million_gas() {
    let settled = TestBlock::at(PRAGUE).account(WITHDRAWAL_REQUESTS, &ANSWERS_GAS).settled();
    let request = [&[0x01], &U256::from(GAS_SEEN).to_be_bytes::<32>()[..]].concat();
    let expected = Sha256::digest(Sha256::digest(request));
    assert_eq!(settled.block().header.requests_hash, Some(B256::from_slice(&expected)));

    // Stores its gas when called with a root, and logs it when called without.
    let store = [op::JUMPDEST, op::GAS, op::PUSH1, 0, op::SSTORE, op::STOP];
    let load = logging(&[op::PUSH1, 0, op::SLOAD]);
    let target = u8::try_from(4 + load.len()).unwrap();
    let code = [&[op::CALLDATASIZE, op::PUSH1, target, op::JUMPI], &load[..], &store[..]].concat();
    let block = TestBlock::at(PRAGUE).account(BEACON_ROOTS, &code).transaction(call(BEACON_ROOTS));
    // CALLDATASIZE, PUSH1, JUMPI, JUMPDEST, GAS: 2 + 3 + 10 + 1 + 2.
    assert_eq!(topic(&block.executed()), B256::from(U256::from(30_000_000 - 18)));
}

#[test]
fn a_system_call_that_fails_at_the_start_of_a_block_is_no_fault_and_at_its_end_is_one() {
    let history = address!("0x0000f90827f1c53a10cb7a02335b175320002935");
    let failing = [op::PUSH1, 1, op::PUSH1, 0, op::SSTORE, op::INVALID];
    for contract in [BEACON_ROOTS, history] {
        let block = TestBlock::at(PRAGUE).account(contract, &failing);
        block.clone().executed();
        // A stub in the place of code that is missing would fail too.
        let hash = keccak256(failing);
        let without = block.with(|block| block.state.codes.retain(|code| code.hash != hash));
        assert_eq!(without.refused(), ExecuteError::Rejected(Rejected::CodeMissing { hash }));
    }
    let error = TestBlock::at(PRAGUE).account(WITHDRAWAL_REQUESTS, &failing).refused();
    assert_eq!(error, ExecuteError::Rejected(Rejected::SystemCall { contract: WITHDRAWAL_REQUESTS }));
}

#[test]
fn osaka_has_the_p256_precompile() {
    let p256 = address!("0x0000000000000000000000000000000000000100");
    // 6,900 gas, whatever the input.
    let gas = |at| mainnet(at).transaction(old_call(p256)).executed().receipts[0].gas_used;
    assert_eq!([OSAKA - 1, OSAKA].map(gas), [21_000, 27_900]);
}

/// What the receipts of two transactions before Byzantium hold.
const ROOTS: [B256; 2] = [B256::repeat_byte(0x51), B256::repeat_byte(0x52)];

fn with_recorded_states(block: TestBlock, roots: [B256; 2]) -> TestBlock {
    block.settled().with_producer_receipts().with(|block| {
        for (receipt, root) in block.receipts.iter_mut().zip(roots) {
            receipt.post_state_or_status = Bytes::copy_from_slice(&root[..]);
        }
    })
}

#[test]
fn receipts_before_byzantium_hold_the_recorded_state_roots() {
    let block = |at| {
        let block = mainnet(at).contract(&logging(&[op::NUMBER]));
        block.transaction(old_call(CONTRACT)).transaction(old_call(CONTRACT))
    };
    let settled = with_recorded_states(block(BYZANTIUM - 1), ROOTS).settled();
    let execution = settled.clone().executed();
    assert_eq!([0, 1].map(|index| execution.receipts[index].post_state), ROOTS.map(Some));
    let envelopes = execution.receipts.iter().map(|receipt| {
        let logs = receipt
            .logs
            .iter()
            .map(|log| alloy_primitives::Log::new_unchecked(log.address, log.topics.clone(), log.data.clone()));
        let status = Eip658Value::PostState(receipt.post_state.unwrap());
        let chain = ChainReceipt { status, cumulative_gas_used: receipt.cumulative_gas_used, logs: logs.collect() };
        ReceiptEnvelope::Legacy(ReceiptWithBloom::from(chain))
    });
    let root = calculate_receipt_root(&envelopes.collect::<Vec<_>>());
    assert_eq!(settled.block().header.receipts_root, root);

    let other = with_recorded_states(settled, [ROOTS[0], ROOTS[0]]).refused();
    let ExecuteError::Rejected(Rejected::HeaderMismatch(check)) = other else { panic!("{other}") };
    assert_eq!(check.name, CheckName::ReceiptsRoot);

    // The fork decides, not what the specimen records.
    let since = with_recorded_states(block(BYZANTIUM), ROOTS).refused();
    let ExecuteError::Rejected(Rejected::CheckFailed(check)) = since else { panic!("{since}") };
    assert_eq!(check.name, CheckName::RecordedReceipts);
}

#[test]
fn receipts_root_is_not_checkable_where_a_state_root_is_not_recorded() {
    let block = mainnet(FRONTIER).contract(&logging(&[op::NUMBER])).transaction(old_call(CONTRACT));
    let settled = block.with(|block| block.header.receipts_root = B256::repeat_byte(9)).settled();
    let execution = settled.clone().executed();
    let outcome = |name| &execution.checks.iter().find(|check| check.name == name).unwrap().outcome;
    assert!(matches!(outcome(CheckName::ReceiptsRoot), Outcome::NotCheckable(_)));
    assert_eq!(outcome(CheckName::GasUsed), &Outcome::Passed);
    assert_eq!(outcome(CheckName::LogsBloom), &Outcome::Passed);

    type Spoil = fn(&mut refiner_specimen::Block);
    let spoils: [(CheckName, Spoil); 2] = [
        (CheckName::GasUsed, |block| block.header.gas_used += 1),
        (CheckName::LogsBloom, |block| block.header.logs_bloom.0[0] ^= 1),
    ];
    for (name, spoil) in spoils {
        let error = settled.clone().with(spoil).refused();
        let ExecuteError::Rejected(Rejected::HeaderMismatch(check)) = error else { panic!("{error}") };
        assert_eq!(check.name, name);
    }
}

#[test]
fn the_sealer_of_a_clique_block_is_its_coinbase_and_gets_its_fees() {
    const CLIQUE: &str = r#"{"chainId": 5, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
        "byzantiumBlock": 0, "constantinopleBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
        "terminalTotalDifficulty": 10790000, "clique": {"period": 15, "epoch": 30000}}"#;
    const VANITY: [u8; 32] = [0x76; 32];
    let chain = ChainSpec::from_geth_json(CLIQUE).unwrap();
    let key = Key::named("sealer");
    // Its balance is what the first transaction paid, and no reward.
    let code = logging(&[op::COINBASE, op::BALANCE]);
    let block = TestBlock::on(chain, 77, 0).contract(&code).account(NOBODY, &logging(&[op::COINBASE]));
    let block = block.with(|block| block.header.difficulty = U256::from(2));
    let block = block.transaction(old_call(NOBODY)).transaction(old_call(CONTRACT));
    let seal = |block: &mut refiner_specimen::Block| {
        let unsealed = Header { extra_data: VANITY.into(), ..block.header.clone() };
        let signature = key.sign(unsealed.hash_slow());
        let parity = [u8::from(signature.v())];
        let seal = [&VANITY[..], &signature.r().to_be_bytes::<32>(), &signature.s().to_be_bytes::<32>(), &parity];
        block.header.extra_data = seal.concat().into();
    };
    // The seal covers what execution gives, and that depends on who seals.
    let block = block.settled_with(seal);
    let execution = block.executed();
    assert_eq!(topic(&execution), key.address().into_word());
    let paid = execution.receipts[0].gas_used * (100 - 7);
    assert_eq!(execution.receipts[1].logs[0].topics[0], B256::from(U256::from(paid)));
}

#[test]
fn eras_of_the_evm_server_still_refuse_blocks_before_the_merge() {
    let block = mainnet(PARIS - 1);
    block.clone().executed();
    for era in [Era::A, Era::B, Era::C, Era::D, Era::E] {
        let error = block.run_as(ResultFormat::EvmServer(era)).map(|_| ()).unwrap_err();
        assert_eq!(error, ExecuteError::Unsupported(Unsupported::BeforeParis { height: PARIS - 1 }));
    }
}
