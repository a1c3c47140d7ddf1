//! The rules that every announced specimen is for, by their names in the journal.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use refiner_journal::{Item, Target};

use crate::engine::policy::StageError;

/// The rules that the daemon serves, by their identities.
#[derive(Debug, Default)]
pub struct Targets(BTreeMap<B256, Target>);

impl Targets {
    /// The rule of an item.
    ///
    /// # Errors
    ///
    /// [`StageError::NoRule`] where the operator took it out of the configuration.
    pub fn of(&self, item: &Item) -> Result<&Target, StageError> {
        self.0.get(&item.rule).ok_or_else(|| StageError::NoRule { name: item.rule_name.clone() })
    }

    /// All of them, as the journal takes them.
    pub fn all(&self) -> Vec<Target> {
        self.0.values().cloned().collect()
    }
}

impl FromIterator<Target> for Targets {
    fn from_iter<I: IntoIterator<Item = Target>>(targets: I) -> Self {
        Self(targets.into_iter().map(|target| (target.rule, target)).collect())
    }
}
