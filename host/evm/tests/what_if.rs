//! Blocks under other conditions: the samples, and the real ones where they are.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, address, keccak256};
use refiner_evm::{
    AccountOverride, Basis, ChainSpec, Chains, Departure, EmbeddedExecutor, Executor, InvalidOverrides, Overrides,
    RecordingTerms, ResultFormat, StateItem, WhatIf, WhatIfBasis, WhatIfError,
};
use refiner_specimen::{AccountRead, Specimen, check::Outcome};
use refiner_testkit::real;

/// An account of which no block knows anything.
const STRANGER: Address = address!("0x00000000000000000000000000000000c0ffee00");

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
}

/// A block that is executed, and what others under changed conditions rest on.
struct Block {
    path: PathBuf,
    specimen: Specimen,
    executor: EmbeddedExecutor,
    basis: Arc<WhatIfBasis>,
}

impl Block {
    fn all() -> Vec<Self> {
        let devnet = fs::read_to_string(samples().join("devnet-1337.json")).unwrap();
        let executor = || EmbeddedExecutor::new(Chains::default().with(ChainSpec::from_geth_json(&devnet).unwrap()));
        let directories = [Some(samples()), real::directory()];
        let files = directories.into_iter().flatten().flat_map(|directory| fs::read_dir(directory).unwrap());
        let mut blocks = Vec::new();
        for path in files.map(|entry| entry.unwrap().path()) {
            let Ok(specimen) = refiner_specimen::decode(&fs::read(&path).unwrap()) else { continue };
            let executor = executor();
            let Ok(execution) = executor.execute(&specimen, ResultFormat::Canonical) else { continue };
            if execution.basis == Basis::Execution {
                let basis = executor.what_if_basis(&specimen).unwrap().unwrap();
                blocks.push(Self { path, specimen, executor, basis });
            }
        }
        assert!(blocks.len() >= 5, "{}", blocks.len());
        blocks
    }

    fn under(&self, overrides: &Overrides) -> Result<WhatIf, WhatIfError> {
        self.executor.what_if(&self.specimen, &self.basis, overrides, None).unwrap()
    }

    /// The first transaction that calls an account with code of its own, and that account.
    fn called(&self) -> Option<(u32, Address)> {
        let block = &self.specimen.block;
        let has_code = |address: &Address| {
            let mut accounts = block.state.accounts.iter();
            accounts.any(|read| {
                read.address == *address && block.state.codes.iter().any(|code| code.hash == read.code_hash)
            })
        };
        let mut calls = (0..).zip(&block.transactions).filter_map(|(index, it)| Some((index, it.to?)));
        // No account that the beneficiary or a sender is: their balances move before the call.
        calls.find(|(_, to)| has_code(to) && !block.senders.contains(to))
    }
}

/// Code of an account, and nothing else of it.
fn code(address: Address, code: impl Into<Bytes>) -> Overrides {
    let mut overrides = Overrides::default();
    overrides.accounts.insert(address, AccountOverride { code: Some(code.into()), ..AccountOverride::default() });
    overrides
}

/// `SLOAD` of this slot, whose value is logged: PUSH32 slot, SLOAD, PUSH0, MSTORE, PUSH1 32, PUSH0, LOG0 (PUSH1 0 for PUSH0, which
/// is not in every fork).
fn logs_slot(slot: B256) -> Bytes {
    let mut code = vec![0x7f];
    code.extend(slot);
    code.extend([0x54, 0x60, 0, 0x52, 0x60, 32, 0x60, 0, 0xa0, 0x00]);
    code.into()
}

#[test]
fn block_under_its_own_conditions_comes_out_as_it_is_and_is_confirmed_by_nothing() {
    for block in Block::all() {
        let at = block.path.display();
        let terms = RecordingTerms { payload_max: Some(4), state: true, gas: true, bytes_max: 1 << 30 };
        let own = Overrides::default();
        let what_if = block.executor.what_if(&block.specimen, &block.basis, &own, Some(terms)).unwrap().unwrap();
        let recorded = block.executor.record(&block.specimen, terms).unwrap();
        assert_eq!(what_if.execution.receipts, recorded.receipts, "{at}");
        assert_eq!(what_if.execution.recordings, recorded.recordings, "{at}");
        assert_eq!(what_if.excluded, [], "{at}");
        assert_eq!(what_if.execution.block_result(&block.specimen).unwrap(), Bytes::new(), "{at}");
        assert!(!what_if.execution.checks.is_empty(), "{at}");
        for check in &what_if.execution.checks {
            assert!(matches!(check.outcome, Outcome::NotApplicable(_)), "{at}: {check:?}");
        }
    }
}

