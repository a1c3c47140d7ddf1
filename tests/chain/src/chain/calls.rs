//! Calls to the two contracts: specimens are announced, and operators, sessions and results come and go.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use serde_json::json;

use super::{Mined, STANDS_STILL, Specimen, TestChain};
use crate::{
    TestChainError,
    contracts::{
        GOVERNOR, OPERATOR_VALIDATOR, PRODUCER, STAKING_MANAGER, addBRPOperatorCall, disableValidatorCall,
        enableValidatorCall, finalizeResultSessionCall, finalizeSpecimenSessionCall,
        setBlockHeightSubmissionsThresholdCall, setChainSyncDataCall, setMinSubmissionsRequiredCall,
        submitBlockResultProofCall, submitBlockSpecimenProofCall,
    },
    setup::SPECIMEN_SESSION_BLOCKS,
};

/// The call that announces a specimen's proof.
fn proof_of(specimen: &Specimen) -> submitBlockSpecimenProofCall {
    submitBlockSpecimenProofCall {
        chainId: specimen.chain_id,
        blockHeight: specimen.height,
        blockHash: specimen.block_hash,
        specimenHash: specimen.specimen_hash,
        storageURL: specimen.url.clone(),
    }
}

/// The call that ends a specimen's session.
const fn quorum_of(specimen: &Specimen) -> finalizeSpecimenSessionCall {
    finalizeSpecimenSessionCall { chainId: specimen.chain_id, blockHeight: specimen.height }
}

impl TestChain {
    /// Announces one specimen: proof, end of its session, quorum.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn announce(&self, specimen: &Specimen) -> Result<Mined, TestChainError> {
        Ok(self.announce_all(std::slice::from_ref(specimen)).await?.remove(0))
    }

    /// Announces many specimens: all proofs, one end of all sessions, then a quorum each.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn announce_all(&self, specimens: &[Specimen]) -> Result<Vec<Mined>, TestChainError> {
        for specimen in specimens {
            self.call(PRODUCER, self.specimen_contract, &proof_of(specimen)).await?;
        }
        self.mine(SPECIMEN_SESSION_BLOCKS + 1).await?;
        let mut quorums = Vec::with_capacity(specimens.len());
        for specimen in specimens {
            quorums.push(self.call(GOVERNOR, self.specimen_contract, &quorum_of(specimen)).await?);
        }
        Ok(quorums)
    }

    /// Announces many specimens in three blocks, for load tests: anvil computes its whole state anew for every block, so a
    /// block a transaction takes ever longer. Leaves blocks as large as they must be.
    ///
    /// # Errors
    ///
    /// What the node refuses. That all were announced, the caller sees by what comes of it.
    pub async fn announce_in_bulk(&self, specimens: &[Specimen]) -> Result<(), TestChainError> {
        self.rpc("evm_setBlockGasLimit", json!(["0x2540be400"])).await?;
        self.set_automine(false).await?;
        self.send_proofs(specimens).await?;
        self.mine(SPECIMEN_SESSION_BLOCKS + 2).await?;
        self.send_quorums(specimens).await?;
        self.mine(1).await?;
        self.set_automine(true).await
    }

    /// Sends the proof of each specimen, whether it succeeds or not, and waits for no block.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn send_proofs(&self, specimens: &[Specimen]) -> Result<(), TestChainError> {
        for specimen in specimens {
            self.send(PRODUCER, &proof_of(specimen)).await?;
        }
        Ok(())
    }

    /// Sends the end of each specimen's session, which announces it where its proof is older than the session; waits for no block.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn send_quorums(&self, specimens: &[Specimen]) -> Result<(), TestChainError> {
        for specimen in specimens {
            self.send(GOVERNOR, &quorum_of(specimen)).await?;
        }
        Ok(())
    }

    async fn send<C: SolCall + Sync>(&self, from: Address, call: &C) -> Result<(), TestChainError> {
        let data = Bytes::from(call.abi_encode());
        let transaction = json!({"from": from, "to": self.specimen_contract, "data": data, "gas": "0xf4240"});
        self.rpc("eth_sendTransaction", json!([transaction])).await.map(drop)
    }

    /// Proves a result by an operator whose key anvil holds.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn prove_result(
        &self,
        operator: Address,
        chain_id: u64,
        height: u64,
        specimen_hash: B256,
        result_hash: B256,
    ) -> Result<Mined, TestChainError> {
        let proof = submitBlockResultProofCall {
            chainId: chain_id,
            blockHeight: height,
            blockSpecimenHash: specimen_hash,
            resultHash: result_hash,
            storageURL: "ipfs://of-another-operator".to_owned(),
        };
        self.call(operator, self.result_contract, &proof).await
    }

    /// Sets how many operators a result needs to win.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn require_submissions(&self, least: u64) -> Result<Mined, TestChainError> {
        self.call(GOVERNOR, self.result_contract, &setMinSubmissionsRequiredCall { least }).await
    }

    /// Ends a result session: anybody may, once it is past its deadline.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn finalize_result(&self, chain_id: u64, height: u64) -> Result<Mined, TestChainError> {
        let call = finalizeResultSessionCall { chainId: chain_id, blockHeight: height };
        self.call(GOVERNOR, self.result_contract, &call).await
    }

    /// Enables or disables the operator's validator on the result contract.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn set_operator_enabled(&self, enabled: bool) -> Result<Mined, TestChainError> {
        let validator = OPERATOR_VALIDATOR;
        if enabled {
            self.call(STAKING_MANAGER, self.result_contract, &enableValidatorCall { validatorId: validator }).await
        } else {
            self.call(STAKING_MANAGER, self.result_contract, &disableValidatorCall { validatorId: validator }).await
        }
    }

    /// Makes an account an operator of the result contract, with a validator of its own that is enabled.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn add_operator(&self, operator: Address, validator: u128) -> Result<Mined, TestChainError> {
        let added = addBRPOperatorCall { operator, validatorId: validator };
        self.call(GOVERNOR, self.result_contract, &added).await?;
        self.call(STAKING_MANAGER, self.result_contract, &enableValidatorCall { validatorId: validator }).await
    }

    /// Sets the height at which the result contract believes a source chain to stand still, and how far a height may be from
    /// that, both ways together.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn set_live_sync(&self, chain_id: u64, height: u64, threshold: u64) -> Result<Mined, TestChainError> {
        let sync = setChainSyncDataCall {
            chainId: chain_id,
            blockOnTargetChain: U256::from(height),
            blockOnCurrentChain: U256::ZERO,
            secondsPerBlock: U256::from(STANDS_STILL),
        };
        self.call(GOVERNOR, self.result_contract, &sync).await?;
        let reach = setBlockHeightSubmissionsThresholdCall { chainId: chain_id, threshold };
        self.call(GOVERNOR, self.result_contract, &reach).await
    }
}
