//! The rules that one worker serves: one rule of a stranger, or several that came with this program.
//!
//! A rule that took over its worker can lie about every rule that the worker serves, and read what it holds. So a stranger's rule is alone.
//! Rules of this program are one author's, and what the worker holds for them is the execution of a block, which all of them ask for.

use std::sync::Arc;

use alloy_primitives::B256;
use refiner_rule_model::{Limit, Limits};

use crate::{CompiledRule, confinement::Ceilings, protocol::RULES_MAX};

/// Memory of a worker beside what the limits cover: engine, EVM, allocator, stack.
const HOST_BYTES: u64 = 1 << 30;
/// Processor time of a worker's life: far beyond what its runs may take, for one that is no longer watched.
const CPU_SECONDS: u64 = 7 * 24 * 3_600;
/// Largest anonymous file: the initial memory of a component of the largest size, twice over.
const FILE_BYTES: u64 = 128 << 20;

/// A rule, and the limits that its runs are granted.
type Member = (Arc<CompiledRule>, Limits);

/// Rules that one worker serves.
#[derive(Clone)]
pub(super) struct Team {
    members: Arc<[Member]>,
}

impl Team {
    /// Rules that share workers, none yet.
    pub(super) fn empty() -> Self {
        Self { members: Arc::new([]) }
    }

    /// A worker's only rule.
    pub(super) fn of_one(rule: Arc<CompiledRule>, limits: Limits) -> Self {
        Self { members: Arc::new([(rule, limits)]) }
    }

    /// The same with one more rule of this program. A rule of another origin changes nothing.
    pub(super) fn joined_by(&self, rule: &Arc<CompiledRule>, limits: Limits) -> Self {
        if !rule.is_of_this_program()
            || self.number(rule.digest(), &limits).is_some()
            || self.members.len() >= RULES_MAX
        {
            return self.clone();
        }
        // Other limits of a rule take the place of those before.
        let others = self.members.iter().filter(|(other, _)| other.digest() != rule.digest()).cloned();
        Self { members: others.chain([(Arc::clone(rule), limits)]).collect() }
    }

    /// The number by which runs name the rule with these limits.
    pub(super) fn number(&self, rule: B256, limits: &Limits) -> Option<usize> {
        self.members.iter().position(|(member, granted)| member.digest() == rule && granted == limits)
    }

    /// The rules, by their numbers.
    pub(super) fn rules(&self) -> impl ExactSizeIterator<Item = &CompiledRule> {
        self.members.iter().map(|(rule, _)| &**rule)
    }

    /// True for several rules: then their worker holds the execution of its last block.
    pub(super) fn is_shared(&self) -> bool {
        self.members.len() > 1
    }

    /// True when a worker of the other rules serves these in the same way.
    pub(super) fn is(&self, other: &Self) -> bool {
        let named =
            |team: &Self| team.members.iter().map(|(rule, limits)| (rule.digest(), *limits)).collect::<Vec<_>>();
        Arc::ptr_eq(&self.members, &other.members) || named(self) == named(other)
    }

    /// Resources of the worker: what the largest run of any rule may take, the code of all, and what is held for the next run.
    pub(super) fn ceilings(&self) -> Ceilings {
        let bytes = self.rules().map(CompiledRule::bytes).fold(0, u64::saturating_add);
        let of_runs = self.members.iter().map(|(_, limits)| ceilings(limits, bytes));
        let held = if self.is_shared() { self.held_bytes() } else { 0 };
        of_runs.reduce(|one, other| if one.data_bytes < other.data_bytes { other } else { one }).map_or_else(
            || ceilings(&Limits::default(), bytes),
            |largest| Ceilings { data_bytes: largest.data_bytes.saturating_add(held), ..largest },
        )
    }

    /// Bytes of a specimen beside the next one, and of recordings of all kinds beside those that a reader has made again.
    fn held_bytes(&self) -> u64 {
        let most = |limit| self.members.iter().map(|(_, limits)| limits.get(limit)).max().unwrap_or_default();
        most(Limit::SpecimenBytes).saturating_add(most(Limit::RecordBytes).saturating_mul(2))
    }
}

/// Sizes a worker by what its runs are granted and by the bytes of its rule, component and code.
pub(crate) fn ceilings(limits: &Limits, rule_bytes: u64) -> Ceilings {
    let data = [
        (Limit::MemoryBytes, 1),
        // As bytes, and decoded.
        (Limit::SpecimenBytes, 4),
        // While a vector grows there are two.
        (Limit::OutputBytes, 2),
        (Limit::CallBytes, 4),
        // Calls and differences of state, or one of them again.
        (Limit::RecordBytes, 2),
    ];
    let data_bytes = data
        .into_iter()
        .map(|(limit, times)| limits.get(limit).saturating_mul(times))
        .chain([rule_bytes.saturating_mul(2), HOST_BYTES])
        .fold(0, u64::saturating_add);
    Ceilings { data_bytes, address_bytes: None, cpu_seconds: CPU_SECONDS, file_bytes: FILE_BYTES }
}
