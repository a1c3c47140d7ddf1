//! The settings of the daemon, in the types that it works with.

mod settings;
mod shown;

pub use self::{
    settings::{Key, Nodes, QueueTerms, Settings, network, nodes, resolve, rpc},
    shown::{Shown, given, shown},
};
