//! The rules of each fork on blocks of our own, one contract and a few transactions each.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_evm::{CodeUse, ExecuteError, Rejected, Unsupported};
use refiner_specimen::{
    Authorization, BlockHashRead, CodeRead, Layout, Transaction,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};
use refiner_testblocks::devnet::{self, CALLER, CANCUN, CONTRACT, OSAKA, PARIS, PRAGUE, SHANGHAI, TestBlock, call};

/// Opcodes, spelled out where a test needs them.
mod op {
    pub const STOP: u8 = 0x00;
    pub const CALLDATALOAD: u8 = 0x35;
    pub const CALLDATASIZE: u8 = 0x36;
    pub const EXTCODESIZE: u8 = 0x3b;
    pub const BLOCKHASH: u8 = 0x40;
    pub const NUMBER: u8 = 0x43;
    pub const PREVRANDAO: u8 = 0x44;
    pub const BLOBHASH: u8 = 0x49;
    pub const BLOBBASEFEE: u8 = 0x4a;
    pub const POP: u8 = 0x50;
    pub const MSTORE: u8 = 0x52;
    pub const SLOAD: u8 = 0x54;
    pub const SSTORE: u8 = 0x55;
    pub const JUMPI: u8 = 0x57;
    pub const GAS: u8 = 0x5a;
    pub const JUMPDEST: u8 = 0x5b;
    pub const TLOAD: u8 = 0x5c;
    pub const PUSH0: u8 = 0x5f;
    pub const PUSH1: u8 = 0x60;
    pub const PUSH20: u8 = 0x73;
    pub const LOG1: u8 = 0xa1;
    pub const CALL: u8 = 0xf1;
    pub const RETURN: u8 = 0xf3;
    pub const CLZ: u8 = 0x1e;
    pub const SUB: u8 = 0x03;
}

/// Emits what `push` leaves on the stack as the topic of an empty log.
fn logging(push: &[u8]) -> Vec<u8> {
    [push, &[op::PUSH1, 0, op::PUSH1, 0, op::LOG1, op::STOP]].concat()
}

#[test]
fn each_opcode_is_valid_from_its_fork_on() {
    let forks = [PARIS, SHANGHAI, CANCUN, PRAGUE, OSAKA];
    let cases: [(&[u8], u64); 6] = [
        (&[op::PREVRANDAO], PARIS),
        (&[op::PUSH0], SHANGHAI),
        (&[op::BLOBBASEFEE], CANCUN),
        (&[op::PUSH1, 0, op::TLOAD], CANCUN),
        (&[op::PUSH1, 0, op::BLOBHASH], CANCUN),
        (&[op::PUSH1, 1, op::CLZ], OSAKA),
    ];
    for (code, since) in cases {
        for timestamp in forks {
            let execution = TestBlock::at(timestamp).contract(code).transaction(call(CONTRACT)).executed();
            assert_eq!(execution.receipts[0].success, timestamp >= since, "{code:02x?} at {timestamp}");
        }
    }
}

#[test]
fn prevrandao_is_the_mix_hash() {
    let execution = TestBlock::at(PARIS).contract(&logging(&[op::PREVRANDAO])).transaction(call(CONTRACT)).executed();
    assert_eq!(execution.receipts[0].logs[0].topics, [devnet::MIX_HASH]);
}

#[test]
fn the_parent_beacon_root_is_stored_before_the_first_transaction() {
    // Stores 32 bytes of input in slot 0; without input, logs slot 0.
    let store = [op::JUMPDEST, op::PUSH1, 0, op::CALLDATALOAD, op::PUSH1, 0, op::SSTORE, op::STOP];
    let load = logging(&[op::PUSH1, 0, op::SLOAD]);
    let target = u8::try_from(4 + load.len()).unwrap();
    let code = [&[op::CALLDATASIZE, op::PUSH1, target, op::JUMPI], &load[..], &store[..]].concat();
    let contract = devnet::BEACON_ROOTS;
    let block = |timestamp| TestBlock::at(timestamp).account(contract, &code).transaction(call(contract)).executed();
    assert_eq!(block(SHANGHAI).receipts[0].logs[0].topics, [B256::ZERO]);
    assert_eq!(block(CANCUN).receipts[0].logs[0].topics, [devnet::BEACON_ROOT]);
}

