//! The EVM's view of a block's journal: its own, but for two moments.

use alloy_primitives::{
    Address, B256, Log, U256,
    map::{AddressMap, AddressSet, HashSet},
};
use revm::{
    Journal,
    bytecode::Bytecode,
    context::{
        JournalEntry, JournalTr,
        journaled_state::{
            AccountInfoLoad, AccountLoad, JournalCheckpoint, JournalLoadError, StateLoad, TransferError,
            account::{JournaledAccount, JournaledAccountTr as _},
        },
    },
    context_interface::context::{SStoreResult, SelfDestructResult},
    inspector::JournalExt,
    primitives::hardfork::SpecId,
    state::{Account, EvmState},
};

use super::BlockJournal;
use crate::{not_carried::NotCarried, prestate::Beyond, recording::Watch};

type Loaded<T> = Result<StateLoad<T>, NotCarried>;
type Skippable<T> = Result<StateLoad<T>, JournalLoadError<NotCarried>>;

/// Notes a look-up of an account, where it is watched.
#[inline]
fn note(watch: &mut Option<Box<Watch>>, address: Address) {
    if let Some(watch) = watch {
        watch.looked_up(address);
    }
}

/// Notes a look-up of a slot, where it is watched.
#[inline]
fn note_slot(watch: &mut Option<Box<Watch>>, address: Address, slot: U256) {
    if let Some(watch) = watch {
        watch.looked_up_slot(address, slot);
    }
}

impl JournalExt for BlockJournal {
    fn journal(&self) -> &[JournalEntry] {
        &self.inner.inner.journal
    }
}

impl JournalTr for BlockJournal {
    type Database = Beyond;
    type State = EvmState;
    type JournaledAccount<'a> = JournaledAccount<'a, Beyond, JournalEntry>;

    fn new(database: Beyond) -> Self {
        let (occupied, dormant) = (AddressSet::default(), AddressMap::default());
        Self { inner: Journal::new(database), occupied, dormant, wraps: false, watch: None }
    }

    fn create_account_checkpoint(
        &mut self,
        caller: Address,
        address: Address,
        balance: U256,
        spec_id: SpecId,
    ) -> Result<JournalCheckpoint, TransferError> {
        if self.occupied.contains(&address) {
            return Err(TransferError::CreateCollision);
        }
        self.inner.create_account_checkpoint(caller, address, balance, spec_id)
    }

    fn commit_tx(&mut self) {
        let _ = self.watch_to_now();
        self.settle();
        self.inner.commit_tx();
    }

    // What follows adds nothing to the EVM's own, but that a watch sees each look-up that succeeded.

    #[inline]
    fn db_and_state(&self) -> (&Beyond, &EvmState) {
        self.inner.db_and_state()
    }

    #[inline]
    fn db_and_state_mut(&mut self) -> (&mut Beyond, &mut EvmState) {
        self.inner.db_and_state_mut()
    }

    #[inline]
    fn sload(&mut self, address: Address, key: U256) -> Loaded<U256> {
        let loaded = self.inner.sload(address, key)?;
        note_slot(&mut self.watch, address, key);
        Ok(loaded)
    }

    #[inline]
    fn sload_skip_cold_load(&mut self, address: Address, key: U256, skip: bool) -> Skippable<U256> {
        let loaded = self.inner.sload_skip_cold_load(address, key, skip)?;
        note_slot(&mut self.watch, address, key);
        Ok(loaded)
    }

    #[inline]
    fn sstore(&mut self, address: Address, key: U256, value: U256) -> Loaded<SStoreResult> {
        let loaded = self.inner.sstore(address, key, value)?;
        note_slot(&mut self.watch, address, key);
        Ok(loaded)
    }

    #[inline]
    fn sstore_skip_cold_load(
        &mut self,
        address: Address,
        key: U256,
        value: U256,
        skip: bool,
    ) -> Skippable<SStoreResult> {
        let loaded = self.inner.sstore_skip_cold_load(address, key, value, skip)?;
        note_slot(&mut self.watch, address, key);
        Ok(loaded)
    }

    #[inline]
    fn tload(&mut self, address: Address, key: U256) -> U256 {
        self.inner.tload(address, key)
    }

    #[inline]
    fn tstore(&mut self, address: Address, key: U256, value: U256) {
        self.inner.tstore(address, key, value);
    }

    #[inline]
    fn log(&mut self, log: Log) {
        self.inner.log(log);
    }

    #[inline]
    fn take_logs(&mut self) -> Vec<Log> {
        self.inner.take_logs()
    }

    #[inline]
    fn logs(&self) -> &[Log] {
        self.inner.logs()
    }

    #[inline]
    fn selfdestruct(&mut self, address: Address, target: Address, skip: bool) -> Skippable<SelfDestructResult> {
        let balance =
            |journal: &Self| journal.inner.inner.state.get(&address).map_or(U256::ZERO, |account| account.info.balance);
        let held = if self.watch.is_some() { balance(self) } else { U256::ZERO };
        let destroyed = self.inner.selfdestruct(address, target, skip)?;
        if let Some(watch) = self.watch.as_deref_mut() {
            watch.looked_up(target);
            watch.destroys(address, target, held);
        }
        Ok(destroyed)
    }

    #[inline]
    fn warm_access_list(&mut self, access_list: AddressMap<HashSet<U256>>) {
        self.inner.warm_access_list(access_list);
    }

