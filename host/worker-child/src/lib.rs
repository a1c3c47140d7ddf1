//! The children of the worker pool: a worker, which runs one rule, or those of this program, over many specimens, and a compiler, which compiles one component.
//!
//! * **Inputs**: on standard input the messages of a supervisor ([`refiner_worker::protocol`]).
//! * **Outputs**: on standard output the answers, within what was granted.
//! * **Invariants**: a child confines itself ([`Confined`]) before it reads anything of a stranger's, and has no key, environment variable,
//!   open file, socket or capability. The supervisor does not link this crate, nor the engine that comes with it.
//!
//! A program is its own child: its `main` looks at the first argument before it does anything else.
//!
//! ```
//! use std::process::ExitCode;
//!
//! use refiner_worker::{COMPILE_ARGUMENT, WORKER_ARGUMENT};
//!
//! fn main() -> ExitCode {
//!     match std::env::args_os().nth(1) {
//!         Some(argument) if argument == WORKER_ARGUMENT || argument == COMPILE_ARGUMENT => {
//!             refiner_worker_child::child_main()
//!         }
//!         _ => ExitCode::SUCCESS,
//!     }
//! }
//! ```

mod child;
mod confine;
mod recorder;
mod remote;
mod rules;
mod standard;

pub use child::{child_main, serve_child};
pub use confine::{ConfineError, Confined};
