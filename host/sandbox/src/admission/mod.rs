//! Who gets in: a component is read before it is compiled, and refused with what was found and what is allowed.

mod description;
mod refusal;
mod scan;
mod world;

use std::collections::BTreeSet;

pub(crate) use self::{
    description::description,
    scan::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX},
};
pub use self::{
    refusal::{Found, Refusal},
    scan::ScanLimit,
    world::Capability,
};
use crate::{Limit, Limits};

/// What the operator lets a rule have.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Capabilities beyond the specimen, output, log and parameters, which every rule gets.
    pub capabilities: BTreeSet<Capability>,
    /// Limits; only [`Limit::ComponentBytes`] counts at admission.
    pub limits: Limits,
}

impl Grants {
    /// Every capability there is, for rules that come with the program.
    pub fn all() -> Self {
        Self { capabilities: Capability::ALL.into_iter().collect(), limits: Limits::with_evm() }
    }
}

/// Reads a component and gives the capabilities it needs, all of them granted.
pub(crate) fn check(component: &[u8], grants: &Grants) -> Result<BTreeSet<Capability>, Refusal> {
    let allowed_bytes = grants.limits.get(Limit::ComponentBytes);
    if component.len() as u64 > allowed_bytes {
        return Err(Refusal::TooLarge { found_bytes: component.len() as u64, allowed_bytes });
    }
    let surface = scan::scan(component)?;
    world::check(&surface, &grants.capabilities)
}
