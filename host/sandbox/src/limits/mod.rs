//! What a rule may use up: the table, and what a run is granted of it.

mod granted;
mod table;

pub use self::{
    granted::{FUEL_PER_INPUT_BYTE, LimitError, Limits, WALL_MS_WITH_EVM},
    table::{AboveCap, LIMITS, Limit, LimitSpec, PerLimit},
};
