//! The image and the compose files, with a real container engine and as text.
//!
//! On a machine where no engine can run, the tests that need one print it and pass.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod devnet;
mod files;
mod inside;
mod many_hosts;
mod node;
mod observability;
mod page;
mod small;
mod source;
mod stack;
mod standalone;
mod symptoms;
mod units;

use refiner_testbench::specimens;
use refiner_testkit::container_engine as engine;
