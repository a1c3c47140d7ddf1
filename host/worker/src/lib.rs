//! Runs rules and compiles them in child processes that hold no key and have no way out: the supervisor's side.
//!
//! * **Inputs**: components and specimens.
//! * **Outputs**: [`CompiledRule`]s from a [`Compiler`], and from a [`Pool`] for each [`Job`] a [`WorkerRun`] or
//!   the reason for having none ([`Quarantined`]).
//! * **Invariants**: no code of a rule and no engine in the calling process; no child is believed more than [`protocol`] states.
//!
//! Three processes: the caller is the *supervisor*, a *worker* runs one rule over many specimens, a *compiler* compiles one
//! component. The last two are this program again, started as `PROGRAM worker` and `PROGRAM compile-rule`, whose `main` calls
//! `refiner_worker_child::child_main` before anything else.
//!
//! ```
//! use refiner_worker::{Pool, PoolConfig, PoolError};
//!
//! // No process is started before there is a job.
//! let pool = Pool::new(PoolConfig::new(2))?;
//! assert!(pool.workers().is_empty());
//! assert!(matches!(Pool::new(PoolConfig::new(0)), Err(PoolError::NoWorkers)));
//! # Ok::<(), PoolError>(())
//! ```

mod allowance;
mod clock;
mod compile;
mod confinement;
#[doc(hidden)]
pub mod fuzz;
mod pool;
mod probe;
mod process;
pub mod protocol;
mod trace;

pub use clock::processor_time;
pub use compile::{CacheError, CodeCache, CodeKey, CompileError, CompileLimits, CompiledRule, Compiler};
pub use confinement::{Ceilings, Confinement, Measure, Outcome, Requirement, Unconfined};
pub use pool::{
    Executes, FailureBlame, Job, Pool, PoolConfig, PoolError, Quarantined, TRIES_MAX, WorkerFailure, WorkerRun,
    WorkerStatus,
};
pub use probe::{ProbeError, probe};
pub use process::{ChildCommand, ChildProgram, ProcessEnd};
pub use protocol::ProtocolError;
pub use trace::{Phase, SPANS_MAX, TraceContext, WorkerSpan};

/// The argument that makes the program a worker.
pub const WORKER_ARGUMENT: &str = "worker";
/// The argument that makes the program a compiler.
pub const COMPILE_ARGUMENT: &str = "compile-rule";

/// Most compiled code taken from a compiler or a cache. The largest component allowed compiles to about a quarter of it.
pub const CODE_BYTES_MAX: u64 = 512 << 20;
