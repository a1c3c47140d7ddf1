//! The state that is known beyond what a specimen carries: what its block's own execution showed to be absent.

use std::sync::Arc;

use alloy_primitives::{
    Address, U256,
    map::{AddressSet, HashSet},
};

use super::overrides::OverriddenCode;
use crate::outcome::PostState;

/// The knowledge on which a hypothetical run rests, beside the specimen.
#[derive(Debug)]
pub(crate) struct Hypothesis {
    /// All else is not known.
    pub(crate) known: Arc<Known>,
    /// Code that the overrides set.
    pub(crate) codes: Vec<OverriddenCode>,
}

/// Accounts and slots that are known to be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Accounts that the block looked up.
    pub(super) accounts: AddressSet,
    /// Slots that the block looked up.
    slots: HashSet<(Address, U256)>,
    /// Accounts of which every slot that is not stated is zero.
    pub(super) complete: AddressSet,
}

impl Known {
    /// All that the block looked up. What its specimen carries of that is found there first.
    pub(crate) fn after(state: &PostState) -> Self {
        let mut known = Self::default();
        for (address, account) in &state.0 {
            known.accounts.insert(*address);
            known.slots.extend(account.storage.keys().map(|slot| (*address, *slot)));
        }
        known
    }

    /// True for an account that does not exist, where the specimen carries none.
    pub(crate) fn is_absent(&self, address: &Address) -> bool {
        self.accounts.contains(address)
    }

    /// True for a slot that is zero, where the specimen carries none.
    pub(crate) fn is_zero(&self, address: Address, slot: U256) -> bool {
        self.complete.contains(&address) || self.slots.contains(&(address, slot))
    }
}
