//! Heights that a session may open for: the contract's live-sync bound.

use alloy_primitives::U256;

use crate::bindings::{ChainData, Metadata};

/// The contract's estimate of the source chain's head, and the distance that a height may have from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSync {
    /// The height it believes the source chain is at.
    pub estimate: u64,
    /// The distance that a height may have from the estimate, both ways.
    pub reach: u64,
}

/// Where a height is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It will never be within again.
    TooOld,
    /// It will be within later.
    TooNew,
    /// A session may open for it now.
    Within,
}

impl LiveSync {
    /// Computes the bound as the contract does, at `block` of the proof chain. `None` where its own arithmetic reverts:
    /// never set, or set to a block of the future.
    pub fn at(block: u64, chain: &ChainData, metadata: &Metadata) -> Option<Self> {
        let passed = U256::from(block).checked_sub(chain.blockOnCurrentChain)?;
        let seconds = passed.checked_mul(metadata.secondsPerBlockCurrentChain)?;
        let blocks = seconds.checked_div(chain.secondsPerBlockTargetChain)?;
        let estimate = u64::try_from(chain.blockOnTargetChain.checked_add(blocks)?).ok()?;
        Some(Self { estimate, reach: u64::try_from(chain.allowedThreshold / 2).ok()? })
    }

    /// Finds the side of the bound on which `height` is.
    pub fn side(&self, height: u64) -> Side {
        if height < self.estimate.saturating_sub(self.reach) {
            Side::TooOld
        } else if height > self.estimate.saturating_add(self.reach) {
            Side::TooNew
        } else {
            Side::Within
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;

    fn data(current: u64, seconds: u64, threshold: u128) -> ChainData {
        ChainData {
            blockOnTargetChain: U256::from(1_000),
            blockOnCurrentChain: U256::from(current),
            secondsPerBlockTargetChain: U256::from(seconds),
            allowedThreshold: threshold,
            maxSubmissionsPerBlockHeight: 1,
            nthBlock: 1,
        }
    }

    fn metadata(seconds: u64) -> Metadata {
        Metadata {
            stakingManager: Address::ZERO,
            rewardAllocation: 0,
            sessionDuration: 1,
            minSubmissionsRequired: 1,
            quorum: U256::ZERO,
            secondsPerBlockCurrentChain: U256::from(seconds),
        }
    }

    #[test]
    fn the_estimate_moves_with_the_proof_chain() {
        let at = |block| LiveSync::at(block, &data(100, 12, 9), &metadata(6));
        assert_eq!(at(100), Some(LiveSync { estimate: 1_000, reach: 4 }));
        assert_eq!(at(101), Some(LiveSync { estimate: 1_000, reach: 4 }));
        assert_eq!(at(102), Some(LiveSync { estimate: 1_001, reach: 4 }));
    }

    #[test]
    fn nothing_is_estimated_where_the_contract_panics() {
        assert_eq!(LiveSync::at(99, &data(100, 12, 9), &metadata(6)), None);
        assert_eq!(LiveSync::at(100, &data(100, 0, 9), &metadata(6)), None);
    }

    #[test]
    fn a_height_is_within_up_to_the_reach_and_not_beyond() {
        let bound = LiveSync { estimate: 1_000, reach: 4 };
        let sides = [995, 996, 1_004, 1_005].map(|height| bound.side(height));
        assert_eq!(sides, [Side::TooOld, Side::Within, Side::Within, Side::TooNew]);
    }
}
