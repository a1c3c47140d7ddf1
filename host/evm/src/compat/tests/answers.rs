//! Answers to blocks that no chain has, or that the server took otherwise than the chain. Those of eras A to D were seen in the
//! running servers; E has no public source, and its answers are inferred from D and from the one published hash.

use super::*;
use crate::requests::BEACON_ROOTS;

const OTHER: Address = Address::repeat_byte(0x07);
const FRESH: Address = Address::repeat_byte(0xf5);
const BALANCE: u8 = 0x31;
const SLOAD: u8 = 0x54;
const PUSH20: u8 = 0x73;
const DELEGATED: [u8; 23] = {
    let mut code = [0xc0; 23];
    (code[0], code[1], code[2]) = (0xef, 0x01, 0x00);
    code
};

/// A block in which a second sender has money too.
fn of_two(timestamp: u64, code: &[u8], transactions: Vec<(Address, Transaction)>) -> Specimen {
    let (senders, transactions) = transactions.into_iter().unzip();
    let mut specimen = specimen(timestamp, code, transactions);
    specimen.block.senders = senders;
    let rich = specimen.block.state.accounts[0].clone();
    specimen.block.state.accounts.push(AccountRead { address: OTHER, ..rich });
    specimen
}

fn document(specimen: &Specimen, era: Era) -> Value {
    let execution = run(specimen, era).unwrap_or_else(|error| panic!("{era:?}: {error}"));
    serde_json::from_slice(&execution.block_result(specimen).unwrap()).unwrap()
}

fn first_topic(specimen: &Specimen, era: Era) -> U256 {
    let execution = run(specimen, era).unwrap();
    execution.receipts.iter().flat_map(|receipt| &receipt.logs).next().unwrap().topics[0].into()
}

/// The partial state's root of a block without any transaction.
fn root(specimen: &Specimen, era: Era) -> Value {
    document(specimen, era)["Hash"].clone()
}

#[test]
fn a_delegation_is_ordinary_code_which_fails_at_its_first_byte() {
    for era in ERAS {
        let execution = run(&specimen(CANCUN, &DELEGATED, vec![call(2)]), era).unwrap();
        assert!(!execution.receipts[0].success && execution.receipts[0].gas_used == 200_000, "{era:?}");
        let transfer = Transaction { gas: 21_000, value: U256::ONE, ..call(0) };
        let execution = run(&specimen(CANCUN, &DELEGATED, vec![transfer]), era).unwrap();
        assert!(!execution.receipts[0].success && execution.receipts[0].gas_used == 21_000, "{era:?}");
    }
}

#[test]
fn what_the_server_does_not_look_at_rejects_no_transaction() {
    for era in ERAS {
        let mut with_code = specimen(SHANGHAI, &logging(&[0x30]), vec![call(2)]);
        with_code.block.senders = vec![CONTRACT];
        with_code.block.state.accounts[1].balance = U256::from(10).pow(U256::from(20));
        let of_chain_5 = specimen(SHANGHAI, &[], vec![Transaction { chain_id: 5, ..call(2) }]);
        let mut last_nonce = specimen(SHANGHAI, &[], vec![Transaction { nonce: u64::MAX, ..call(2) }]);
        last_nonce.block.state.accounts[0].nonce = u64::MAX;
        let mut dear = specimen(SHANGHAI, &[], vec![Transaction { gas_price: 1 << 127, ..call(0) }]);
        dear.block.state.accounts[0].balance = U256::MAX >> 4;
        let mut large = specimen(SHANGHAI, &[], vec![Transaction { gas: 1 << 40, ..call(2) }]);
        large.block.header.gas_limit = 1 << 62;
        for block in [with_code, of_chain_5, last_nonce, dear, large] {
            assert_eq!(run(&block, era).unwrap().receipts.len(), 1, "{era:?}");
        }
    }
}