/// A block that logs the hash of the block so many before it.
fn block_hash_reading(back: u8) -> TestBlock {
    let code = logging(&[op::PUSH1, back, op::NUMBER, op::SUB, op::BLOCKHASH]);
    TestBlock::at(PARIS).contract(&code).transaction(call(CONTRACT))
}

#[test]
fn a_block_hash_is_read_from_the_specimen_and_its_absence_is_named() {
    let number = devnet::HEIGHT - 2;
    let block = block_hash_reading(2);
    let missing = ExecuteError::Rejected(Rejected::BlockHashMissing { number });
    assert_eq!(block.clone().refused(), missing);

    let row = |hash| {
        move |block: &mut refiner_specimen::Block| {
            block.state.block_hashes.push(BlockHashRead { number, hash });
        }
    };
    let hash = B256::repeat_byte(0xab);
    let execution = block.clone().with(row(hash)).executed();
    assert_eq!(execution.receipts[0].logs[0].topics, [hash]);
    // No block has a hash of zero: the producer did not find it.
    assert_eq!(block.with(row(B256::ZERO)).refused(), missing);
}

#[test]
fn hash_of_the_parent_is_the_headers_whether_its_row_states_it_or_zero_or_is_absent() {
    let (number, hash) = (devnet::HEIGHT - 1, B256::repeat_byte(0xab));
    for row in [None, Some(B256::ZERO), Some(hash)] {
        let block = block_hash_reading(1).with(|block| {
            block.header.parent_hash = hash;
            block.state.block_hashes.extend(row.map(|hash| BlockHashRead { number, hash }));
        });
        assert_eq!(block.executed().receipts[0].logs[0].topics, [hash], "{row:?}");
    }
}

#[test]
fn a_stated_hash_of_the_blocks_own_height_is_ignored() {
    let code = logging(&[op::NUMBER, op::BLOCKHASH]);
    let own = BlockHashRead { number: devnet::HEIGHT, hash: B256::repeat_byte(1) };
    let execution = TestBlock::at(PARIS)
        .contract(&code)
        .transaction(call(CONTRACT))
        .with(|block| block.state.block_hashes.push(own))
        .executed();
    assert_eq!(execution.receipts[0].logs[0].topics, [B256::ZERO]);
}

/// A contract whose code is stated by hash only, and code that names it.
const HIDDEN: Address = Address::repeat_byte(0x77);
fn naming_hidden(rest: &[u8]) -> Vec<u8> {
    [&[op::PUSH20], &HIDDEN[..], rest].concat()
}

#[test]
fn code_whose_size_alone_is_read_may_be_missing() {
    let code = naming_hidden(&logging(&[op::EXTCODESIZE]));
    let execution = TestBlock::at(PARIS)
        .account(HIDDEN, &[op::STOP])
        .with(|block| block.state.codes.clear())
        .contract(&code)
        .transaction(call(CONTRACT))
        .executed();
    assert_ne!(execution.receipts[0].logs[0].topics, [B256::ZERO]);
}

#[test]
fn code_that_is_run_but_missing_is_named_when_the_header_disagrees() {
    let hidden_code = logging(&[op::NUMBER]);
    let call_hidden = [
        &[op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0][..],
        &naming_hidden(&[op::GAS, op::CALL, op::POP, op::STOP]),
    ]
    .concat();
    let whole = TestBlock::at(PARIS).account(HIDDEN, &hidden_code).contract(&call_hidden).transaction(call(CONTRACT));
    let settled = whole.settled();
    let hash = keccak256(&hidden_code);
    let without = settled.with(|block| block.state.codes.retain(|code| code.hash != hash));
    let ExecuteError::Rejected(Rejected::CodeMissing(missing)) = without.refused() else {
        panic!("not told as missing code");
    };
    assert_eq!((missing.hash, missing.account, missing.asked), (hash, HIDDEN, CodeUse::Call("CALL")));
    assert!(matches!(missing.consequence, Rejected::HeaderMismatch(_)), "{missing}");
}

#[test]
fn code_that_is_not_what_its_hash_says_is_rejected() {
    let stated = B256::repeat_byte(3);
    let code = Bytes::from_static(&[op::STOP]);
    let computed = keccak256(&code);
    let error = TestBlock::at(PARIS).with(|block| block.state.codes.push(CodeRead { hash: stated, code })).refused();
    assert_eq!(error, ExecuteError::Rejected(Rejected::CodeHash { stated, computed }));
}

