//! `tests/proofchain/ProofChain.json`: what solc made of `ProofChain.sol`.

use std::fs;

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolValue;
use serde_json::Value;

use crate::{TestChainError, install::root};

/// Where producers prove specimens.
pub const BLOCK_SPECIMEN_PROOF_CHAIN: &str = "BlockSpecimenProofChain";
/// Where operators prove results.
pub const BLOCK_RESULT_PROOF_CHAIN: &str = "BlockResultProofChain";

/// A contract as solc compiled it.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Its ABI, as solc writes it.
    pub abi: Value,
    /// Creation code, without arguments.
    pub bytecode: Bytes,
}

impl Artifact {
    /// Reads one of the two contracts.
    ///
    /// # Errors
    ///
    /// [`TestChainError::File`] and [`TestChainError::Artifact`].
    pub fn read(contract: &'static str) -> Result<Self, TestChainError> {
        let path = root().join("tests/proofchain/ProofChain.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(TestChainError::File { path, source }),
        };
        let entry = serde_json::from_str::<Value>(&text).ok().map(|mut all| all[contract].take());
        let parts = entry.and_then(|mut entry| {
            let bytecode = entry["bytecode"].as_str()?.parse().ok()?;
            Some(Self { abi: entry["abi"].take(), bytecode })
        });
        parts.ok_or(TestChainError::Artifact { path, contract })
    }

    /// Creation code, with its two arguments.
    pub(crate) fn creation(&self, governor: Address, staking_manager: Address) -> Bytes {
        let mut code = self.bytecode.to_vec();
        code.extend((governor, staking_manager).abi_encode());
        code.into()
    }
}