#[test]
fn a_transaction_rejected_after_its_gas_was_bought_leaves_its_trace() {
    const MAX_INITCODE: usize = 49_152;
    let tell_balance = logging(&[&[PUSH20][..], SENDER.as_slice(), &[BALANCE]].concat());
    let rich = U256::from(10).pow(U256::from(20));
    let second = (OTHER, call(2));
    for era in ERAS {
        // The effective price is 8.
        let below_intrinsic = Transaction { gas: 20_999, ..call(2) };
        let block = of_two(SHANGHAI, &tell_balance, vec![(SENDER, below_intrinsic), second.clone()]);
        assert_eq!(first_topic(&block, era), rich - U256::from(20_999 * 8), "{era:?}");
        let below_base_fee = Transaction { gas_tip_cap: 0, gas_fee_cap: 6, ..call(2) };
        let block = of_two(SHANGHAI, &tell_balance, vec![(SENDER, below_base_fee), second.clone()]);
        assert_eq!(first_topic(&block, era), rich, "{era:?}");

        let init_code = vec![0; MAX_INITCODE + 1].into();
        let too_long = Transaction { to: None, gas: 29_900_000, input: init_code, ..call(2) };
        let block = of_two(SHANGHAI, &tell_balance, vec![(SENDER, too_long), second.clone()]);
        let receipts = run(&block, era).unwrap().receipts.len();
        // London knows no such bound.
        assert_eq!(receipts, if era == Era::A { 2 } else { 0 }, "{era:?}");
    }
}

#[test]
fn blob_gas_that_is_not_executed_leaves_eras_d_and_e_without_a_result() {
    let blobs = |count| Transaction { blob_hashes: Some(vec![BLOB_HASH; count]), ..call(3) };
    let refused = |used, stated, era| {
        let (used, stated) = (used * DATA_GAS_PER_BLOB, stated * DATA_GAS_PER_BLOB);
        ExecuteError::from(Unsupported::BlobGasUsed { used, stated, format: ResultFormat::EvmServer(era) })
    };
    for era in [Era::C, Era::D, Era::E] {
        let block = |transactions| run(&specimen(CANCUN, &[], transactions), era).map(|result| result.receipts.len());
        let or_refused =
            |receipts, used, stated| if era == Era::C { Ok(receipts) } else { Err(refused(used, stated, era)) };
        assert_eq!(block(vec![blobs(6)]), Ok(1), "{era:?}");
        assert_eq!(block(vec![blobs(7)]), or_refused(1, 0, 7), "{era:?}");
        assert_eq!(block(vec![blobs(3), blobs(3), blobs(3)]), or_refused(3, 6, 9), "{era:?}");
        let rejected = Transaction { gas_fee_cap: 6, gas_tip_cap: 0, ..blobs(1) };
        assert_eq!(block(vec![call(2), rejected]), or_refused(1, 0, 1), "{era:?}");
        // Its blobs are sold before its balance is looked at, and are lost to the next.
        let poor = Transaction { value: U256::MAX >> 1, ..blobs(4) };
        assert_eq!(block(vec![poor, blobs(3)]), or_refused(1, 0, 7), "{era:?}");
        // Neither the number of blobs nor the version of their hashes is looked at.
        assert_eq!(block(vec![blobs(0)]), Ok(1), "{era:?}");
        let version = Transaction { blob_hashes: Some(vec![B256::repeat_byte(2)]), ..call(3) };
        assert_eq!(block(vec![version]), Ok(1), "{era:?}");
    }
}

