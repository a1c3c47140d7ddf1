//! `what-if`: the block under other conditions.

use std::sync::Arc;

use alloy_primitives::Address;
use refiner_evm::{
    AccountOverride, Departure, Exclusion, ExecuteError, Overrides, ResultFormat, StateItem, WhatIfError,
};
use refiner_rule_model::{Limit, Misuse, ReasonClass, Thing};
use wasmtime::component::Resource;

use super::{
    BlockSpecimen, BudgetExceeded, ExecutionHandle, Executions, HostState,
    state::{
        executions::{Done, Hypothesis},
        overrides::OverridesHandle,
    },
};
use crate::bindings::refiner::rule::{types, what_if};

/// Bytes that a thing which is set counts, beside its length.
const OVERRIDE_BYTES: u64 = 128;
/// Bytes of an exclusion in the canonical ABI, without its text.
const EXCLUSION_BYTES: usize = 12;

impl Executions {
    /// Keeps what a verdict says of a hypothetical execution that there is not, and gives it to the rule.
    fn not_hypothetical(&mut self, error: WhatIfError) -> what_if::WhatIfError {
        self.refused = class_of(&error);
        if let WhatIfError::LeftSpecimen(departure) = &error {
            self.left = Some(*departure);
        }
        error.into()
    }
}

impl HostState {
    /// Pays for one more thing that is set, with a list of `bytes`, and gives the overrides to set it in.
    fn set(
        &mut self,
        function: &'static str,
        handle: &Resource<OverridesHandle>,
        bytes: usize,
    ) -> Result<&mut Overrides, BudgetExceeded> {
        self.budget.call(function)?;
        self.budget.copy(bytes)?;
        self.budget.spend(Limit::RecordBytes, OVERRIDE_BYTES.saturating_add(bytes as u64))?;
        self.overrides.get_mut(handle)
    }

    /// The same for a value of an account.
    fn set_of(
        &mut self,
        function: &'static str,
        handle: &Resource<OverridesHandle>,
        address: types::Address,
        bytes: usize,
    ) -> Result<&mut AccountOverride, BudgetExceeded> {
        Ok(self.set(function, handle, bytes)?.accounts.entry(Address::from(address)).or_default())
    }
}

impl what_if::HostOverrides for HostState {
    fn new(&mut self) -> wasmtime::Result<Resource<OverridesHandle>> {
        self.budget.call("what-if.overrides")?;
        self.budget.spend(Limit::RecordBytes, OVERRIDE_BYTES)?;
        let rep = u32::try_from(self.overrides.0.len())?;
        self.overrides.0.push(Some(Overrides::default()));
        Ok(Resource::new_own(rep))
    }

    fn balance(
        &mut self,
        handle: Resource<OverridesHandle>,
        address: types::Address,
        wei: types::U256,
    ) -> wasmtime::Result<()> {
        self.set_of("what-if.overrides.balance", &handle, address, 0)?.balance = Some(wei.into());
        Ok(())
    }

    fn nonce(
        &mut self,
        handle: Resource<OverridesHandle>,
        address: types::Address,
        nonce: u64,
    ) -> wasmtime::Result<()> {
        self.set_of("what-if.overrides.nonce", &handle, address, 0)?.nonce = Some(nonce);
        Ok(())
    }

    fn code(
        &mut self,
        handle: Resource<OverridesHandle>,
        address: types::Address,
        code: Vec<u8>,
    ) -> wasmtime::Result<()> {
        let bytes = code.len();
        self.set_of("what-if.overrides.code", &handle, address, bytes)?.code = Some(code.into());
        Ok(())
    }

    fn slot(
        &mut self,
        handle: Resource<OverridesHandle>,
        address: types::Address,
        slot: types::B256,
        value: types::B256,
    ) -> wasmtime::Result<()> {
        self.set("what-if.overrides.slot", &handle, 0)?.slots.insert((address.into(), slot.into()), value.into());
        Ok(())
    }

    fn complete(&mut self, handle: Resource<OverridesHandle>, address: types::Address) -> wasmtime::Result<()> {
        self.set_of("what-if.overrides.complete", &handle, address, 0)?.complete = true;
        Ok(())
    }

    fn fork(&mut self, handle: Resource<OverridesHandle>, name: String) -> wasmtime::Result<()> {
        let bytes = name.len();
        self.set("what-if.overrides.fork", &handle, bytes)?.fork = Some(name);
        Ok(())
    }

    fn base_fee(&mut self, handle: Resource<OverridesHandle>, wei: u64) -> wasmtime::Result<()> {
        self.set("what-if.overrides.base-fee", &handle, 0)?.base_fee = Some(wei);
        Ok(())
    }

    fn gas_limit(&mut self, handle: Resource<OverridesHandle>, gas: u64) -> wasmtime::Result<()> {
        self.set("what-if.overrides.gas-limit", &handle, 0)?.gas_limit = Some(gas);
        Ok(())
    }

