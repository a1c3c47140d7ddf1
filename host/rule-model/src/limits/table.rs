//! Everything a rule may use up, in one table: name, default, cap and reason.

use std::fmt;

use refiner_manifest::{LIMIT_NAMES, OUTPUTS_MAX};

/// A million, for limits that count.
const MILLION: u64 = 1_000_000;
/// 1,024 bytes.
const KIB: u64 = 1 << 10;
/// 1,024 KiB.
const MIB: u64 = 1 << 20;

/// Something a rule may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Limit {
    /// Bytes of the component.
    ComponentBytes,
    /// Bytes of the specimen.
    SpecimenBytes,
    /// Linear memories and tables, summed over the run.
    MemoryBytes,
    /// Units of fuel, before what the specimen's length adds.
    Fuel,
    /// Processor time of the thread of a run, and before a specimen's length adds to it. Never part of a verdict.
    WallMs,
    /// Calls from the guest to the host.
    Calls,
    /// Bytes copied across the boundary in one call.
    CallBytes,
    /// Bytes copied across the boundary, summed over the run.
    CopiedBytes,
    /// Log lines kept. More are lost and counted: the log is no part of the output, so it decides no verdict.
    LogLines,
    /// Log bytes kept. A line that does not fit is cut, which counts as lost.
    LogBytes,
    /// Artifacts opened. A manifest that lists more outputs than the default gets as many as it lists.
    Artifacts,
    /// Bytes written to artifacts, summed.
    OutputBytes,
    /// Executions of the block.
    EvmExecutions,
    /// Bytes of the recordings that are read, by a formula.
    RecordBytes,
}

/// One limit's row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSpec {
    /// The limit that it describes.
    pub limit: Limit,
    /// Its name in `rule.toml`, logs and messages, unit last.
    pub name: &'static str,
    /// Granted to a rule that asks for nothing.
    pub default: u64,
    /// The most that can be granted.
    pub cap: u64,
    /// The attack that it stops.
    pub why: &'static str,
}

/// Every limit, in the order of [`Limit`].
pub const LIMITS: [LimitSpec; Limit::COUNT] = [
    spec(Limit::ComponentBytes, 8 * MIB, 32 * MIB, "the work of compiling grows with the component"),
    spec(Limit::SpecimenBytes, 64 * MIB, 256 * MIB, "the largest specimen seen has 6 MB"),
    spec(Limit::MemoryBytes, 256 * MIB, 1024 * MIB, "one rule must not starve the others"),
    spec(Limit::Fuel, 2_000 * MILLION, 50_000 * MILLION, "loops, also in a start function"),
    spec(
        Limit::WallMs,
        30_000,
        600_000,
        "processor time that fuel does not see, such as the execution of the block; fuel itself takes half of it at most",
    ),
    spec(Limit::Calls, MILLION, 10 * MILLION, "9.5 million calls a second pass every engine setting"),
    spec(Limit::CallBytes, 4 * MIB, 64 * MIB, "one call could copy a memory full of text"),
    spec(Limit::CopiedBytes, 4096 * MIB, 32_768 * MIB, "many small copies cost what one large does"),
    spec(Limit::LogLines, 1_000, 10_000, "those who read them; a line too many is lost and ends no run"),
    spec(Limit::LogBytes, 256 * KIB, 4 * MIB, "those who store them; what is too long is cut and ends no run"),
    spec(Limit::Artifacts, 8, OUTPUTS_MAX as u64, "each is hashed, pinned and announced"),
    spec(Limit::OutputBytes, 64 * MIB, 512 * MIB, "artifacts are held in memory until they are kept"),
    spec(Limit::EvmExecutions, 1, 4, "each costs what the block cost its chain"),
    spec(Limit::RecordBytes, 256 * MIB, 4096 * MIB, "the calls of a block can name half a terabyte of input"),
];

const fn spec(limit: Limit, default: u64, cap: u64, why: &'static str) -> LimitSpec {
    LimitSpec { limit, name: LIMIT_NAMES[limit as usize], default, cap, why }
}

impl Limit {
    /// Number of limits in the table.
    pub const COUNT: usize = LIMIT_NAMES.len();

    /// Its line in the table.
    pub const fn spec(self) -> &'static LimitSpec {
        &LIMITS[self as usize]
    }

    /// The limit with this name, `"memory_bytes"`.
    pub fn from_name(name: &str) -> Option<Self> {
        LIMITS.iter().find(|spec| spec.name == name).map(|spec| spec.limit)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}

/// A rule asked for more of something than there is to grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{asked} asked for as {limit}, and at most {} can be granted", .limit.spec().cap)]
pub struct AboveCap {
    /// Of what.
    pub limit: Limit,
    /// The amount that was asked for.
    pub asked: u64,
}

/// Every limit of which a manifest asks for more than there is to grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", listed(.0))]
pub struct AboveCaps(pub Vec<AboveCap>);

/// Errors of one kind in a sentence.
pub(super) fn listed(errors: &[impl fmt::Display]) -> String {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

/// One number for each limit: what is granted, or what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PerLimit([u64; Limit::COUNT]);

impl PerLimit {
    /// Nothing of anything.
    pub const ZERO: Self = Self([0; Limit::COUNT]);

    /// The number for `limit`.
    pub const fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize]
    }

    /// Sets the number for `limit`.
    pub const fn set(&mut self, limit: Limit, value: u64) {
        self.0[limit as usize] = value;
    }

    /// Every limit with its number, in table order.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> {
        LIMITS.iter().map(|spec| (spec.limit, self.get(spec.limit)))
    }
}
