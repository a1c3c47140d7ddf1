// SPDX-License-Identifier: Apache-2.0
// The calls that set a proof chain up and use it, read by `host/devnet` and `tests/chain`.

function setNthBlock(uint64 chainId, uint64 n);
function setMaxSubmissionsPerBlockHeight(uint64 chainId, uint64 most);
function setChainSyncData(uint64 chainId, uint256 blockOnTargetChain, uint256 blockOnCurrentChain, uint256 secondsPerBlock);
function setSecondsPerBlockCurrentChain(uint64 secondsPerBlock);
function setBlockHeightSubmissionsThreshold(uint64 chainId, uint64 threshold);
function setQuorumThreshold(uint256 quorum);
function setMinSubmissionsRequired(uint64 least);
function setBlockSpecimenSessionDuration(uint64 blocks);
function setBlockResultSessionDuration(uint64 blocks);
function addBSPOperator(address operator, uint128 validatorId);
function addBRPOperator(address operator, uint128 validatorId);
function removeBRPOperator(address operator);
function enableValidator(uint128 validatorId);
function disableValidator(uint128 validatorId);
function submitBlockSpecimenProof(
    uint64 chainId, uint64 blockHeight, bytes32 blockHash, bytes32 specimenHash, string storageURL
);
function submitBlockResultProof(
    uint64 chainId, uint64 blockHeight, bytes32 blockSpecimenHash, bytes32 resultHash, string storageURL
);
function finalizeSpecimenSession(uint64 chainId, uint64 blockHeight);
function finalizeResultSession(uint64 chainId, uint64 blockHeight);
