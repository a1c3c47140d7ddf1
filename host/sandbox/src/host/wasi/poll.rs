//! `wasi:io/poll`: waiting, where no time passes.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, bindings::sync::io::poll};

use super::{super::BudgetExceeded, HostState};
use crate::Misuse;

/// Bytes of one handle in a list.
const HANDLE_BYTES: usize = 4;

/// Events that a guest can wait for. A pollable's number is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// An event that is there already: a time that has come, a stream that never makes anyone wait.
    Over,
    /// A time later than the block's. The clock does not move, so it never comes.
    Endless,
}

impl Wait {
    pub(super) fn handle(self) -> Resource<DynPollable> {
        Resource::new_own(self as u32)
    }

    fn of(pollable: &Resource<DynPollable>) -> Self {
        if pollable.rep() == Self::Over as u32 { Self::Over } else { Self::Endless }
    }
}

impl poll::Host for HostState {
    /// The positions of those that are over. A guest that waits only for what never comes, or for nothing, is stopped: anything
    /// else would take real time, and the machine's clock decides no verdict.
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.budget.call()?;
        self.budget.copy(pollables.len().saturating_mul(HANDLE_BYTES))?;
        let over: Vec<u32> = (0_u32..)
            .zip(&pollables)
            .filter(|(_, pollable)| Wait::of(pollable) == Wait::Over)
            .map(|(position, _)| position)
            .collect();
        if over.is_empty() {
            return Err(BudgetExceeded::Misuse(Misuse::EndlessWait).into());
        }
        Ok(over)
    }
}

impl poll::HostPollable for HostState {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.budget.call()?;
        Ok(Wait::of(&pollable) == Wait::Over)
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.budget.call()?;
        match Wait::of(&pollable) {
            Wait::Over => Ok(()),
            Wait::Endless => Err(BudgetExceeded::Misuse(Misuse::EndlessWait).into()),
        }
    }

    fn drop(&mut self, _: Resource<DynPollable>) -> wasmtime::Result<()> {
        Ok(())
    }
}
