//! The two proof chain contracts, version 1.5, as far as a refiner meets them.
#![allow(
    missing_docs,
    reason = "names and order are the contracts' own, and the macro documents what it makes of them"
)]

use alloy_sol_types::sol;

sol! {
    /// Where a source chain stands on the proof chain's side, per source chain id.
    #[derive(Debug, PartialEq, Eq)]
    struct ChainData {
        uint256 blockOnTargetChain;
        uint256 blockOnCurrentChain;
        uint256 secondsPerBlockTargetChain;
        uint128 allowedThreshold;
        uint128 maxSubmissionsPerBlockHeight;
        uint64 nthBlock;
    }

    /// Settings that hold for all source chains.
    #[derive(Debug, PartialEq, Eq)]
    struct Metadata {
        address stakingManager;
        uint128 rewardAllocation;
        uint64 sessionDuration;
        uint64 minSubmissionsRequired;
        uint256 quorum;
        uint256 secondsPerBlockCurrentChain;
    }

    /// Enough producers agreed on a specimen; emitted by `finalizeSpecimenSession`.
    #[derive(Debug, PartialEq, Eq)]
    event BlockSpecimenQuorum(
        uint64 indexed chainId, uint64 indexed blockHeight, uint256 validatorBitMap, bytes32 indexed blockHash, bytes32 specimenHash
    );

    /// The same before version 1.5.
    #[derive(Debug, PartialEq, Eq)]
    event BlockSpecimenRewardAwarded(
        uint64 indexed chainId, uint64 indexed blockHeight, bytes32 indexed blockhash, bytes32 specimenhash
    );

    /// A producer's proof of a specimen. Nothing is indexed.
    #[derive(Debug, PartialEq, Eq)]
    event BlockSpecimenProductionProofSubmitted(
        uint64 chainId, uint64 blockHeight, bytes32 blockHash, bytes32 specimenHash, string storageURL
    );

    /// Enough operators agreed on a result.
    #[derive(Debug, PartialEq, Eq)]
    event BlockResultQuorum(
        uint64 indexed chainId, uint64 indexed blockHeight, uint256 validatorBitMap, bytes32 indexed blockSpecimenHash, bytes32 resulthash
    );

    /// An operator's proof of a result. Nothing is indexed.
    #[derive(Debug, PartialEq, Eq)]
    event BlockResultProductionProofSubmitted(
        uint64 chainId, uint64 blockHeight, bytes32 blockSpecimenHash, bytes32 resultHash, string storageURL
    );

    /// The first proof of a height opened its session.
    #[derive(Debug, PartialEq, Eq)]
    event SessionStarted(uint64 indexed chainId, uint64 indexed blockHeight, uint64 deadline);

    /// A session ended without a winner.
    #[derive(Debug, PartialEq, Eq)]
    event QuorumNotReached(uint64 indexed chainId, uint64 blockHeight);

    function finalizeResultSession(uint64 chainId, uint64 blockHeight);
    function submitBlockResultProof(
        uint64 chainId, uint64 blockHeight, bytes32 blockSpecimenHash, bytes32 resultHash, string storageURL
    );
    function isSessionOpen(uint64 chainId, uint64 blockHeight, address operator) view returns (bool);
    function getURLS(bytes32 hash) view returns (string[]);
    function isEnabled(address operator) view returns (bool);
    function getChainData(uint64 chainId) view returns (ChainData);
    function getMetadata() view returns (Metadata);
}
