//! The whole state of a test chain, cheap to copy: a block's children and its siblings start from the same one.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{
    EMPTY_ROOT_HASH, TrieAccount,
    root::{state_root_unhashed, storage_root_unhashed},
};
use revm::state::{Account as ExecutedAccount, EvmState};

/// An account with everything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Bytecode; empty for an ordinary account.
    pub code: Bytes,
    /// keccak256 of the code.
    pub code_hash: B256,
    /// Slots that are not zero.
    pub storage: BTreeMap<U256, U256>,
    /// Root of the storage trie; `None` after a change.
    storage_root: Option<B256>,
}

impl Default for Account {
    fn default() -> Self {
        Self::new(0, U256::ZERO, Bytes::new(), BTreeMap::new())
    }
}

impl Account {
    /// An account of these parts. Zero slots are left out.
    pub fn new(nonce: u64, balance: U256, code: Bytes, mut storage: BTreeMap<U256, U256>) -> Self {
        storage.retain(|_, value| !value.is_zero());
        let code_hash = if code.is_empty() { KECCAK256_EMPTY } else { keccak256(&code) };
        Self { nonce, balance, code, code_hash, storage, storage_root: None }
    }

    /// Whether the account is empty as EIP-161 defines it.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK256_EMPTY
    }

    /// Whether the account has storage but neither nonce nor code: the case of EIP-7610.
    pub fn is_bare_storage(&self) -> bool {
        self.nonce == 0 && self.code_hash == KECCAK256_EMPTY && !self.storage.is_empty()
    }

    fn storage_root(&self) -> B256 {
        if self.storage.is_empty() {
            return EMPTY_ROOT_HASH;
        }
        storage_root_unhashed(self.storage.iter().map(|(slot, value)| (B256::from(*slot), *value)))
    }

    fn set_slot(&mut self, slot: U256, value: U256) {
        self.storage_root = None;
        if value.is_zero() {
            self.storage.remove(&slot);
        } else {
            self.storage.insert(slot, value);
        }
    }
}

/// Every account of a chain. Before EIP-161 empty accounts can be among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    accounts: BTreeMap<Address, Arc<Account>>,
}

impl FromIterator<(Address, Account)> for World {
    fn from_iter<T: IntoIterator<Item = (Address, Account)>>(accounts: T) -> Self {
        Self { accounts: accounts.into_iter().map(|(address, account)| (address, Arc::new(account))).collect() }
    }
}

impl World {
    /// The account at an address, if there is one.
    pub fn get(&self, address: &Address) -> Option<&Account> {
        self.accounts.get(address).map(AsRef::as_ref)
    }

    /// Every account, in order of address.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &Account)> {
        self.accounts.iter().map(|(address, account)| (address, account.as_ref()))
    }

    /// Adds to a balance. An account that is empty afterwards is removed where `clears_empty`, EIP-161.
    pub fn credit(&mut self, address: Address, wei: U256, clears_empty: bool) {
        let account = Arc::make_mut(self.accounts.entry(address).or_default());
        account.balance = account.balance.wrapping_add(wei);
        if clears_empty && account.is_empty() {
            self.accounts.remove(&address);
        }
    }

    /// Moves the whole balance of an account to another. Both exist afterwards, as before EIP-161.
    pub fn drain(&mut self, from: Address, to: Address) {
        let wei = std::mem::take(&mut Arc::make_mut(self.accounts.entry(from).or_default()).balance);
        self.credit(to, wei, false);
    }

    /// Takes over the changes of one transaction.
    pub fn commit(&mut self, changes: EvmState, clears_empty: bool) {
        for (address, change) in changes {
            if !change.is_touched() {
                continue;
            }
            if change.is_selfdestructed() || (clears_empty && change.info.is_empty()) {
                self.accounts.remove(&address);
            } else {
                Arc::make_mut(self.accounts.entry(address).or_default()).take_over(change);
            }
        }
    }

    /// The root of the state trie.
    pub fn state_root(&mut self) -> B256 {
        for account in self.accounts.values_mut() {
            if account.storage_root.is_none() {
                let root = account.storage_root();
                Arc::make_mut(account).storage_root = Some(root);
            }
        }
        state_root_unhashed(self.accounts.iter().map(|(address, account)| {
            let storage_root = account.storage_root.unwrap_or(EMPTY_ROOT_HASH);
            let Account { nonce, balance, code_hash, .. } = **account;
            (*address, TrieAccount { nonce, balance, storage_root, code_hash })
        }))
    }
}

impl Account {
    fn take_over(&mut self, change: ExecutedAccount) {
        if change.is_created() {
            self.storage.clear();
            self.storage_root = None;
        }
        self.nonce = change.info.nonce;
        self.balance = change.info.balance;
        if change.info.code_hash != self.code_hash {
            self.code_hash = change.info.code_hash;
            self.code = change.info.code.map(|code| code.original_bytes()).unwrap_or_default();
        }
        for (slot, value) in change.storage {
            if value.is_changed() || change.status.contains(revm::state::AccountStatus::Created) {
                self.set_slot(slot, value.present_value());
            }
        }
    }
}
