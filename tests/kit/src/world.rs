//! The whole state of a sample chain, of which a block reads a part.

use std::collections::BTreeMap;

use alloy_consensus::constants::KECCAK_EMPTY;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{
    TrieAccount,
    root::{state_root_unhashed, storage_root_unhashed},
};
use revm::database::{AccountState, CacheDB, DatabaseRef};

use crate::{contract::Contract, fork::Fork};

/// An account with everything in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Balance of the account, in wei.
    pub balance: U256,
    /// Bytecode; empty for an ordinary account.
    pub code: Bytes,
    /// Slots that are not zero.
    pub storage: BTreeMap<B256, U256>,
}

impl Account {
    /// keccak256 of the code.
    pub fn code_hash(&self) -> B256 {
        if self.code.is_empty() { KECCAK_EMPTY } else { keccak256(&self.code) }
    }
}

/// Every account of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// By address. Empty accounts are not here.
    pub accounts: BTreeMap<Address, Account>,
}

impl World {
    /// A world in which our contracts and the system contracts of `fork` stand.
    pub fn with_contracts(fork: Fork) -> Self {
        let mut world = Self::default();
        for contract in Contract::ALL {
            world.deploy(contract.address(), contract.code());
        }
        if fork >= Fork::Cancun {
            world.deploy(eip4788::BEACON_ROOTS_ADDRESS, eip4788::BEACON_ROOTS_CODE.clone());
        }
        if fork >= Fork::Prague {
            world.deploy(eip2935::HISTORY_STORAGE_ADDRESS, eip2935::HISTORY_STORAGE_CODE.clone());
            world.deploy(
                eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE.clone(),
            );
            world.deploy(
                eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE.clone(),
            );
        }
        world
    }

    /// Puts code at an address, with nonce 1 as contracts have.
    pub fn deploy(&mut self, address: Address, code: Bytes) {
        self.accounts.insert(address, Account { nonce: 1, code, ..Account::default() });
    }

    /// Gives an account this many wei more.
    pub fn fund(&mut self, address: Address, wei: U256) {
        self.accounts.entry(address).or_default().balance += wei;
    }

    /// Sets a slot, or clears it with zero.
    pub fn store(&mut self, address: Address, slot: B256, value: U256) {
        let storage = &mut self.accounts.entry(address).or_default().storage;
        if value.is_zero() {
            storage.remove(&slot);
        } else {
            storage.insert(slot, value);
        }
    }

    /// The root of the state trie.
    pub fn state_root(&self) -> B256 {
        state_root_unhashed(self.accounts.iter().map(|(address, account)| {
            let storage_root = storage_root_unhashed(account.storage.iter().map(|(slot, value)| (*slot, *value)));
            let account = TrieAccount {
                nonce: account.nonce,
                balance: account.balance,
                storage_root,
                code_hash: account.code_hash(),
            };
            (*address, account)
        }))
    }

    /// Takes over what executing a block on top of this world changed.
    pub fn absorb<DB: DatabaseRef>(&mut self, executed: CacheDB<DB>) {
        let contracts = executed.cache.contracts;
        for (address, cached) in executed.cache.accounts {
            if cached.account_state == AccountState::NotExisting || cached.info.is_empty() {
                self.accounts.remove(&address);
                continue;
            }
            let account = self.accounts.entry(address).or_default();
            if cached.account_state == AccountState::StorageCleared {
                account.storage.clear();
            }
            account.nonce = cached.info.nonce;
            account.balance = cached.info.balance;
            if cached.info.code_hash != account.code_hash() {
                let code = contracts.get(&cached.info.code_hash).map(|code| code.original_bytes());
                account.code = code.unwrap_or_default();
            }
            for (slot, value) in cached.storage {
                self.store(address, slot.into(), value);
            }
        }
    }
}
