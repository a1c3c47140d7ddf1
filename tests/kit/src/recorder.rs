//! Notes everything that is read of a world, the way the producer's geth does.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use alloy_consensus::constants::KECCAK_EMPTY;
use alloy_primitives::{Address, B256, U256};
use refiner_specimen::{AccountRead, BlockHashRead, CodeRead, StateReads, StorageRead};
use revm::{
    bytecode::Bytecode,
    database::{DBErrorMarker, DatabaseRef},
    state::AccountInfo,
};

use crate::world::World;

/// Something was asked for that a sample chain does not have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No account that was read has this code.
    #[error("code {0} is nowhere")]
    Code(B256),
    /// The chain does not reach back to this block.
    #[error("the hash of block {0} is unknown")]
    BlockHash(u64),
}

impl DBErrorMarker for Missing {}

/// A read-only world that remembers the order and values of first reads.
#[derive(Debug)]
pub struct Recorder<'a> {
    world: &'a World,
    block_hashes: &'a BTreeMap<u64, B256>,
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    reads: StateReads,
    accounts: BTreeSet<Address>,
    slots: BTreeSet<(Address, B256)>,
    codes: BTreeSet<B256>,
    heights: BTreeSet<u64>,
}

impl<'a> Recorder<'a> {
    /// Records reads of `world` and of the hashes of earlier blocks.
    pub fn new(world: &'a World, block_hashes: &'a BTreeMap<u64, B256>) -> Self {
        Self { world, block_hashes, seen: RefCell::default() }
    }

    /// State that was read so far, in order of first use. Accounts that do not exist leave no trace.
    pub fn reads(&self) -> StateReads {
        self.seen.borrow().reads.clone()
    }
}

impl DatabaseRef for Recorder<'_> {
    type Error = Missing;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Missing> {
        let Some(account) = self.world.accounts.get(&address) else { return Ok(None) };
        let code_hash = account.code_hash();
        let seen = &mut *self.seen.borrow_mut();
        if seen.accounts.insert(address) {
            let read = AccountRead { address, nonce: account.nonce, balance: account.balance, code_hash };
            seen.reads.accounts.push(read);
        }
        Ok(Some(AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash,
            code: None,
            ..AccountInfo::default()
        }))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Missing> {
        let seen = &mut *self.seen.borrow_mut();
        // Code is read of an account; an account that was not asked for does not lend its code.
        let mut read = seen.accounts.iter().filter_map(|address| self.world.accounts.get(address));
        let code = read.find(|account| account.code_hash() == hash).ok_or(Missing::Code(hash))?.code.clone();
        if hash != KECCAK_EMPTY && seen.codes.insert(hash) {
            seen.reads.codes.push(CodeRead { hash, code: code.clone() });
        }
        Ok(Bytecode::new_raw(code))
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, Missing> {
        let slot = B256::from(index);
        let account = self.world.accounts.get(&address);
        let value = account.and_then(|account| account.storage.get(&slot)).copied().unwrap_or_default();
        let seen = &mut *self.seen.borrow_mut();
        if seen.slots.insert((address, slot)) {
            seen.reads.storage.push(StorageRead { account: address, slot, value: value.into() });
        }
        Ok(value)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Missing> {
        let hash = *self.block_hashes.get(&number).ok_or(Missing::BlockHash(number))?;
        let seen = &mut *self.seen.borrow_mut();
        if seen.heights.insert(number) {
            seen.reads.block_hashes.push(BlockHashRead { number, hash });
        }
        Ok(hash)
    }
}
