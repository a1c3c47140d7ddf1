//! Ceilings: the most of each limit that a manifest may ask for.

use super::{
    granted::Limits,
    table::{Limit, LimitSpec, listed},
};

/// A manifest asks for more of something than the operator allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{asked} asked for as {limit}, and the ceiling is {ceiling}")]
pub struct AboveCeiling {
    /// The limit concerned.
    pub limit: Limit,
    /// The amount that was asked for.
    pub asked: u64,
    /// The ceiling that the operator set, or the default one.
    pub ceiling: u64,
}

/// Every limit of which a manifest asks for more than the operator allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", listed(.0))]
pub struct AboveCeilings(pub Vec<AboveCeiling>);

impl Limits {
    /// The ceilings for a rule that is not built in, where the operator sets none: some times the default, never above the cap.
    pub fn default_ceilings() -> Self {
        Self::of_table(ceiling)
    }
}

/// The default ceiling of a limit. Decision 37 has the reason of each factor.
fn ceiling(spec: &LimitSpec) -> u64 {
    let times_default = match spec.limit {
        // A specimen costs the host four times its length, and the default is ten times the largest one seen.
        Limit::SpecimenBytes => 1,
        Limit::MemoryBytes | Limit::CopiedBytes | Limit::EvmExecutions => 2,
        Limit::WallMs | Limit::CallBytes | Limit::OutputBytes | Limit::RecordBytes => 4,
        Limit::Fuel => 5,
        // Bounded elsewhere: the compiler has limits of its own, calls cost fuel, and the rest is small at its cap.
        Limit::ComponentBytes | Limit::Calls | Limit::LogLines | Limit::LogBytes | Limit::Artifacts => u64::MAX,
    };
    spec.default.saturating_mul(times_default).min(spec.cap)
}
