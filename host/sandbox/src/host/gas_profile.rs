//! `gas-profile`: the gas of an execution, by opcode and contract.

use std::sync::Arc;

use refiner_evm::{GasItem, RecordingTerms, Recordings, Steps};
use wasmtime::component::Resource;

use super::{
    ExecutionHandle, HostState, Wanted,
    state::{
        gas::{ProfileHandle, Reader, nothing_there},
        recordings::Position,
    },
};
use crate::bindings::refiner::rule::{gas_profile, recordings::RecordError};

/// Bytes of an item in the canonical ABI.
const ITEM_BYTES: usize = 56;

impl gas_profile::Host for HostState {
    fn open(
        &mut self,
        execution: Resource<ExecutionHandle>,
    ) -> wasmtime::Result<Result<Resource<ProfileHandle>, RecordError>> {
        self.budget.call("gas-profile.open")?;
        let terms = RecordingTerms { payload_max: None, state: false, gas: true, bytes_max: self.record_bytes() };
        let opened = Wanted { gas: true, ..Wanted::default() };
        let whole = |recordings: &Recordings| recordings.gas.as_ref().is_some_and(Steps::is_whole);
        let recordings = match self.open_recording(&execution, opened, terms, whole)? {
            Ok(recordings) => recordings,
            Err(error) => return Ok(Err(error)),
        };
        let rep = u32::try_from(self.profiles.0.len())?;
        self.profiles.0.push(Some(Reader { recordings, position: Position::default() }));
        Ok(Ok(Resource::new_own(rep)))
    }
}

impl gas_profile::HostProfile for HostState {
    fn next(&mut self, handle: Resource<ProfileHandle>) -> wasmtime::Result<Option<u32>> {
        self.budget.call("gas-profile.profile.next")?;
        let reader =
            self.profiles.0.get_mut(handle.rep() as usize).and_then(Option::as_mut).ok_or_else(nothing_there)?;
        let recordings = Arc::clone(&reader.recordings);
        let steps = recordings.gas.as_ref().ok_or_else(nothing_there)?;
        Ok(reader.position.enter(steps, &mut self.budget, |items| GasItem::bytes(items))?)
    }

    fn page(
        &mut self,
        handle: Resource<ProfileHandle>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<gas_profile::Item>> {
        self.budget.call("gas-profile.profile.page")?;
        let reader = self.profiles.0.get(handle.rep() as usize).and_then(Option::as_ref).ok_or_else(nothing_there)?;
        let to_item = |_, item: &GasItem| gas_profile::Item {
            code_address: item.code_address.map(Into::into),
            what: item.what,
            times: item.times,
            gas: item.gas,
        };
        Ok(self.budget.page(reader.step()?, start, count, |_| ITEM_BYTES, to_item)?)
    }

    fn drop(&mut self, handle: Resource<ProfileHandle>) -> wasmtime::Result<()> {
        if let Some(reader) = self.profiles.0.get_mut(handle.rep() as usize) {
            *reader = None;
        }
        Ok(())
    }
}
