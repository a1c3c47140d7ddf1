//! Changes at each fork's boundary.

use alloy_consensus::Header;
use alloy_primitives::{B256, U256, address};
use refiner_evm::{ChainSpec, EmbeddedExecutor, Era, ExecuteError, Rejected, ResultFormat};
use refiner_specimen::{
    Layout, Transaction,
    check::{CheckName, Outcome, Subject},
    decode, encode,
};
use refiner_testblocks::devnet::{self, CONTRACT, TestBlock, call, mainnet::*, old_call};
use refiner_testkit::Key;
use revm::bytecode::opcode as op;

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
fn osaka_has_the_p256_precompile() {
    let p256 = address!("0x0000000000000000000000000000000000000100");
    // 6,900 gas, whatever the input.
    let gas = |at| mainnet(at).transaction(old_call(p256)).executed().receipts[0].gas_used;
    assert_eq!([OSAKA - 1, OSAKA].map(gas), [21_000, 27_900]);
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
fn eras_of_the_evm_server_execute_blocks_before_the_merge() {
    let block = mainnet(PARIS - 1).transaction(old_call(NOBODY)).settled();
    let expected = block.clone().executed();
    for era in [Era::A, Era::B, Era::C, Era::D, Era::E] {
        let execution = block.run_as(ResultFormat::EvmServer(era)).unwrap();
        assert_eq!(execution.gas_used, expected.gas_used, "{era:?}");
    }
}

#[test]
fn blocks_before_the_merge_survive_their_encoding() {
    for at in [FRONTIER, BYZANTIUM, LONDON - 1, LONDON, PARIS - 1] {
        let block = mainnet(at).contract(&logging(&[op::NUMBER])).transaction(old_call(CONTRACT)).settled();
        let expected = block.clone().executed();
        let specimen = decode(&encode(&block.sealed(), Layout::V0_38).unwrap()).unwrap();
        let execution = EmbeddedExecutor::default().execute(&specimen, ResultFormat::Canonical).unwrap();
        assert_eq!(execution.receipts, expected.receipts, "{at}");
    }
}

#[test]
fn the_first_ten_blocks_after_the_dao_fork_carry_its_mark() {
    let unmarked = |height| mainnet(height).with(|block| block.header.extra_data = Default::default());
    for height in [1_919_999, 1_920_010] {
        unmarked(height).executed();
    }
    for height in [1_920_000, 1_920_009] {
        mainnet(height).executed();
        let ExecuteError::Rejected(Rejected::CheckFailed(check)) = unmarked(height).refused() else { panic!() };
        assert_eq!(check.name, CheckName::HeaderRules);
        assert!(matches!(check.outcome, Outcome::Failed { subject: Subject::Field("extraData"), .. }), "{check}");
    }
}