#[test]
fn transactions_are_executed_in_the_order_asked_for_under_their_own_positions() {
    for block in Block::all() {
        let count = u32::try_from(block.specimen.block.transactions.len()).unwrap();
        if count == 0 {
            continue;
        }
        let overrides = Overrides { transactions: Some(vec![0]), ..Overrides::default() };
        let only = block.under(&overrides).unwrap();
        assert_eq!(only.execution.receipts[..], block.basis.execution.receipts[..1], "{}", block.path.display());

        let overrides = Overrides { transactions: Some(vec![count]), ..Overrides::default() };
        let beyond = InvalidOverrides::NoTransaction { index: count, transactions: count as usize };
        assert_eq!(block.under(&overrides).unwrap_err(), beyond.into());
        let overrides = Overrides { transactions: Some(vec![0, 0]), ..Overrides::default() };
        assert_eq!(block.under(&overrides).unwrap_err(), InvalidOverrides::TransactionTwice { index: 0 }.into());
    }
}

#[test]
fn transaction_that_its_sender_cannot_pay_for_is_excluded_with_the_reason() {
    let mut excluded = 0;
    for block in Block::all() {
        let Some(sender) = block.specimen.block.senders.first() else { continue };
        let mut overrides = Overrides { transactions: Some(vec![0]), ..Overrides::default() };
        let poor = AccountOverride { balance: Some(U256::ZERO), ..AccountOverride::default() };
        overrides.accounts.insert(*sender, poor);
        let what_if = block.under(&overrides).unwrap();
        if block.specimen.block.transactions[0].gas_price == 0 {
            continue;
        }
        assert_eq!(what_if.execution.receipts, [], "{}", block.path.display());
        assert_eq!(what_if.execution.gas_used, 0);
        assert_eq!(what_if.excluded.len(), 1);
        assert_eq!(what_if.excluded[0].transaction_index, 0);
        assert!(what_if.excluded[0].reason.contains("lack of funds"), "{:?}", what_if.excluded);

        overrides.accounts.insert(*sender, AccountOverride { nonce: Some(u64::MAX - 1), ..AccountOverride::default() });
        let what_if = block.under(&overrides).unwrap();
        assert!(what_if.excluded[0].reason.contains("nonce"), "{:?}", what_if.excluded);
        excluded += 1;
    }
    assert!(excluded >= 3, "{excluded}");
}

#[test]
fn block_that_reads_what_is_not_known_has_left_the_specimen_at_that_place() {
    let (mut left, mut lacking) = (0, 0);
    for block in Block::all() {
        let Some((index, to)) = block.called() else { continue };
        let at = block.path.display();
        let slot = keccak256("a slot that no contract uses");
        let departs = |overrides: &Overrides, place: StateItem| {
            let departure = Departure { transaction: Some(index), place };
            assert_eq!(block.under(overrides).unwrap_err(), WhatIfError::LeftSpecimen(departure), "{at}");
        };
        departs(&code(to, logs_slot(slot)), StateItem::Slot { address: to, slot });
        // BALANCE of a stranger: PUSH20 address, BALANCE.
        let balance_of = [&[0x73][..], &STRANGER[..], &[0x31, 0x00]].concat();
        departs(&code(to, balance_of), StateItem::Account(STRANGER));
        // BLOCKHASH of a height that the block does not ask for: PUSH8 number - 200, BLOCKHASH.
        let Some(number) = block.specimen.block.header.number.checked_sub(200) else { continue };
        let hash_of = [&[0x67][..], &number.to_be_bytes(), &[0x40, 0x00]].concat();
        departs(&code(to, hash_of), StateItem::BlockHash(number));
        left += 1;
        let state = &block.specimen.block.state;
        let lacks_code = |read: &&AccountRead| {
            let none = read.code_hash == KECCAK256_EMPTY || read.code_hash.is_zero();
            !none && state.codes.iter().all(|code| code.hash != read.code_hash)
        };
        let Some(read) = state.accounts.iter().find(lacks_code) else { continue };
        let (address, place) = (&read.address[..], StateItem::Code(read.code_hash));
        // EXTCODECOPY of a byte, and a STATICCALL with all gas.
        departs(&code(to, [&[0x60, 1, 0x60, 0, 0x60, 0, 0x73][..], address, &[0x3c, 0x00]].concat()), place);
        let called = [&[0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x73][..], address, &[0x5a, 0xfa, 0x00]].concat();
        departs(&code(to, called), place);
        lacking += 1;
    }
    assert!(lacking >= 1 || real::directory().is_none(), "{lacking}");
    assert!(left >= 2 || real::directory().is_none(), "{left}");
}

