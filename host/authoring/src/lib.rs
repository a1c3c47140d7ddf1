//! From a rule's source to a component: the template, the guest toolchain, the wrapping.
//!
//! Comes in: a directory. Goes out: a rule crate, or a component with its manifest inside. Never here: running a rule.

pub mod command;
pub mod component;
pub mod digest;
pub mod toolchain;
