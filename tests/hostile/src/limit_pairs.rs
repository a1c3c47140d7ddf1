//! The way in which each limit of a rule is tested just under and just over: the sandbox's tests and the worker's both play every row.

use refiner_rule_model::Limit;

/// Two runs of one rule, of which the second has one unit less.
#[derive(Clone, Copy, Debug)]
pub enum Pair {
    /// A run with what it uses is produced, and with one less ends with this kind of verdict.
    Ends(&'static str),
    /// A component as large as is allowed is admitted, and with one byte less allowed it is refused.
    Refused,
    /// A log with room for a line keeps it, and with one unit less loses or cuts it; the run is produced all the same.
    Loses {
        /// Units that a line of five letters takes.
        line: u64,
    },
    /// A run has its verdict within its time, and within a fraction of it none: a failure of the host.
    Deadline,
}

/// The pair of a limit. A limit that is new has none and does not compile.
pub const fn pair(limit: Limit) -> Pair {
    match limit {
        Limit::ComponentBytes => Pair::Refused,
        Limit::Fuel => Pair::Ends("out-of-fuel"),
        Limit::MemoryBytes => Pair::Ends("out-of-memory"),
        Limit::SpecimenBytes
        | Limit::Calls
        | Limit::CallBytes
        | Limit::CopiedBytes
        | Limit::Artifacts
        | Limit::OutputBytes
        | Limit::EvmExecutions
        | Limit::RecordBytes => Pair::Ends("over-budget"),
        Limit::WallMs => Pair::Deadline,
        Limit::LogLines => Pair::Loses { line: 1 },
        Limit::LogBytes => Pair::Loses { line: 5 },
    }
}

/// Asks for contract code a thousand times, which passes the budget like every call.
pub const ASKS_FOR_CODE: &str = r#"
(import "refiner:rule/specimen" "[method]block-specimen.code" (func $code (param i32 i64 i64 i64 i64 i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $round i32)
  (loop $again
    (call $code (local.get 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i32.const 512))
    (local.set $round (i32.add (local.get $round) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $round) (i32.const 1000))))
  (call $ok (local.get 0) (i64.const 1)))"#;
/// The number of its calls.
pub const CODE_CALLS: u64 = 1_000;

/// Spins until its fuel is gone.
pub const SPINS: &str =
    r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) (loop $again (br $again)) unreachable)"#;