#[test]
fn overridden_slots_are_read_and_those_of_a_complete_account_are_zero() {
    let mut read = 0;
    for block in Block::all() {
        let Some((index, to)) = block.called() else { continue };
        let at = block.path.display();
        let slot = keccak256("a slot that no contract uses");
        let value = B256::with_last_byte(7);
        let only = |overrides: Overrides| Overrides { transactions: Some(vec![index]), ..overrides };
        let logged = |overrides: &Overrides| {
            let what_if = block.under(overrides).unwrap();
            let receipt = what_if.execution.receipts.first();
            let receipt = receipt.unwrap_or_else(|| panic!("{at}: {:?}", what_if.excluded));
            assert_eq!(receipt.transaction_index, index, "{at}");
            receipt.logs.first().map(|log| B256::from_slice(&log.data))
        };
        let mut overrides = only(code(to, logs_slot(slot)));
        overrides.slots.insert((to, slot), value);
        // A transaction whose sender sent an earlier one of the block has a nonce that is not there yet.
        let sender = block.specimen.block.senders[index as usize];
        let nonce = Some(block.specimen.block.transactions[index as usize].nonce);
        let paid = AccountOverride { nonce, balance: Some(U256::from(10).pow(U256::from(24))), ..Default::default() };
        overrides.accounts.insert(sender, paid);
        let Some(found) = logged(&overrides) else { continue };
        assert_eq!(found, value, "{at}");

        overrides.slots.clear();
        overrides.accounts.get_mut(&to).unwrap().complete = true;
        assert_eq!(logged(&overrides), Some(B256::ZERO), "{at}");
        read += 1;
    }
    assert!(read >= 2 || real::directory().is_none(), "{read}");
}

#[test]
fn account_that_is_known_in_part_alone_cannot_be_overridden() {
    for block in Block::all() {
        let mut overrides = Overrides::default();
        overrides.accounts.insert(STRANGER, AccountOverride { balance: Some(U256::from(1)), ..Default::default() });
        let unknown = WhatIfError::from(InvalidOverrides::UnknownAccount { address: STRANGER });
        assert_eq!(block.under(&overrides).unwrap_err(), unknown, "{}", block.path.display());
        overrides.accounts.insert(STRANGER, AccountOverride { complete: true, ..Default::default() });
        assert!(block.under(&overrides).is_ok(), "{}", block.path.display());

        let mut overrides = Overrides::default();
        overrides.slots.insert((STRANGER, B256::ZERO), B256::ZERO);
        assert_eq!(block.under(&overrides).unwrap_err(), unknown, "{}", block.path.display());
    }
}

#[test]
fn other_forks_fees_and_limits_hold_and_unknown_forks_are_named() {
    for block in Block::all() {
        let at = block.path.display();
        let unknown = Overrides { fork: Some("byzantium".to_owned()), ..Overrides::default() };
        let error = block.under(&unknown).unwrap_err().to_string();
        assert_eq!(error, "there is no fork \"byzantium\"; there are paris, shanghai, cancun, prague, osaka", "{at}");
        if block.specimen.block.transactions.is_empty() {
            continue;
        }
        let tight = Overrides { gas_limit: Some(20_999), ..Overrides::default() };
        let what_if = block.under(&tight).unwrap();
        assert_eq!(what_if.excluded.len(), block.specimen.block.transactions.len(), "{at}");
        let dear = Overrides { base_fee: Some(u64::MAX), ..Overrides::default() };
        let what_if = block.under(&dear).unwrap();
        assert!(
            what_if.excluded.iter().all(|exclusion| exclusion.reason.contains("basefee")),
            "{:?}",
            what_if.excluded
        );
    }
}
