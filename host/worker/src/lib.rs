//! Runs rules and compiles them in child processes that hold no key and have no way out.
//!
//! * **Inputs**: components and specimens.
//! * **Outputs**: [`CompiledRule`]s from a [`Compiler`], and from a [`Pool`] for each [`Job`] a [`WorkerRun`] or
//!   the reason for having none ([`Quarantined`]).
//! * **Invariants**: no code of a rule in the calling process; no key, environment variable, open file, socket or
//!   capability in the process that runs it.
//!
//! Three processes: the caller is the *supervisor*, a *worker* runs one rule over many specimens, a *compiler* compiles one
//! component. The last two are this program again, started as `PROGRAM worker` and `PROGRAM compile-rule`, whose `main` calls
//! [`child_main`] before anything else. Their messages are documented in `protocol`.

mod allowance;
mod child;
mod clock;
mod compile;
mod confine;
#[doc(hidden)]
pub mod fuzz;
mod pool;
mod probe;
mod process;
mod protocol;
mod remote;
mod standard;
mod trace;

pub use child::{COMPILE_ARGUMENT, WORKER_ARGUMENT, child_main, serve_child};
pub use clock::processor_time;
pub use compile::{CacheError, CodeCache, CompileError, CompileLimits, CompiledRule, Compiler};
pub use confine::{Ceilings, ConfineError, Confinement, Measure, Outcome, Requirement, Unconfined};
pub use pool::{
    Executes, FailureBlame, Job, Pool, PoolConfig, PoolError, Quarantined, TRIES_MAX, WorkerFailure, WorkerRun,
    WorkerStatus,
};
pub use probe::{ProbeError, probe};
pub use process::{ChildCommand, ChildProgram, ProcessEnd};
pub use protocol::ProtocolError;
pub use trace::{Phase, TraceContext, WorkerSpan};

/// Most compiled code taken from a compiler or a cache. The largest component allowed compiles to about a quarter of it.
pub const CODE_BYTES_MAX: u64 = 512 << 20;
