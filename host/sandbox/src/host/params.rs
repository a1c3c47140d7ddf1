//! `params`: what the operator gave the rule.

use super::HostState;
use crate::bindings::refiner::rule::params;

impl params::Host for HostState {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.budget.call("params.get")?;
        self.budget.copy(name.len())?;
        let Some(value) = self.params.get(&name) else { return Ok(None) };
        self.budget.copy(value.len())?;
        Ok(Some(value.to_owned()))
    }
}
