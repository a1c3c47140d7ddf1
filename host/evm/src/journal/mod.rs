//! The EVM's journal, with what a block of several transactions needs beyond it.
//!
//! The EVM is made to hand its state to a database after each transaction; here one journal lives as long as the block.
//! So the end of a transaction settles which accounts exist, and a creation collides with storage (EIP-7610), which the
//! EVM leaves to whatever keeps the state.

mod forward;

use alloy_primitives::{
    Address, U256,
    map::{AddressMap, AddressSet},
};
use revm::{
    Journal,
    context::{JournalEntry, JournalInner, JournalTr},
    context_interface::journaled_state::entry::JournalEntryTr,
    primitives::hardfork::SpecId,
    state::{AccountStatus, EvmStorage},
};

use crate::{
    prestate::{Beyond, PreState},
    recording::Watch,
};

/// The journal of one block.
#[derive(Debug)]
pub(crate) struct BlockJournal {
    inner: Journal<Beyond>,
    occupied: AddressSet,
    dormant: AddressMap<EvmStorage>,
    wraps: bool,
    /// Where the execution is recorded.
    watch: Option<Box<Watch>>,
}

impl BlockJournal {
    /// A journal that begins with this state.
    pub(crate) fn of(beyond: Beyond, before: PreState) -> Self {
        let mut inner = Journal::new(beyond);
        inner.inner.state = before.accounts;
        Self { inner, occupied: before.occupied, dormant: before.dormant, wraps: before.wraps, watch: None }
    }

    /// Watches it from here on.
    pub(crate) fn watch(&mut self, watch: Watch) {
        self.watch = Some(Box::new(watch));
    }

    /// The watch, with what was not committed yet; `None` where there is none.
    pub(crate) fn watch_to_now(&mut self) -> Option<&mut Watch> {
        let watch = self.watch.as_deref_mut()?;
        watch.collect(&self.inner.inner);
        Some(watch)
    }

    /// The self-destruction that was noted last and not taken.
    pub(crate) fn take_destruction(&mut self) -> Option<(Address, Address, U256)> {
        self.watch.as_deref_mut()?.take_destruction()
    }

    /// Storage that no execution reads, which belongs to the state after the block nevertheless.
    pub(crate) fn take_dormant(&mut self) -> AddressMap<EvmStorage> {
        std::mem::take(&mut self.dormant)
    }

    /// True where a transfer would overflow the receiver's balance, and wraps instead.
    fn wraps_around(&self, from: Address, to: Address, wei: U256) -> bool {
        let balance = |address| self.inner.inner.state.get(&address).map_or(U256::ZERO, |account| account.info.balance);
        self.wraps && from != to && balance(from) >= wei && balance(to).checked_add(wei).is_none()
    }

    /// Transfers as the EVM does, but for the balance that wraps.
    fn transfer_around(&mut self, from: Address, to: Address, wei: U256) {
        self.inner.touch_account(from);
        self.inner.touch_account(to);
        let journal = &mut self.inner.inner;
        for (address, sign) in [(from, wei.wrapping_neg()), (to, wei)] {
            if let Some(account) = journal.state.get_mut(&address) {
                account.info.balance = account.info.balance.wrapping_add(sign);
            }
        }
        journal.journal.push(JournalEntryTr::balance_transfer(from, to, wei));
    }

    /// Everything but what stays the same over the whole block.
    pub(crate) const fn state(&self) -> &JournalInner<JournalEntry> {
        &self.inner.inner
    }

    /// Takes the journal back to an earlier state of its own.
    pub(crate) fn reset(&mut self, state: &JournalInner<JournalEntry>) {
        self.inner.inner.clone_from(state);
    }

    /// Settles which of the accounts that a transaction used exist after it.
    fn settle(&mut self) {
        let journal = &mut self.inner.inner;
        let clears_empty = journal.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
        for entry in &journal.journal {
            match entry {
                // EIP-161: what was touched and is empty is gone, and an EIP-7702 authority that is gone earns no refund.
                JournalEntry::AccountTouched { address } if clears_empty => {
                    let account = journal.state.get_mut(address);
                    if let Some(account) = account.filter(|account| account.is_empty()) {
                        account.unmark_touch();
                    }
                }
                // Before EIP-161 existence has a price; since then the EVM forgets a destroyed account when it is next loaded.
                JournalEntry::AccountDestroyed { address, .. } if !clears_empty => {
                    if let Some(account) = journal.state.get_mut(address) {
                        account.selfdestruct();
                        account.unmark_selfdestructed_locally();
                        account.unmark_touch();
                        account.status |= AccountStatus::LoadedAsNotExisting;
                    }
                }
                _ => {}
            }
        }
    }
}
