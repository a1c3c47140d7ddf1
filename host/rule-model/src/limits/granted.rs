//! The limits granted to a run: those its rule asks for, within those that the operator allows.

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_manifest::{Capability, LIMIT_NAMES, Manifest, World};
use sha2::{Digest, Sha256};

use super::{
    ceilings::{AboveCeiling, AboveCeilings},
    table::{AboveCap, AboveCaps, LIMITS, Limit, LimitSpec, PerLimit},
};

/// Fuel granted for each byte of the specimen, beside [`Limit::Fuel`]. Copying a byte into a rule and loading it there costs
/// some 250.
pub const FUEL_PER_INPUT_BYTE: u64 = 2_000;

/// The most that a unit of fuel may take on the machine of the README. The default fuel takes a sixth of its deadline there, and half of it on a
/// machine a third as fast.
pub const UNIT_PICOSECONDS: u64 = 2_500;
/// Machines that are slower than the README's by more than this are not for rules.
const SLOWEST: u64 = 3;
/// Added to the time for a rule's fuel before its deadline is compared with it: what [`Limits::deadline_ms`] rounds off.
const ROUNDING_MS: u64 = 1_000;

/// Processor time of a rule that may execute the block, unless it asks otherwise: execution is the host's work and slow on
/// a busy machine.
pub const WALL_MS_WITH_EVM: u64 = 120_000;

/// A number for each limit, never above its cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits(PerLimit);

/// A manifest asks for fuel that its deadline may not last for: the clock could end what fuel must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "asks for {fuel} units of fuel within {wall_ms} ms, and so much can take {needed_ms} ms: ask for wall_ms = {needed_ms}{}",
    if *.fitting > 0 { format!(", or for fuel = {}", .fitting) } else { String::new() }
)]
pub struct TooLittleTime {
    /// Fuel that it asks for, the default where it does not.
    pub fuel: u64,
    /// Deadline that it asks for, the default where it does not.
    pub wall_ms: u64,
    /// The least deadline for the fuel.
    pub needed_ms: u64,
    /// The most fuel for the deadline; 0 where it is too short for any.
    pub fitting: u64,
}

/// Milliseconds that this much fuel takes at most, on the slowest machine for rules.
const fn slowest_ms(fuel: u64) -> u64 {
    (fuel / 1_000).saturating_mul(UNIT_PICOSECONDS * SLOWEST) / 1_000_000
}

/// A limit cannot be set so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is no limit of this name.
    #[error("there is no limit {name:?}; there are {}", LIMIT_NAMES.join(", "))]
    Unknown {
        /// The name given.
        name: String,
    },
    /// More than there is to grant.
    #[error(transparent)]
    AboveCap(#[from] AboveCap),
}

impl Diagnostic for LimitError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of_table(|spec| spec.default)
    }
}

/// The limits that a manifest names, each with its amount.
fn asked_in(manifest: &Manifest) -> impl Iterator<Item = (Limit, u64)> {
    manifest.limits.iter().filter_map(|(name, value)| Some((Limit::from_name(name)?, *value)))
}

/// True for a capability whose use `record_bytes` bounds.
const fn records(capability: Capability) -> bool {
    match capability {
        Capability::Traces | Capability::StateChanges | Capability::GasProfile | Capability::WhatIf => true,
        Capability::Evm | Capability::Receipts => false,
    }
}

impl Limits {
    /// The defaults for a rule that may execute the block.
    pub fn with_evm() -> Self {
        let mut limits = Self::default();
        limits.0.set(Limit::WallMs, WALL_MS_WITH_EVM);
        limits
    }

    /// The most there is of everything: the ceilings of built-in rules.
    pub fn caps() -> Self {
        Self::of_table(|spec| spec.cap)
    }

    /// The limits that a manifest asks for, with defaults where it asks for none, or all that are above their caps.
    pub fn asked_by(manifest: &Manifest) -> Result<Self, AboveCaps> {
        let asked = Self::amounts_asked_by(manifest);
        let above = asked.iter().filter(|(limit, asked)| *asked > limit.spec().cap);
        let above: Vec<_> = above.map(|(limit, asked)| AboveCap { limit, asked }).collect();
        if above.is_empty() { Ok(Self(asked)) } else { Err(AboveCaps(above)) }
    }

    /// The same as numbers, which may be above their caps. The default of artifacts is never below the number of its outputs.
    pub fn amounts_asked_by(manifest: &Manifest) -> PerLimit {
        let mut defaults = match manifest.world {
            World::Transform => Self::default(),
            World::TransformWithEvm => Self::with_evm(),
        };
        // A rule with more outputs than the default could never make them all. The cap is the most outputs that a manifest can list.
        let artifacts = defaults.get(Limit::Artifacts).max(manifest.outputs.len() as u64);
        defaults.0.set(Limit::Artifacts, artifacts.min(Limit::Artifacts.spec().cap));
        for (limit, asked) in asked_in(manifest) {
            defaults.0.set(limit, asked);
        }
        defaults.0
    }

    pub(super) fn of_table(number: impl Fn(&LimitSpec) -> u64) -> Self {
        let mut numbers = PerLimit::ZERO;
        for spec in &LIMITS {
            numbers.set(spec.limit, number(spec));
        }
        Self(numbers)
    }