#[test]
fn storage_of_what_is_created_or_does_not_exist_is_forgotten() {
    let created = SENDER.create(0);
    let row = |account| StorageRead { account, slot: B256::ZERO, value: B256::with_last_byte(5) };
    let tell_slot = logging(&[0x60, 0, SLOAD]);
    for era in ERAS {
        let mut creates = specimen(SHANGHAI, &[], vec![Transaction { input: tell_slot.clone().into(), ..creation(2) }]);
        let read = AccountRead { address: created, nonce: 0, balance: U256::ONE, code_hash: KECCAK256_EMPTY };
        creates.block.state.accounts.push(read.clone());
        creates.block.state.storage.push(row(created));
        assert_eq!(first_topic(&creates, era), U256::ZERO, "{era:?}");

        // An account that runs nothing keeps its storage; one that does not exist has none, also when money makes it exist.
        let with_rows = |read: &AccountRead, slots: &[StorageRead], transactions: Vec<Transaction>| {
            let mut specimen = specimen(SHANGHAI, &[], transactions);
            specimen.block.state.accounts.push(read.clone());
            specimen.block.state.storage.extend_from_slice(slots);
            root(&specimen, era)
        };
        assert_ne!(with_rows(&read, &[row(created)], vec![]), with_rows(&read, &[], vec![]), "{era:?}");
        let nothing = AccountRead { address: FRESH, balance: U256::ZERO, ..read };
        let pays = || vec![Transaction { to: Some(FRESH), value: U256::ONE, ..call(2) }];
        for transactions in [vec![], pays()] {
            let (with, without) = (&[row(FRESH)][..], &[][..]);
            let with = with_rows(&nothing, with, transactions.clone());
            assert_eq!(with, with_rows(&nothing, without, transactions), "{era:?}");
        }
    }
}

#[test]
fn balances_wrap_and_withdrawals_are_paid_since_paris() {
    const PARIS: u64 = 1_670_000_000;
    for era in ERAS {
        let paid = |balance: U256, gwei: u64| {
            let mut specimen = specimen(PARIS, &[], vec![]);
            let read = AccountRead { address: FRESH, nonce: 1, balance, code_hash: KECCAK256_EMPTY };
            specimen.block.state.accounts.push(read);
            let withdrawal = Withdrawal { index: 0, validator_index: 0, address: FRESH, amount: gwei };
            specimen.block.withdrawals = Some(vec![withdrawal]);
            root(&specimen, era)
        };
        let unpaid = era == Era::A;
        assert_eq!(paid(U256::ONE, 2) == paid(U256::ONE, 0), unpaid, "{era:?}");
        assert_eq!(paid(U256::MAX, 2) == paid(U256::from(1_999_999_999), 0), !unpaid, "{era:?}");
    }
}

#[test]
fn logs_of_the_beacon_root_call_count_and_equal_transactions_share_theirs() {
    for era in ERAS {
        let mut block = specimen(CANCUN, &logging(&[0x30]), vec![call(2), call(2)]);
        let code = CodeRead { hash: keccak256(logging(&[0x30])), code: logging(&[0x30]).into() };
        let read = AccountRead { address: BEACON_ROOTS, nonce: 1, balance: U256::ZERO, code_hash: code.hash };
        block.block.state.accounts.push(read);
        let document = document(&block, era);
        let logs = |receipt: usize| {
            let logs = document["Receipts"][receipt]["Logs"].as_array().unwrap().iter();
            logs.map(|log| (log["transactionIndex"].clone(), log["logIndex"].clone())).collect::<Vec<_>>()
        };
        let first = u64::from(era >= Era::C);
        assert_eq!(logs(0), [(0.into(), first.into())], "{era:?}");
        assert_eq!(logs(1), [(0.into(), first.into()), (1.into(), (first + 1).into())], "{era:?}");
    }
}

#[test]
fn without_a_blob_price_no_transaction_of_cancun_buys_gas() {
    for era in [Era::C, Era::D, Era::E] {
        for excess_blob_gas in [None, Some(1 << 62), Some(u64::MAX)] {
            let mut block = specimen(CANCUN, &[], vec![call(2)]);
            block.block.header.excess_blob_gas = excess_blob_gas;
            assert_eq!(run(&block, era).unwrap().receipts.len(), 0, "{era:?}, {excess_blob_gas:?}");
        }
    }
}