    #[inline]
    fn warm_coinbase_account(&mut self, address: Address) {
        self.inner.warm_coinbase_account(address);
    }

    #[inline]
    fn warm_precompiles(&mut self, addresses: &AddressSet) {
        self.inner.warm_precompiles(addresses);
    }

    #[inline]
    fn precompile_addresses(&self) -> &AddressSet {
        self.inner.precompile_addresses()
    }

    #[inline]
    fn set_spec_id(&mut self, spec_id: SpecId) {
        self.inner.set_spec_id(spec_id);
    }

    #[inline]
    fn set_eip7708_config(&mut self, disabled: bool, delayed_clear_disabled: bool) {
        self.inner.set_eip7708_config(disabled, delayed_clear_disabled);
    }

    #[inline]
    fn touch_account(&mut self, address: Address) {
        self.inner.touch_account(address);
    }

    #[inline]
    fn transfer(&mut self, from: Address, to: Address, balance: U256) -> Result<Option<TransferError>, NotCarried> {
        self.load_account(from)?;
        self.load_account(to)?;
        Ok(self.transfer_loaded(from, to, balance))
    }

    #[inline]
    fn transfer_loaded(&mut self, from: Address, to: Address, balance: U256) -> Option<TransferError> {
        if self.wraps_around(from, to, balance) {
            self.transfer_around(from, to, balance);
            return None;
        }
        self.inner.transfer_loaded(from, to, balance)
    }

    #[inline]
    #[allow(deprecated)]
    fn caller_accounting_journal_entry(&mut self, address: Address, old_balance: U256, bump_nonce: bool) {
        self.inner.caller_accounting_journal_entry(address, old_balance, bump_nonce);
    }

    #[inline]
    fn balance_incr(&mut self, address: Address, balance: U256) -> Result<(), NotCarried> {
        if self.wraps {
            note(&mut self.watch, address);
            let mut account = self.inner.load_account_mut(address)?.data;
            let sum = account.balance().wrapping_add(balance);
            account.touch();
            account.set_balance(sum);
            return Ok(());
        }
        note(&mut self.watch, address);
        self.inner.balance_incr(address, balance)
    }

    #[inline]
    #[allow(deprecated)]
    fn nonce_bump_journal_entry(&mut self, address: Address) {
        self.inner.nonce_bump_journal_entry(address);
    }

    #[inline]
    fn load_account(&mut self, address: Address) -> Loaded<&Account> {
        let loaded = self.inner.load_account(address)?;
        note(&mut self.watch, address);
        Ok(loaded)
    }

    #[inline]
    fn load_account_with_code(&mut self, address: Address) -> Loaded<&Account> {
        let loaded = self.inner.load_account_with_code(address)?;
        note(&mut self.watch, address);
        Ok(loaded)
    }

    #[inline]
    fn load_account_delegated(&mut self, address: Address) -> Loaded<AccountLoad> {
        let loaded = self.inner.load_account_delegated(address)?;
        note(&mut self.watch, address);
        if loaded.is_delegate_account_cold.is_some() {
            let code = self.inner.inner.state.get(&address).and_then(|account| account.info.code.as_ref());
            if let Some(delegate) = code.and_then(Bytecode::eip7702_address) {
                note(&mut self.watch, delegate);
            }
        }
        Ok(loaded)
    }

    #[inline]
    fn load_account_mut_skip_cold_load(
        &mut self,
        address: Address,
        skip: bool,
    ) -> Skippable<Self::JournaledAccount<'_>> {
        let loaded = self.inner.load_account_mut_skip_cold_load(address, skip)?;
        note(&mut self.watch, address);
        Ok(loaded)
    }

    #[inline]
    fn load_account_mut_optional_code(
        &mut self,
        address: Address,
        load_code: bool,
    ) -> Loaded<Self::JournaledAccount<'_>> {
        let loaded = self.inner.load_account_mut_optional_code(address, load_code)?;
        note(&mut self.watch, address);
        Ok(loaded)
    }

    #[inline]
    fn load_account_info_skip_cold_load(
        &mut self,
        address: Address,
        load_code: bool,
        skip: bool,
    ) -> Result<AccountInfoLoad<'_>, JournalLoadError<NotCarried>> {
        let loaded = self.inner.load_account_info_skip_cold_load(address, load_code, skip)?;
        note(&mut self.watch, address);
        Ok(loaded)
    }

    #[inline]
    fn set_code_with_hash(&mut self, address: Address, code: Bytecode, hash: B256) {
        self.inner.set_code_with_hash(address, code, hash);
    }

    #[inline]
    fn checkpoint(&mut self) -> JournalCheckpoint {
        self.inner.checkpoint()
    }

    #[inline]
    fn checkpoint_commit(&mut self) {
        self.inner.checkpoint_commit();
    }

    #[inline]
    fn checkpoint_revert(&mut self, checkpoint: JournalCheckpoint) {
        self.inner.checkpoint_revert(checkpoint);
    }

    #[inline]
    fn depth(&self) -> usize {
        self.inner.depth()
    }

    #[inline]
    fn discard_tx(&mut self) {
        self.inner.discard_tx();
    }

    #[inline]
    fn finalize(&mut self) -> EvmState {
        self.inner.finalize()
    }
}
