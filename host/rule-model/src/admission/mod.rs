//! Admission: a component is read before it is compiled, and refused with what was found and what is allowed.

mod asynchronous;
mod error;
mod found;
mod inventory;
mod manifest;
mod remedy;
mod scan;
mod scan_limit;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeSet;

use refiner_manifest::Manifest;
use refiner_specimen::Layout;

pub use self::{
    error::{AdmissionError, ManifestPlace},
    found::{Found, Toolchain},
    manifest::{agrees_with_description, manifest_of},
    remedy::RefusalKind,
    scan_limit::{
        CORE_INSTANCES_MAX, INSTANCE_STATE_BYTES_MAX, MEMORIES_MAX, ScanLimit, TABLE_ELEMENTS_MAX, TABLES_MAX,
    },
};
use crate::{Limit, Limits, contract::Capability};

/// Bytes a component may have that imports WASI, which it does when it carries a language's whole runtime: Python's is 18 MB.
pub const COMPONENT_BYTES_WITH_WASI: u64 = 64 << 20;

/// Capabilities and limits that the operator lets a rule have, if it asks.
#[derive(Clone, Debug)]
pub struct Grants {
    /// Capabilities beyond the specimen, output, log and parameters, which every rule gets.
    pub capabilities: BTreeSet<Capability>,
    /// The most of each limit that a rule may ask for. One that asks for nothing gets the defaults, within these.
    pub limits: Limits,
}

impl Default for Grants {
    /// No capability, and limits up to their caps.
    fn default() -> Self {
        Self { capabilities: BTreeSet::new(), limits: Limits::caps() }
    }
}

impl Grants {
    /// Every capability there is, and limits up to their caps.
    pub fn all() -> Self {
        Self { capabilities: Capability::ALL.into_iter().collect(), ..Self::default() }
    }

    /// The limits of a rule with this manifest, or the first thing that it asks for and does not get.
    ///
    /// A manifest agrees with what its component imports, or the component is not admitted: where code was compiled before, this is
    /// all that depends on the grants.
    pub fn allow(&self, manifest: &Manifest) -> Result<Limits, AdmissionError> {
        let asked = Limits::asked_by(manifest).map_err(AdmissionError::AboveCap)?;
        self.limits.check_asked(manifest).map_err(AdmissionError::AboveCeiling)?;
        match manifest::asked(manifest).difference(&self.capabilities).next() {
            Some(capability) => Err(AdmissionError::Ungranted { capability: *capability }),
            None => Ok(asked.within(&self.limits)),
        }
    }
}

/// The terms on which a component was admitted.
pub struct Terms {
    /// Capabilities that it imports, all of them asked for and granted.
    pub needs: BTreeSet<Capability>,
    /// The manifest, which agrees with the imports.
    pub manifest: Manifest,
    /// Layouts it accepts; none means all.
    pub layouts: Vec<Layout>,
    /// The limits that the manifest asks for, and defaults.
    pub asked: Limits,
    /// The same within the operator's ceilings.
    pub granted: Limits,
    /// Memory that the host holds for an instance, beside linear memories and tables.
    pub state_bytes: u64,
}

/// Holds a component and its manifest against each other and against the grants, as admission does before it compiles.
///
/// Nothing is compiled and nothing of the component runs: for callers that need the reason of a refusal as data.
pub fn examine(component: &[u8], beside: Option<&str>, grants: &Grants) -> Result<(), AdmissionError> {
    check(component, beside, grants).map(drop)
}

/// Reads a whole component, and refuses one that is damaged. Whatever else it is refused for is left to [`examine`].
pub fn intact(component: &[u8]) -> Result<(), AdmissionError> {
    match scan::scan(component) {
        Err(damaged @ AdmissionError::Malformed { .. }) => Err(damaged),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Reads a component and its manifest, and holds them against each other and against the grants.
pub fn check(component: &[u8], beside: Option<&str>, grants: &Grants) -> Result<Terms, AdmissionError> {
    let ceiling = grants.limits.get(Limit::ComponentBytes);
    // What is read before the imports are known.
    within(component, with_wasi(ceiling, ceiling, &grants.capabilities))?;
    let surface = scan::scan(component)?;
    let needs = world::check(&surface, &Capability::ALL.into_iter().collect())?;
    let manifest = manifest_of(component, beside)?;
    let granted = grants.allow(&manifest)?;
    world::check(&surface, &grants.capabilities)?;
    manifest::agrees_with_imports(&manifest, &needs)?;
    let layouts = manifest::layouts(&manifest)?;
    let asked = Limits::asked_by(&manifest).map_err(AdmissionError::AboveCap)?;
    asked.time_lasts().map_err(AdmissionError::TooLittleTime)?;
    within(component, with_wasi(granted.get(Limit::ComponentBytes), ceiling, &needs))?;
    Ok(Terms { needs, manifest, layouts, asked, granted, state_bytes: surface.state_bytes })
}

/// Bytes allowed to a component with these capabilities. WASI brings a language's runtime, unless the operator allows less.
fn with_wasi(allowed_bytes: u64, ceiling: u64, capabilities: &BTreeSet<Capability>) -> u64 {
    let lowered = ceiling < Limit::ComponentBytes.spec().cap;
    match (capabilities.contains(&Capability::Wasi), lowered) {
        (true, false) => COMPONENT_BYTES_WITH_WASI,
        (true, true) => ceiling,
        (false, _) => allowed_bytes,
    }
}

fn within(component: &[u8], allowed_bytes: u64) -> Result<(), AdmissionError> {
    let found_bytes = component.len() as u64;
    if found_bytes > allowed_bytes { Err(AdmissionError::TooLarge { found_bytes, allowed_bytes }) } else { Ok(()) }
}
