//! A proof chain of our own on anvil, and a proxy that makes its RPC misbehave.
//!
//! * **Inputs**: none; [`TestChain::start`] finds or installs anvil and deploys `tests/proofchain`.
//! * **Outputs**: a chain for each test, on a free port, gone with its value.
//! * **Invariants**: does not use the program's own bindings, for which it is the oracle.

mod anvil;
mod artifact;
mod chain;
mod contracts;
mod debian;
mod error;
mod faulty;
mod install;
mod setup;

pub use anvil::Anvil;
pub use artifact::{Artifact, BLOCK_RESULT_PROOF_CHAIN, BLOCK_SPECIMEN_PROOF_CHAIN};
pub use chain::{Mined, Specimen, TestChain};
pub use contracts::{
    GOVERNOR, OPERATOR, OPERATOR_KEY, OPERATOR_KEYSTORE, PRODUCER, STAKING_MANAGER, STRANGER, STRANGER_KEY,
};
pub use debian::{docker_registry, of_prometheus};
pub use error::TestChainError;
pub use faulty::{
    AlreadyImported, Behaviour, Blooms, Fault, FaultyRpc, Lagging, LateLogs, LimitedRange, Meets, Met, NoLogsByHash,
    OtherChain, OtherReceipts, Out, Outage, PoolWords, Provider, Pruned, Question, Request, Stale, Swapped, TRIAL,
    quantity,
};
pub use install::{anvil, ipfs_car, solc};
pub use setup::Setup;
