//! The recorder of state: what the journal holds at the end of each transaction, and the places that were looked up.

use std::collections::BTreeMap;

use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256,
    map::{AddressMap, AddressSet, HashMap, HashSet},
};
use revm::{
    context::{JournalEntry, JournalInner},
    state::{Account, AccountInfo},
};

/// An account's own values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountValue {
    /// Wei.
    pub balance: U256,
    /// Its nonce.
    pub nonce: u64,
    /// keccak256 of its code.
    pub code_hash: B256,
}

/// An account that differs after a step from what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Its address.
    pub address: Address,
    /// Its values before the step.
    pub before: AccountValue,
    /// Its values after the step.
    pub after: AccountValue,
}

/// A storage slot that differs after a step from what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotChange {
    /// Address of the account.
    pub address: Address,
    /// The slot.
    pub slot: B256,
    /// Its value before the step.
    pub before: B256,
    /// Its value after the step.
    pub after: B256,
}

/// An account, or a slot of it, that a step looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Address of the account.
    pub address: Address,
    /// The slot; `None` for the account itself.
    pub slot: Option<B256>,
    /// It differs after the step.
    pub changed: bool,
}

/// The differences of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateStep {
    /// In order of addresses.
    pub accounts: Vec<AccountChange>,
    /// In order of addresses, then slots.
    pub slots: Vec<SlotChange>,
    /// In order of addresses, the account before its slots.
    pub accesses: Vec<Access>,
    /// Code that the step deployed, with its keccak256, in order of that.
    pub codes: Vec<(B256, Bytes)>,
}

const ACCOUNT_BYTES: u64 = 208;
const SLOT_BYTES: u64 = 128;
const ACCESS_BYTES: u64 = 80;

impl StateStep {
    /// Bytes of the step by the formula.
    pub const fn bytes(&self) -> u64 {
        ACCOUNT_BYTES * self.accounts.len() as u64
            + SLOT_BYTES * self.slots.len() as u64
            + ACCESS_BYTES * self.accesses.len() as u64
    }
}

impl AccountValue {
    /// The values of an account that is not there.
    pub const EMPTY: Self = Self { balance: U256::ZERO, nonce: 0, code_hash: KECCAK256_EMPTY };

    /// True for an account that EIP-161 does not tell from one that is not there.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    fn of(info: &AccountInfo) -> Self {
        let AccountInfo { balance, nonce, code_hash, .. } = *info;
        Self { balance, nonce, code_hash: if code_hash.is_zero() { KECCAK256_EMPTY } else { code_hash } }
    }
}

/// Watches a journal for one step after another.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Differences and accesses are wanted, and not only self-destructions.
    state: bool,
    destruction: Option<(Address, Address, U256)>,
    accounts: HashSet<Address>,
    slots: HashSet<(Address, U256)>,
    account_changes: AddressMap<(AccountValue, AccountValue)>,
    slot_changes: HashMap<(Address, U256), (U256, U256)>,
    codes: BTreeMap<B256, Bytes>,
}

impl Watch {
    pub(crate) fn new(state: bool) -> Self {
        Self { state, ..Self::default() }
    }

    /// Notes that an account was looked up.
    pub(crate) fn looked_up(&mut self, address: Address) {
        if self.state {
            self.accounts.insert(address);
        }
    }

    /// Notes that a slot was looked up.
    pub(crate) fn looked_up_slot(&mut self, address: Address, slot: U256) {
        if self.state {
            self.slots.insert((address, slot));
        }
    }

    /// Notes a self-destruction, which the end of its frame confirms.
    pub(crate) const fn destroys(&mut self, contract: Address, receiver: Address, balance: U256) {
        self.destruction = Some((contract, receiver, balance));
    }

    /// The last self-destruction, if it was not taken yet.
    pub(crate) const fn take_destruction(&mut self) -> Option<(Address, Address, U256)> {
        self.destruction.take()
    }

