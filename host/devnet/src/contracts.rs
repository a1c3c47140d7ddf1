//! The two contracts of the proof chain, as solc made them of `tests/proofchain/ProofChain.sol`, and their setup.
#![allow(missing_docs, reason = "the macro documents what it makes of the contracts' own names")]

use alloy_primitives::{Address, Bytes, U256, address};
use alloy_sol_types::{SolCall, SolValue};
use serde_json::Value;

use self::calls::{
    addBRPOperatorCall, addBSPOperatorCall, enableValidatorCall, finalizeSpecimenSessionCall,
    setBlockHeightSubmissionsThresholdCall, setBlockResultSessionDurationCall, setBlockSpecimenSessionDurationCall,
    setChainSyncDataCall, setMaxSubmissionsPerBlockHeightCall, setMinSubmissionsRequiredCall, setNthBlockCall,
    setQuorumThresholdCall, setSecondsPerBlockCurrentChainCall, submitBlockSpecimenProofCall,
};
use crate::{error::DevnetError, node::Node};

/// Generated and committed; `node tests/proofchain/build.mjs --check` compares it with what solc makes.
const COMPILED: &str = include_str!("../../../tests/proofchain/ProofChain.json");

/// The first accounts of every anvil: the governor of the contracts, the one who enables validators, and a producer of specimens.
const GOVERNOR: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
const STAKING_MANAGER: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
const PRODUCER: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
/// Proves results, as validator 2: anvil's fourth account.
pub const OPERATOR: Address = address!("90F79bf6EB2c4f870365E785982E1f101E93b906");
/// The operator's key, which every anvil has and everybody knows.
pub const OPERATOR_KEY: &str = "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6";

const SOURCE_CHAIN: u64 = 1;
const PRODUCER_VALIDATOR: u128 = 1;
const OPERATOR_VALIDATOR: u128 = 2;
/// The height that the contracts believe mainnet is at; heights that differ by half of the threshold are taken.
const SOURCE_HEIGHT: u64 = 20_000_000;
const THRESHOLD: u64 = 40_000_000;
/// Seconds that the contracts believe are between two blocks of mainnet: it stands still.
const SOURCE_BLOCK_SECONDS: u64 = 6_000_000;
/// Blocks for which sessions stay open.
pub const SPECIMEN_SESSION: u64 = 1;
const RESULT_SESSION: u64 = 30;
/// A half of 10¹⁸.
const QUORUM: u64 = 500_000_000_000_000_000;

mod calls {
    alloy_sol_types::sol!("../../tests/proofchain/Calls.sol");
}

/// Addresses of the contracts.
#[derive(Clone, Copy, Debug)]
pub struct Contracts {
    pub specimens: Address,
    pub results: Address,
}

/// Puts both contracts on the chain and sets them up for one producer and one operator.
pub async fn deploy(node: &Node) -> Result<Contracts, DevnetError> {
    let specimens = create(node, "BlockSpecimenProofChain").await?;
    let results = create(node, "BlockResultProofChain").await?;
    for contract in [specimens, results] {
        for call in governing() {
            node.transact(GOVERNOR, Some(contract), call).await?;
        }
    }
    let calls = [
        (GOVERNOR, specimens, setBlockSpecimenSessionDurationCall { blocks: SPECIMEN_SESSION }.abi_encode()),
        (GOVERNOR, results, setBlockResultSessionDurationCall { blocks: RESULT_SESSION }.abi_encode()),
        (GOVERNOR, specimens, addBSPOperatorCall { operator: PRODUCER, validatorId: PRODUCER_VALIDATOR }.abi_encode()),
        (GOVERNOR, results, addBRPOperatorCall { operator: OPERATOR, validatorId: OPERATOR_VALIDATOR }.abi_encode()),
        (STAKING_MANAGER, specimens, enableValidatorCall { validatorId: PRODUCER_VALIDATOR }.abi_encode()),
        (STAKING_MANAGER, results, enableValidatorCall { validatorId: OPERATOR_VALIDATOR }.abi_encode()),
    ];
    for (from, to, call) in calls {
        node.transact(from, Some(to), call.into()).await?;
    }
    Ok(Contracts { specimens, results })
}

async fn create(node: &Node, name: &'static str) -> Result<Address, DevnetError> {
    let code = creation_code(name).ok_or(DevnetError::Contract(name))?;
    let receipt = node.transact(GOVERNOR, None, code).await?;
    let address = receipt["contractAddress"].as_str().and_then(|address| address.parse().ok());
    address.ok_or(DevnetError::Setup { receipt })
}

fn creation_code(name: &str) -> Option<Bytes> {
    let compiled: Value = serde_json::from_str(COMPILED).ok()?;
    let code: Bytes = compiled[name]["bytecode"].as_str()?.parse().ok()?;
    Some([code.as_ref(), &(GOVERNOR, STAKING_MANAGER).abi_encode()].concat().into())
}

fn governing() -> Vec<Bytes> {
    let sync = setChainSyncDataCall {
        chainId: SOURCE_CHAIN,
        blockOnTargetChain: U256::from(SOURCE_HEIGHT),
        blockOnCurrentChain: U256::ZERO,
        secondsPerBlock: U256::from(SOURCE_BLOCK_SECONDS),
    };
    let threshold = setBlockHeightSubmissionsThresholdCall { chainId: SOURCE_CHAIN, threshold: THRESHOLD };
    vec![
        setNthBlockCall { chainId: SOURCE_CHAIN, n: 1 }.abi_encode().into(),
        setMaxSubmissionsPerBlockHeightCall { chainId: SOURCE_CHAIN, most: 1 }.abi_encode().into(),
        sync.abi_encode().into(),
        threshold.abi_encode().into(),
        setSecondsPerBlockCurrentChainCall { secondsPerBlock: 1 }.abi_encode().into(),
        setQuorumThresholdCall { quorum: U256::from(QUORUM) }.abi_encode().into(),
        setMinSubmissionsRequiredCall { least: 1 }.abi_encode().into(),
    ]
}

/// A producer's proof of a specimen.
pub async fn prove_specimen(
    node: &Node,
    contracts: &Contracts,
    specimen: &crate::specimens::Announced,
    url: String,
) -> Result<(), DevnetError> {
    let proof = submitBlockSpecimenProofCall {
        chainId: SOURCE_CHAIN,
        blockHeight: specimen.height,
        blockHash: specimen.block_hash,
        specimenHash: specimen.hash,
        storageURL: url,
    };
    node.send(PRODUCER, Some(contracts.specimens), proof.abi_encode().into()).await.map(drop)
}

/// The end of a specimen's session, which announces it.
pub async fn finalize_specimen(node: &Node, contracts: &Contracts, height: u64) -> Result<(), DevnetError> {
    let call = finalizeSpecimenSessionCall { chainId: SOURCE_CHAIN, blockHeight: height };
    node.send(GOVERNOR, Some(contracts.specimens), call.abi_encode().into()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_contracts_are_part_of_the_program() {
        for name in ["BlockSpecimenProofChain", "BlockResultProofChain"] {
            let code = creation_code(name).unwrap();
            assert!(code.len() > 5_000 && code.ends_with(STAKING_MANAGER.as_slice()), "{name}: {}", code.len());
        }
        assert_eq!(creation_code("Another"), None);
    }
}
