//! `state-changes`: the state before and after each step of an execution, and what it looked up.

use std::sync::Arc;

use alloy_primitives::B256;
use refiner_evm::{Access, AccountChange, RecordingTerms, Recordings, SlotChange, StateStep, Steps};
use wasmtime::component::Resource;

use super::{
    ChangesHandle, ExecutionHandle, HostState, Wanted,
    state::{
        changes::{Reader, nothing_there},
        recordings::Position,
    },
};
use crate::bindings::refiner::rule::{recordings::RecordError, state_changes as changes, types};

/// Bytes of each item in the canonical ABI.
const ACCOUNT_BYTES: usize = 200;
const SLOT_BYTES: usize = 120;
const ACCESS_BYTES: usize = 72;

impl changes::Host for HostState {
    fn open(
        &mut self,
        execution: Resource<ExecutionHandle>,
    ) -> wasmtime::Result<Result<Resource<ChangesHandle>, RecordError>> {
        self.budget.call("state-changes.open")?;
        let terms = RecordingTerms { payload_max: None, state: true, gas: false, bytes_max: self.record_bytes() };
        let opened = Wanted { state: true, ..Wanted::default() };
        let whole = |recordings: &Recordings| recordings.state.as_ref().is_some_and(Steps::is_whole);
        let recordings = match self.open_recording(&execution, opened, terms, whole)? {
            Ok(recordings) => recordings,
            Err(error) => return Ok(Err(error)),
        };
        let rep = u32::try_from(self.changes.0.len())?;
        self.changes.0.push(Some(Reader { recordings, position: Position::default(), entered: 0 }));
        Ok(Ok(Resource::new_own(rep)))
    }
}

impl changes::HostChanges for HostState {
    fn next(&mut self, handle: Resource<ChangesHandle>) -> wasmtime::Result<Option<u32>> {
        self.budget.call("state-changes.changes.next")?;
        let reader =
            self.changes.0.get_mut(handle.rep() as usize).and_then(Option::as_mut).ok_or_else(nothing_there)?;
        let recordings = Arc::clone(&reader.recordings);
        let steps = recordings.state.as_ref().ok_or_else(nothing_there)?;
        let entered = reader.position.enter(steps, &mut self.budget, StateStep::bytes)?;
        reader.entered = reader.entered.saturating_add(u32::from(entered.is_some()));
        Ok(entered)
    }

    fn accounts(
        &mut self,
        handle: Resource<ChangesHandle>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<changes::AccountChange>> {
        self.budget.call("state-changes.changes.accounts")?;
        let accounts = self.changes.get(&handle)?.step()?.map_or(&[][..], |step| &step.accounts);
        if let Some(view) = &self.specimen {
            let changed = accounts.iter().filter(|change| change.before.balance != change.after.balance);
            let balances = changed.flat_map(|change| [change.before.balance, change.after.balance]);
            view.check_exact("accounts", "the balance of an account", balances)?;
        }
        Ok(self.budget.page(accounts, start, count, |_| ACCOUNT_BYTES, |_, change| to_account(change))?)
    }

    fn slots(
        &mut self,
        handle: Resource<ChangesHandle>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<changes::SlotChange>> {
        self.budget.call("state-changes.changes.slots")?;
        let slots = self.changes.get(&handle)?.step()?.map_or(&[][..], |step| &step.slots);
        Ok(self.budget.page(slots, start, count, |_| SLOT_BYTES, |_, change| to_slot(change))?)
    }

    fn accesses(
        &mut self,
        handle: Resource<ChangesHandle>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<changes::Access>> {
        self.budget.call("state-changes.changes.accesses")?;
        let accesses = self.changes.get(&handle)?.step()?.map_or(&[][..], |step| &step.accesses);
        Ok(self.budget.page(accesses, start, count, |_| ACCESS_BYTES, |_, access| to_access(access))?)
    }

    fn code(&mut self, handle: Resource<ChangesHandle>, hash: types::B256) -> wasmtime::Result<Option<Vec<u8>>> {
        self.budget.call("state-changes.changes.code")?;
        let hash = B256::from(hash);
        let reader = self.changes.get(&handle)?;
        self.budget.burn(u64::from(reader.entered).saturating_mul(STEP_FUEL).saturating_add(SEARCH_FUEL))?;
        if let Some(code) = reader.deployed(hash)? {
            self.budget.copy(code.len())?;
            return Ok(Some(code.to_vec()));
        }
        Ok(self.specimen_code(hash)?)
    }

    fn drop(&mut self, handle: Resource<ChangesHandle>) -> wasmtime::Result<()> {
        if let Some(reader) = self.changes.0.get_mut(handle.rep() as usize) {
            *reader = None;
        }
        Ok(())
    }
}

/// Fuel for a search of deployed code, where a step deployed as much as a block can.
pub(super) const SEARCH_FUEL: u64 = 1_024;
/// Fuel for each step that is searched.
pub(super) const STEP_FUEL: u64 = 64;

fn to_account(change: &AccountChange) -> changes::AccountChange {
    let AccountChange { address, before, after } = change;
    changes::AccountChange {
        address: (*address).into(),
        balance: (before.balance != after.balance).then(|| (before.balance.into(), after.balance.into())),
        nonce: (before.nonce != after.nonce).then_some((before.nonce, after.nonce)),
        code: (before.code_hash != after.code_hash).then(|| (before.code_hash.into(), after.code_hash.into())),
        created: before.is_empty(),
        destroyed: after.is_empty(),
    }
}

fn to_slot(change: &SlotChange) -> changes::SlotChange {
    let SlotChange { address, slot, before, after } = *change;
    changes::SlotChange { address: address.into(), slot: slot.into(), before: before.into(), after: after.into() }
}

fn to_access(access: &Access) -> changes::Access {
    let Access { address, slot, changed } = *access;
    changes::Access { address: address.into(), slot: slot.map(Into::into), changed }
}
