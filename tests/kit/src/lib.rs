//! Builds sample specimens of our own, finds the real ones, and plays the network's pinner and evm-server and an HTTP
//! proxy.
//!
//! * **Inputs**: fixed names, from which keys, contracts and chains follow.
//! * **Outputs**: specimens with true headers and receipts, executed on revm without any of `refiner-evm`, so that
//!   the program can be checked against them; [`pinner`], [`evm_server`] and [`proxy`], servers on loopback with faults on
//!   command.
//! * **Invariants**: no other network, clock or randomness.

mod assembler;
pub mod case;
mod chain;
pub mod container_engine;
mod contract;
mod error;
pub mod evm_server;
mod execute;
mod export;
mod files;
pub mod folder;
mod fork;
pub mod golden;
pub mod heading;
mod key;
pub mod producer;
pub mod real;
mod recorder;
pub mod renumber;
pub mod rpc;
mod sample;
mod scenario;
mod transaction;
mod world;

pub use assembler::{Assembler, deploying};
pub use chain::{BlockPlan, Chain, SealedBlock, receipts_root, requests_hash};
pub use contract::{Contract, DEPOSIT_CONTRACT, DEPOSIT_EVENT, TRANSFER, TRANSFER_BATCH, TRANSFER_SINGLE};
pub use error::KitError;
pub use execute::{Outcome, Receipt, execute};
pub use export::{Manner, export};
pub use files::{SpecimenFile, best_available, sample_files, samples, samples_dir, workspace, write_samples};
pub use fork::Fork;
pub use key::Key;
pub use recorder::{Missing, Recorder};
pub use refiner_loopback::{pinner, proxy, unused_address};
pub use sample::{DEVNET, MAINNET, Sample, crowds, devnet_config, large, samples as make_samples};
pub use transaction::{Delegation, Envelope, Form, Offer, Plan, Signed};
pub use world::{Account, World};