#[test]
fn a_header_that_execution_contradicts_gives_no_result() {
    let settled = TestBlock::at(PRAGUE).contract(&logging(&[op::NUMBER])).transaction(call(CONTRACT)).settled();
    settled.clone().executed();
    let gas = settled.clone().with(|block| block.header.gas_used += 1).refused();
    let stated = settled.block().header.gas_used;
    let expected = Check::compare(CheckName::GasUsed, Quantity::Number(stated + 1), Quantity::Number(stated));
    assert_eq!(gas, ExecuteError::Rejected(Rejected::HeaderMismatch(expected)));

    type Spoil = fn(&mut refiner_specimen::Block);
    let spoils: [(CheckName, Spoil); 3] = [
        (CheckName::LogsBloom, |block| block.header.logs_bloom.0[0] ^= 1),
        (CheckName::ReceiptsRoot, |block| block.header.receipts_root.0[0] ^= 1),
        (CheckName::RequestsHash, |block| block.header.requests_hash = Some(B256::ZERO)),
    ];
    for (name, spoil) in spoils {
        match settled.clone().with(spoil).refused() {
            ExecuteError::Rejected(Rejected::HeaderMismatch(check)) => assert_eq!(check.name, name),
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn header_fields_that_the_fork_needs_are_named_when_absent() {
    type Remove = fn(&mut refiner_specimen::Block);
    let cases: [(u64, &str, Remove); 3] = [
        (PARIS, "baseFeePerGas", |block| block.header.base_fee_per_gas = None),
        (CANCUN, "excessBlobGas", |block| block.header.excess_blob_gas = None),
        (CANCUN, "parentBeaconBlockRoot", |block| block.header.parent_beacon_block_root = None),
    ];
    for (timestamp, field, remove) in cases {
        let error = TestBlock::at(timestamp).with(remove).refused();
        assert_eq!(failed(error), (CheckName::HeaderRules, Subject::Field(field)));
    }
}

/// The check that refused a block, and the part of the block that it is about.
fn failed(error: ExecuteError) -> (CheckName, Subject) {
    match error {
        ExecuteError::Rejected(Rejected::CheckFailed(Check { name, outcome: Outcome::Failed { subject, .. } })) => {
            (name, subject)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn requests_queued_by_the_system_contracts_are_hashed_by_type() {
    // Returns one byte of memory that holds 0x2a.
    let code = [op::PUSH1, 0x2a, op::PUSH1, 0, op::MSTORE, op::PUSH1, 1, op::PUSH1, 31, op::RETURN];
    let settled = TestBlock::at(PRAGUE).account(devnet::WITHDRAWAL_REQUESTS, &code).settled();
    use sha2::{Digest, Sha256};
    let expected = Sha256::digest(Sha256::digest([0x01, 0x2a]));
    assert_eq!(settled.block().header.requests_hash, Some(B256::from_slice(&expected)));
}

#[test]
fn a_prague_block_without_the_request_contracts_is_rejected() {
    let contract = devnet::WITHDRAWAL_REQUESTS;
    let error =
        TestBlock::at(PRAGUE).with(|block| block.state.accounts.retain(|read| read.address != contract)).refused();
    assert_eq!(error, ExecuteError::Rejected(Rejected::SystemCall { contract }));
}

#[test]
fn transactions_that_the_chain_would_not_have_included_reject_the_block() {
    let poor = Transaction { value: U256::MAX, ..call(CONTRACT) };
    let cheap = Transaction { gas_fee_cap: 6, gas_tip_cap: 0, ..call(CONTRACT) };
    let greedy = Transaction { gas: devnet::GAS_LIMIT + 1, ..call(CONTRACT) };
    let short = Transaction { gas: 20_999, ..call(CONTRACT) };
    for (name, transaction) in [("poor", poor), ("cheap", cheap), ("greedy", greedy), ("short", short)] {
        match TestBlock::at(PARIS).transaction(call(CONTRACT)).transaction(transaction).refused() {
            ExecuteError::Rejected(Rejected::InvalidTransaction { transaction: 1, .. }) => {}
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn the_gas_of_earlier_transactions_counts_against_the_blocks_limit() {
    let fits = |gas| {
        let second = Transaction { gas, ..call(CONTRACT) };
        TestBlock::at(PARIS).transaction(call(CONTRACT)).transaction(second)
    };
    fits(devnet::GAS_LIMIT - 21_000).executed();
    let error = fits(devnet::GAS_LIMIT - 20_999).refused();
    assert!(matches!(error, ExecuteError::Rejected(Rejected::InvalidTransaction { transaction: 1, .. })), "{error}");
}

#[test]
fn the_gas_limit_of_a_header_bounds_nothing_but_its_transactions() {
    for gas_limit in [1_000_000_001, 1 << 31, 1 << 62, (1 << 63) - 1] {
        let limited = TestBlock::at(PARIS).with(|block| block.header.gas_limit = gas_limit);
        limited.transaction(Transaction { gas: gas_limit >> 1, gas_fee_cap: 7, ..call(CONTRACT) }).executed();
    }
}

#[test]
fn fees_beyond_what_the_evm_counts_in_are_invalid() {
    let priced = |gas_fee_cap| {
        let transaction = Transaction { gas_fee_cap, gas_tip_cap: gas_fee_cap, gas: 1 << 20, ..call(CONTRACT) };
        let rich = |block: &mut refiner_specimen::Block| block.state.accounts[0].balance = U256::MAX >> 1;
        TestBlock::at(PARIS).with(rich).transaction(transaction)
    };
    let most = u128::MAX >> 20;
    priced(most).executed();
    let error = priced(most + 1).refused();
    assert!(matches!(error, ExecuteError::Rejected(Rejected::InvalidTransaction { .. })), "{error}");
}

#[test]
fn osaka_caps_the_gas_of_one_transaction() {
    // EIP-7825: 2^24.
    let capped = |gas| TestBlock::at(OSAKA).transaction(Transaction { gas, ..call(CONTRACT) });
    capped(1 << 24).executed();
    let error = capped((1 << 24) + 1).refused();
    assert!(matches!(error, ExecuteError::Rejected(Rejected::InvalidTransaction { .. })), "{error}");
}

#[test]
fn block_with_difficulty_on_a_merged_chain_breaks_the_header_rules() {
    let error = TestBlock::at(PARIS).with(|block| block.header.difficulty = U256::from(1)).refused();
    assert_eq!(failed(error), (CheckName::HeaderRules, Subject::Field("difficulty")));
}

#[test]
fn every_transaction_needs_a_sender() {
    let error = TestBlock::at(PARIS).transaction(call(CONTRACT)).with(|block| block.senders.clear()).refused();
    assert_eq!(failed(error), (CheckName::TransactionFields, Subject::Field("Senders")));
}

#[test]
fn unknown_transaction_types_are_unsupported() {
    let error = TestBlock::at(PRAGUE).transaction(Transaction { tx_type: 5, ..call(CONTRACT) }).refused();
    let expected = Unsupported::TransactionType { transaction: 0, tx_type: 5, format: "canonical" };
    assert_eq!(error, ExecuteError::Unsupported(expected));
}

fn blob_transaction(hashes: Option<Vec<B256>>) -> Transaction {
    let blob_fee_cap = hashes.is_some().then_some(1_000);
    Transaction { tx_type: 3, blob_hashes: hashes, blob_fee_cap, ..call(CONTRACT) }
}

#[test]
fn dropped_blob_hashes_are_stood_in_for_unless_the_outcome_depends_on_them() {
    let hash = devnet::BLOB_HASH;
    let block = |code: &[u8], hashes| {
        TestBlock::at(CANCUN)
            .contract(code)
            .transaction(blob_transaction(hashes))
            .with(|block| block.header.blob_gas_used = Some(1 << 17))
    };
    let read_hash = logging(&[op::PUSH1, 0, op::BLOBHASH]);
    let indifferent = block(&[op::STOP], Some(vec![hash])).settled();
    let dropped = |block: &mut refiner_specimen::Block| {
        block.transactions[0].blob_hashes = None;
        block.header.blob_gas_used = Some(1 << 17);
    };
    indifferent.in_layout(Layout::V0_36).with(dropped).executed();

    let dependent = block(&read_hash, Some(vec![hash])).settled();
    assert_eq!(dependent.clone().executed().receipts[0].logs[0].topics, [hash]);
    let error = dependent.in_layout(Layout::V0_36).with(dropped).refused();
    let ExecuteError::Unsupported(Unsupported::BlobHashesMissing { transaction: 0, .. }) = error else {
        panic!("{error}");
    };
}

#[test]
fn a_block_may_carry_as_many_blobs_a_transaction_as_its_fork_allows() {
    let hash = devnet::BLOB_HASH;
    let block = |timestamp, blobs| TestBlock::at(timestamp).transaction(blob_transaction(Some(vec![hash; blobs])));
    for (timestamp, most) in [(CANCUN, 6), (PRAGUE, 9)] {
        block(timestamp, most).executed();
        let error = block(timestamp, most + 1).refused();
        assert_eq!(failed(error), (CheckName::HeaderRules, Subject::Field("blobGasUsed")), "{timestamp}");
    }
    // EIP-7594 bounds the blobs of a transaction below those of a block.
    block(OSAKA, 6).executed();
    let error = block(OSAKA, 7).refused();
    assert!(matches!(error, ExecuteError::Rejected(Rejected::InvalidTransaction { .. })), "{error}");
}

#[test]
fn an_authorization_list_delegates_its_authority_and_its_absence_is_unsupported() {
    // Any signature recovers some account; it is the authority.
    let authorization = Authorization {
        chain_id: U256::from(devnet::CHAIN_ID),
        address: CONTRACT,
        nonce: 0,
        y_parity: U256::ZERO,
        r: U256::from(1_234_567),
        s: U256::from(7_654_321),
    };
    let authority = devnet::authority(&authorization);
    let transaction = |list| Transaction { tx_type: 4, authorization_list: list, ..call(authority) };
    let block =
        |timestamp, list| TestBlock::at(timestamp).contract(&logging(&[op::NUMBER])).transaction(transaction(list));
    let execution = block(PRAGUE, Some(vec![authorization.clone()])).executed();
    assert_eq!(execution.receipts[0].logs[0].address, authority);

    let missing = Unsupported::AuthorizationListMissing { transaction: 0 };
    assert_eq!(block(PRAGUE, None).refused(), ExecuteError::Unsupported(missing));
    for refused in [block(PRAGUE, Some(Vec::new())), block(CANCUN, Some(vec![authorization]))] {
        let error = refused.refused();
        assert!(matches!(error, ExecuteError::Rejected(Rejected::InvalidTransaction { .. })), "{error}");
    }
}

#[test]
fn a_failed_creation_still_has_a_contract_address() {
    let create = |code: &[u8]| Transaction { to: None, input: code.to_vec().into(), ..call(CONTRACT) };
    let execution = TestBlock::at(PARIS).transaction(create(&[op::STOP])).transaction(create(&[0xfe])).executed();
    let [made, failed] = &execution.receipts[..] else { panic!("two receipts") };
    assert!(made.success && !failed.success);
    assert_eq!(made.contract_address, Some(CALLER.create(0)));
    assert_eq!(failed.contract_address, Some(CALLER.create(0)));
}

#[test]
fn recorded_receipts_that_the_header_does_not_commit_to_reject_the_block() {
    let settled = TestBlock::at(PARIS).contract(&logging(&[op::NUMBER])).transaction(call(CONTRACT)).settled();
    let producer = |block: TestBlock| block.executed().checks.pop().unwrap().outcome;
    assert!(matches!(producer(settled.clone()), Outcome::NotApplicable(_)));

    let honest = settled.with_producer_receipts();
    assert_eq!(producer(honest.clone()), Outcome::Passed);
    type Spoil = fn(&mut refiner_specimen::Block);
    let spoils: [Spoil; 5] = [
        |block| block.receipts[0].post_state_or_status = Bytes::new(),
        |block| block.receipts[0].cumulative_gas_used += 1,
        |block| block.receipts[0].logs[0].topics.clear(),
        |block| block.receipts[0].logs.clear(),
        |block| block.receipts.push(block.receipts[0].clone()),
    ];
    for spoil in spoils {
        assert_eq!(failed(honest.clone().with(spoil).refused()).0, CheckName::RecordedReceipts);
    }
}

#[test]
fn slots_of_accounts_that_are_not_in_the_specimen_read_as_zero() {
    let code = logging(&[op::PUSH1, 0, op::SLOAD]);
    let slot = |account| refiner_specimen::StorageRead { account, slot: B256::ZERO, value: B256::repeat_byte(5) };
    let block = TestBlock::at(PARIS).contract(&code).transaction(call(CONTRACT));
    let read = |account| {
        let execution = block.clone().with(|block| block.state.storage.push(slot(account))).executed();
        execution.receipts[0].logs[0].topics[0]
    };
    assert_eq!(read(Address::repeat_byte(0x99)), B256::ZERO);
    assert_eq!(read(CONTRACT), B256::repeat_byte(5));
}
