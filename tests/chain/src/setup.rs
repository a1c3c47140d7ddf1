//! Setup of the contracts by their governor.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;

use crate::{
    TestChain, TestChainError,
    chain::STANDS_STILL,
    contracts::{
        GOVERNOR, OPERATOR, OPERATOR_VALIDATOR, PRODUCER, PRODUCER_VALIDATOR, STAKING_MANAGER, addBRPOperatorCall,
        addBSPOperatorCall, enableValidatorCall, setBlockHeightSubmissionsThresholdCall,
        setBlockResultSessionDurationCall, setBlockSpecimenSessionDurationCall, setChainSyncDataCall,
        setMaxSubmissionsPerBlockHeightCall, setMinSubmissionsRequiredCall, setNthBlockCall, setQuorumThresholdCall,
        setSecondsPerBlockCurrentChainCall,
    },
};

/// Settings that the governor makes on both contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Source chains that the contracts know.
    pub source_chains: Vec<u64>,
    /// Heights must be multiples of this.
    pub nth_block: u64,
    /// Submissions that an operator may make for one height, 1 to 3.
    pub max_submissions: u64,
    /// The height that the contracts believe the source chains are at; `None` leaves it unset.
    pub source_height: Option<u64>,
    /// Heights may be half of this away from it.
    pub threshold: u64,
    /// Seconds that the contracts believe are between two blocks of the source chains; 6 are between their own.
    pub source_block_seconds: u64,
    /// Blocks for which a session stays open.
    pub session_blocks: u64,
}

impl Default for Setup {
    /// Takes every height up to 40 million of chains 1 and 1337, for the source chains stand still; a specimen session
    /// lasts one block, and a result session 100,000.
    fn default() -> Self {
        Self {
            source_chains: vec![1, 1337],
            nth_block: 1,
            max_submissions: 1,
            source_height: Some(20_000_000),
            threshold: 40_000_000,
            source_block_seconds: STANDS_STILL,
            session_blocks: 100_000,
        }
    }
}

/// Blocks for which a specimen session stays open: announcing takes no longer than it must.
pub(crate) const SPECIMEN_SESSION_BLOCKS: u64 = 1;
/// Seconds that the contracts believe are between two blocks of their own.
const OWN_BLOCK_SECONDS: u64 = 6;

impl Setup {
    pub(crate) async fn apply(&self, chain: &TestChain) -> Result<(), TestChainError> {
        let (bsp, brp) = (chain.specimen_contract(), chain.result_contract());
        for contract in [bsp, brp] {
            self.govern(chain, contract).await?;
        }
        let specimen_session = setBlockSpecimenSessionDurationCall { blocks: SPECIMEN_SESSION_BLOCKS };
        chain.call(GOVERNOR, bsp, &specimen_session).await?;
        chain.call(GOVERNOR, brp, &setBlockResultSessionDurationCall { blocks: self.session_blocks }).await?;
        let producer = addBSPOperatorCall { operator: PRODUCER, validatorId: PRODUCER_VALIDATOR };
        chain.call(GOVERNOR, bsp, &producer).await?;
        let operator = addBRPOperatorCall { operator: OPERATOR, validatorId: OPERATOR_VALIDATOR };
        chain.call(GOVERNOR, brp, &operator).await?;
        chain.call(STAKING_MANAGER, bsp, &enableValidatorCall { validatorId: PRODUCER_VALIDATOR }).await?;
        chain.call(STAKING_MANAGER, brp, &enableValidatorCall { validatorId: OPERATOR_VALIDATOR }).await?;
        Ok(())
    }

    async fn govern(&self, chain: &TestChain, contract: Address) -> Result<(), TestChainError> {
        let mut calls = Vec::new();
        for &id in &self.source_chains {
            calls.push(setNthBlockCall { chainId: id, n: self.nth_block }.abi_encode());
            let most = self.max_submissions;
            calls.push(setMaxSubmissionsPerBlockHeightCall { chainId: id, most }.abi_encode());
            if let Some(height) = self.source_height {
                calls.push(
                    setChainSyncDataCall {
                        chainId: id,
                        blockOnTargetChain: U256::from(height),
                        blockOnCurrentChain: U256::ZERO,
                        secondsPerBlock: U256::from(self.source_block_seconds),
                    }
                    .abi_encode(),
                );
            }
            let threshold = self.threshold;
            calls.push(setBlockHeightSubmissionsThresholdCall { chainId: id, threshold }.abi_encode());
        }
        calls.push(setSecondsPerBlockCurrentChainCall { secondsPerBlock: OWN_BLOCK_SECONDS }.abi_encode());
        calls.push(setQuorumThresholdCall { quorum: U256::from(500_000_000_000_000_000_u64) }.abi_encode());
        calls.push(setMinSubmissionsRequiredCall { least: 1 }.abi_encode());
        for calldata in calls {
            chain.transact(GOVERNOR, contract, calldata.into()).await?;
        }
        Ok(())
    }
}