    /// These limits with one replaced, or a refusal when that is above its cap.
    pub fn with(mut self, limit: Limit, asked: u64) -> Result<Self, AboveCap> {
        if asked > limit.spec().cap {
            return Err(AboveCap { limit, asked });
        }
        self.0.set(limit, asked);
        Ok(self)
    }

    /// Replaces the limit of this name, `"memory_bytes"`.
    pub fn set_by_name(&mut self, name: &str, value: u64) -> Result<(), LimitError> {
        let limit = Limit::from_name(name).ok_or_else(|| LimitError::Unknown { name: name.to_owned() })?;
        *self = self.with(limit, value)?;
        Ok(())
    }

    /// Grants `limit` no more than `at_most`.
    pub fn lower(&mut self, limit: Limit, at_most: u64) {
        self.0.set(limit, self.get(limit).min(at_most));
    }

    /// These limits, each no more than its ceiling.
    #[must_use]
    pub fn within(mut self, ceilings: &Self) -> Self {
        for (limit, ceiling) in ceilings.iter() {
            self.lower(limit, ceiling);
        }
        self
    }

    /// Refuses a manifest that asks for more than these ceilings. One that asks for nothing gets the default, within them.
    pub fn check_asked(&self, manifest: &Manifest) -> Result<(), AboveCeilings> {
        let above = |(limit, asked)| {
            let ceiling = self.get(limit);
            (asked > ceiling).then_some(AboveCeiling { limit, asked, ceiling })
        };
        let above: Vec<_> = asked_in(manifest).filter_map(above).collect();
        if above.is_empty() { Ok(()) } else { Err(AboveCeilings(above)) }
    }

    /// The numbers themselves, without what a specimen's length adds.
    pub const fn amounts(&self) -> PerLimit {
        self.0
    }

    /// The granted amount of `limit`.
    pub const fn get(&self, limit: Limit) -> u64 {
        self.0.get(limit)
    }

    /// Every limit with what is granted, in table order.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> {
        self.0.iter()
    }

    /// Fuel for a specimen of this length, never above the cap of [`Limit::Fuel`].
    pub fn fuel_for(&self, specimen_bytes: u64) -> u64 {
        let by_length = FUEL_PER_INPUT_BYTE.saturating_mul(specimen_bytes);
        self.get(Limit::Fuel).saturating_add(by_length).min(Limit::Fuel.spec().cap)
    }

    /// Processor time for a specimen of this length, in milliseconds and never above the cap: its fuel adds whole seconds.
    pub fn deadline_ms(&self, specimen_bytes: u64) -> u64 {
        let fuel_added = self.fuel_for(specimen_bytes).saturating_sub(self.get(Limit::Fuel));
        let added_ms = slowest_ms(fuel_added) / 1_000 * 1_000;
        // A grant above the cap cannot be: what was granted stays.
        self.get(Limit::WallMs).saturating_add(added_ms).min(Limit::WallMs.spec().cap)
    }

    /// Makes sure that the deadline lasts for the fuel on the slowest machine for rules.
    pub fn time_lasts(&self) -> Result<(), TooLittleTime> {
        let (fuel, wall_ms) = (self.get(Limit::Fuel), self.get(Limit::WallMs));
        let needed_ms = slowest_ms(fuel).saturating_add(ROUNDING_MS);
        if wall_ms >= needed_ms {
            return Ok(());
        }
        let fitting = wall_ms.saturating_sub(ROUNDING_MS).saturating_mul(1_000_000_000) / (UNIT_PICOSECONDS * SLOWEST);
        Err(TooLittleTime { fuel, wall_ms, needed_ms, fitting })
    }

    /// The numbers for a specimen of this length: its bytes add fuel, and time for it.
    pub fn for_specimen(&self, specimen_bytes: u64) -> PerLimit {
        let mut numbers = self.0;
        numbers.set(Limit::Fuel, self.fuel_for(specimen_bytes));
        numbers.set(Limit::WallMs, self.deadline_ms(specimen_bytes));
        numbers
    }

    /// sha256 over every limit that can change a verdict of a rule with this manifest, as `name=value\n` lines: not the wall limit,
    /// nor the bytes of recordings where it has none, so that a limit which came later changes no identity from before. Where the
    /// manifest names columns, which a component beside it says nothing of, they follow: rows that do not fit end a run.
    pub fn digest(&self, manifest: &Manifest) -> [u8; 32] {
        let mut hash = Sha256::new();
        let records = manifest.capabilities.iter().any(|capability| records(*capability));
        let decides = |limit| limit != Limit::WallMs && (limit != Limit::RecordBytes || records);
        for (limit, granted) in self.iter().filter(|(limit, _)| decides(*limit)) {
            hash.update(format!("{limit}={granted}\n"));
        }
        for output in &manifest.outputs {
            for column in &output.columns {
                let field = column.field();
                hash.update(format!(
                    "{}/{field:?}={}{}\n",
                    output.name,
                    column.kind,
                    if column.nullable { "?" } else { "" }
                ));
            }
        }
        hash.finalize().into()
    }
}