    /// Collects the changes of the journal's transaction, before it is committed.
    pub(crate) fn collect(&mut self, journal: &JournalInner<JournalEntry>) {
        if !self.state {
            return;
        }
        let mut changed = AddressSet::default();
        let mut destroyed = AddressSet::default();
        for entry in &journal.journal {
            match entry {
                JournalEntry::AccountDestroyed { address, target, .. } => {
                    destroyed.insert(*address);
                    changed.extend([*address, *target]);
                }
                JournalEntry::BalanceTransfer { from, to, .. } => changed.extend([*from, *to]),
                JournalEntry::BalanceChange { address, .. }
                | JournalEntry::NonceChange { address, .. }
                | JournalEntry::NonceBump { address }
                | JournalEntry::AccountCreated { address, .. }
                | JournalEntry::CodeChange { address, .. } => drop(changed.insert(*address)),
                JournalEntry::StorageChanged { address, key, .. } => {
                    let Some(account) = journal.state.get(address) else { continue };
                    let Some(slot) = account.storage.get(key) else { continue };
                    let after = if is_gone(account) { U256::ZERO } else { slot.present_value() };
                    self.slot_changed(*address, *key, slot.original_value(), after);
                }
                JournalEntry::AccountWarmed { .. }
                | JournalEntry::AccountTouched { .. }
                | JournalEntry::StorageWarmed { .. }
                | JournalEntry::TransientStorageChange { .. } => {}
            }
        }
        for address in changed {
            let Some(account) = journal.state.get(&address) else { continue };
            let before = AccountValue::of(&account.original_info());
            let after = if is_gone(account) { AccountValue::EMPTY } else { AccountValue::of(&account.info) };
            self.account_changes.entry(address).or_insert((before, after)).1 = after;
            if after.code_hash != before.code_hash
                && after.code_hash != KECCAK256_EMPTY
                && let Some(code) = &account.info.code
            {
                self.codes.insert(after.code_hash, code.original_bytes());
            }
        }
        for address in destroyed {
            let Some(account) = journal.state.get(&address).filter(|account| is_gone(account)) else { continue };
            for (key, slot) in &account.storage {
                let this_transaction = slot.transaction_id.get() == journal.transaction_id.get();
                let before = if this_transaction { slot.original_value() } else { slot.present_value() };
                self.slot_changed(address, *key, before, U256::ZERO);
            }
        }
    }

    fn slot_changed(&mut self, address: Address, key: U256, before: U256, after: U256) {
        self.slot_changes.entry((address, key)).or_insert((before, after)).1 = after;
    }

    /// The differences since the last time.
    pub(super) fn end_step(&mut self) -> StateStep {
        let mut accounts: Vec<AccountChange> = std::mem::take(&mut self.account_changes)
            .into_iter()
            .filter(|(_, (before, after))| before != after)
            .map(|(address, (before, after))| AccountChange { address, before, after })
            .collect();
        accounts.sort_unstable_by_key(|change| change.address);
        let mut slots: Vec<SlotChange> = std::mem::take(&mut self.slot_changes)
            .into_iter()
            .filter(|(_, (before, after))| before != after)
            .map(|((address, slot), (before, after))| SlotChange {
                address,
                slot: slot.into(),
                before: before.into(),
                after: after.into(),
            })
            .collect();
        slots.sort_unstable_by_key(|change| (change.address, change.slot));
        let mut looked_up: Vec<(Address, Option<B256>)> =
            std::mem::take(&mut self.accounts).into_iter().map(|address| (address, None)).collect();
        looked_up
            .extend(std::mem::take(&mut self.slots).into_iter().map(|(address, slot)| (address, Some(slot.into()))));
        looked_up.sort_unstable();
        let accesses = looked_up.into_iter().map(|(address, slot)| Access {
            address,
            slot,
            changed: match slot {
                None => accounts.binary_search_by_key(&address, |change| change.address).is_ok(),
                Some(slot) => {
                    slots.binary_search_by_key(&(address, slot), |change| (change.address, change.slot)).is_ok()
                }
            },
        });
        let accesses = accesses.collect();
        StateStep { accounts, slots, accesses, codes: std::mem::take(&mut self.codes).into_iter().collect() }
    }
}

/// True for an account that the transaction's end removes.
const fn is_gone(account: &Account) -> bool {
    account.is_selfdestructed_locally()
}
