//! The state as the EVM reads it, and a note of everything that it read of the block's pre-state.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, map::AddressMap};
use refiner_specimen::{AccountRead, BlockHashRead, CodeRead, StateReads, StorageRead};
use revm::{
    Database, DatabaseCommit,
    bytecode::Bytecode,
    database::DBErrorMarker,
    state::{Account, AccountInfo},
};

use crate::world::World;

/// State that a test chain does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Code of an account that was not read.
    #[error("code {0} belongs to no account that was read")]
    Code(B256),
    /// The hash of a block before the chain's first.
    #[error("the hash of block {0} is unknown")]
    BlockHash(u64),
}

impl DBErrorMarker for Missing {}

/// The state during a block, and what was read of the state before it.
///
/// A row is written down at the first read of an address or slot, and always with the value before the block, whatever
/// the block changed in the meantime.
#[derive(Debug)]
pub struct Recorder<'a> {
    before: &'a World,
    /// The state after the transactions committed so far.
    pub now: World,
    block_hashes: &'a BTreeMap<u64, B256>,
    clears_empty: bool,
    reads: StateReads,
    accounts: BTreeSet<Address>,
    slots: BTreeSet<(Address, U256)>,
    /// Code of accounts that were read, and whether one of them had it before the block.
    codes: HashMap<B256, (Bytes, bool)>,
    recorded_codes: BTreeSet<B256>,
    heights: BTreeSet<u64>,
}

impl<'a> Recorder<'a> {
    /// Records the reads of a block that starts from `before`.
    pub fn new(before: &'a World, block_hashes: &'a BTreeMap<u64, B256>, clears_empty: bool) -> Self {
        Self {
            before,
            now: before.clone(),
            block_hashes,
            clears_empty,
            reads: StateReads::default(),
            accounts: BTreeSet::new(),
            slots: BTreeSet::new(),
            codes: HashMap::new(),
            recorded_codes: BTreeSet::new(),
            heights: BTreeSet::new(),
        }
    }

    /// Whether an address has storage but neither nonce nor code.
    pub fn is_bare_storage(&self, address: &Address) -> bool {
        self.now.get(address).is_some_and(crate::world::Account::is_bare_storage)
    }

    /// Adds to a balance outside of any transaction, and notes the account as read.
    pub fn credit(&mut self, address: Address, wei: U256) {
        self.note_account(address);
        self.now.credit(address, wei, self.clears_empty);
    }

    /// Moves a whole balance outside of any transaction, and notes both accounts as read.
    pub fn drain(&mut self, from: Address, to: Address) {
        self.note_account(from);
        self.note_account(to);
        self.now.drain(from, to);
    }

    /// The state after the block and everything it read, in order of first use.
    pub fn finish(mut self) -> (World, StateReads) {
        self.note_bare_storage();
        (self.now, self.reads)
    }

    fn note_account(&mut self, address: Address) {
        if !self.accounts.insert(address) {
            return;
        }
        let Some(account) = self.before.get(&address) else { return };
        self.reads.accounts.push(AccountRead {
            address,
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
        });
        self.codes.entry(account.code_hash).or_insert_with(|| (account.code.clone(), true)).1 = true;
    }

    /// EIP-7610 asks whether an account has storage, which a specimen can show only by a row of it.
    fn note_bare_storage(&mut self) {
        for address in &self.accounts {
            let Some(account) = self.before.get(address).filter(|account| account.is_bare_storage()) else { continue };
            if let Some((slot, value)) = account.storage.first_key_value()
                && self.slots.insert((*address, *slot))
            {
                let row = StorageRead { account: *address, slot: (*slot).into(), value: (*value).into() };
                self.reads.storage.push(row);
            }
        }
    }
}

impl Database for Recorder<'_> {
    type Error = Missing;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Missing> {
        self.note_account(address);
        let Some(account) = self.now.get(&address) else { return Ok(None) };
        self.codes.entry(account.code_hash).or_insert_with(|| (account.code.clone(), false));
        let (nonce, balance, code_hash) = (account.nonce, account.balance, account.code_hash);
        Ok(Some(AccountInfo { balance, nonce, code_hash, code: None, ..AccountInfo::default() }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Missing> {
        let (code, of_before) = self.codes.get(&hash).ok_or(Missing::Code(hash))?;
        if *of_before && hash != KECCAK256_EMPTY && self.recorded_codes.insert(hash) {
            self.reads.codes.push(CodeRead { hash, code: code.clone() });
        }
        Ok(Bytecode::new_raw(code.clone()))
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Missing> {
        // An account that does not exist has no slots; a row of it would be an orphan.
        if let Some(account) = self.before.get(&address)
            && self.slots.insert((address, slot))
        {
            let value = account.storage.get(&slot).copied().unwrap_or_default();
            self.reads.storage.push(StorageRead { account: address, slot: slot.into(), value: value.into() });
        }
        let account = self.now.get(&address);
        Ok(account.and_then(|account| account.storage.get(&slot)).copied().unwrap_or_default())
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Missing> {
        let hash = *self.block_hashes.get(&number).ok_or(Missing::BlockHash(number))?;
        if self.heights.insert(number) {
            self.reads.block_hashes.push(BlockHashRead { number, hash });
        }
        Ok(hash)
    }
}

impl DatabaseCommit for Recorder<'_> {
    fn commit(&mut self, changes: AddressMap<Account>) {
        self.now.commit(changes, self.clears_empty);
    }
}
