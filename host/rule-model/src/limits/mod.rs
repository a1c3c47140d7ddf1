//! Limits of a rule: the table, and the grants of a run.

mod ceilings;
mod granted;
mod table;

pub use self::{
    ceilings::{AboveCeiling, AboveCeilings},
    granted::{FUEL_PER_INPUT_BYTE, LimitError, Limits, TooLittleTime, UNIT_PICOSECONDS, WALL_MS_WITH_EVM},
    table::{AboveCap, AboveCaps, LIMITS, Limit, LimitSpec, PerLimit},
};

#[cfg(test)]
mod tests;