    fn transactions(&mut self, handle: Resource<OverridesHandle>, indices: Vec<u32>) -> wasmtime::Result<()> {
        let bytes = size_of_val(&indices[..]);
        self.set("what-if.overrides.transactions", &handle, bytes)?.transactions = Some(indices);
        Ok(())
    }

    fn drop(&mut self, handle: Resource<OverridesHandle>) -> wasmtime::Result<()> {
        if let Some(overrides) = self.overrides.0.get_mut(handle.rep() as usize) {
            *overrides = None;
        }
        Ok(())
    }
}

impl what_if::Host for HostState {
    fn execute(
        &mut self,
        _specimen: Resource<BlockSpecimen>,
        overrides: Resource<OverridesHandle>,
    ) -> wasmtime::Result<Result<Resource<ExecutionHandle>, what_if::WhatIfError>> {
        self.budget.call("what-if.execute")?;
        let overrides = self.overrides.get_mut(&overrides)?.clone();
        self.budget.spend(Limit::EvmExecutions, 1)?;
        let specimen =
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let executor = self.executions.shared_executor();
        let executor = executor.ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Executor }))?;
        if let Some(reason) = self.executions.reason_unavailable() {
            return Ok(Err(what_if::WhatIfError::Unavailable(reason)));
        }
        let basis = match self.executions.basis(&*executor, specimen.specimen()) {
            Ok(Ok(basis)) => basis,
            Ok(Err(error)) => return Ok(Err(self.executions.not_hypothetical(error))),
            Err(unavailable) => {
                let reason = self.executions.is_unavailable(&unavailable);
                return Ok(Err(what_if::WhatIfError::Unavailable(reason)));
            }
        };
        let recording = self.executions.wanted().terms();
        let executed = executor.what_if(specimen.specimen(), &basis, &overrides, recording);
        // The block itself was executed, whatever came of the other conditions.
        self.executions.rests_on(&basis.execution);
        Ok(match executed {
            Ok(Ok(what_if)) => {
                let hypothesis = Hypothesis { basis, overrides: Arc::new(overrides), excluded: what_if.excluded };
                let done = Done::new(what_if.execution, ResultFormat::Canonical).under(hypothesis);
                Ok(Resource::new_own(self.executions.push(done)?))
            }
            Ok(Err(error)) => Err(self.executions.not_hypothetical(error)),
            Err(unavailable) => Err(what_if::WhatIfError::Unavailable(self.executions.is_unavailable(&unavailable))),
        })
    }

    fn excluded(
        &mut self,
        execution: Resource<ExecutionHandle>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<what_if::Exclusion>> {
        self.budget.call("what-if.excluded")?;
        let excluded = self.executions.get(&execution)?.excluded();
        let bytes_of = |exclusion: &Exclusion| EXCLUSION_BYTES + exclusion.reason.len();
        let to_exclusion = |_, exclusion: &Exclusion| what_if::Exclusion {
            transaction_index: exclusion.transaction_index,
            reason: exclusion.reason.clone(),
        };
        Ok(self.budget.page(excluded, start, count, bytes_of, to_exclusion)?)
    }
}

/// The class of an obstacle, where it has one.
fn class_of(error: &WhatIfError) -> Option<ReasonClass> {
    match error {
        WhatIfError::Unexecuted(error) => ReasonClass::of(error),
        WhatIfError::LeftSpecimen(_) | WhatIfError::Invalid(_) | WhatIfError::NoBlock(_) | WhatIfError::Executor => {
            None
        }
    }
}

impl From<WhatIfError> for what_if::WhatIfError {
    fn from(error: WhatIfError) -> Self {
        match error {
            WhatIfError::LeftSpecimen(departure) => Self::LeftSpecimen(departure.into()),
            WhatIfError::Invalid(_) | WhatIfError::NoBlock(_) => Self::Invalid(error.to_string()),
            WhatIfError::Unexecuted(ExecuteError::Rejected(reason)) => Self::Rejected(reason.to_string()),
            WhatIfError::Unexecuted(ExecuteError::Unsupported(reason)) => Self::Unsupported(reason.to_string()),
            WhatIfError::Executor => Self::Unsupported(error.to_string()),
        }
    }
}

impl From<Departure> for what_if::Departure {
    fn from(Departure { transaction, place }: Departure) -> Self {
        let place = match place {
            StateItem::Account(address) => what_if::Place::Account(address.into()),
            StateItem::Slot { address, slot } => {
                what_if::Place::Slot(what_if::SlotPlace { address: address.into(), slot: slot.into() })
            }
            StateItem::Code(hash) => what_if::Place::Code(hash.into()),
            StateItem::BlockHash(number) => what_if::Place::BlockHash(number),
        };
        Self { transaction_index: transaction, place }
    }
}
