//! The settings of the daemon, in the types that it works with.

mod hosts;
mod settings;
mod shown;

pub use self::{
    hosts::QueueTerms,
    settings::{Key, Nodes, Settings, network, nodes, resolve, rpc},
    shown::{Shown, given, shown},
};
