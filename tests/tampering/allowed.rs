//! Places whose change leaves a specimen acceptable, each with the reason.
//!
//! What stands here the README lists as unprovable. An entry that no change needs any more fails the test.

/// A place that nothing in a specimen proves.
pub struct Allowed {
    /// As [`Change::place`](crate::change::Change::place) has it.
    pub place: &'static str,
    /// The reason why no check can cover it.
    pub reason: &'static str,
}

const fn allowed(place: &'static str, reason: &'static str) -> Allowed {
    Allowed { place, reason }
}

const NO_REFERENCE: &str = "nothing that the block hash covers depends on it";
const NOT_NEEDED: &str = "state without which execution comes out the same";
const ORDER: &str = "rows have no order";

/// Of a block of every kind of transaction, executed and compared with its header.
pub const CANONICAL: &[Allowed] = &[
    allowed("codecVersion", "the layout is found by reading, and the stated version is often wrong"),
    allowed("TotalDifficulty", NO_REFERENCE),
    allowed("State/AccountRead/*/Balance", NOT_NEEDED),
    allowed("State/AccountRead/*/Nonce", NOT_NEEDED),
    allowed("State/AccountRead/* swapped", ORDER),
];
