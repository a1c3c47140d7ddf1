// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.13;

/// A proof chain to test against: selectors, topics, session rules, order of checks and revert strings of the network's
/// contracts, version 1.5. Written from their documented behaviour; it holds no money and must not be deployed for real.
///
/// A session collects, for one height of one source chain, pairs of hashes (subject, product). On the specimen contract
/// a pair is (block hash, specimen hash), on the result contract (specimen hash, result hash).
abstract contract ProofChain {
    struct ChainData {
        uint256 blockOnTargetChain;
        uint256 blockOnCurrentChain;
        uint256 secondsPerBlockTargetChain;
        uint128 allowedThreshold;
        uint128 maxSubmissionsPerBlockHeight;
        uint64 nthBlock;
    }

    struct Metadata {
        address stakingManager;
        uint128 rewardAllocation;
        uint64 sessionDuration;
        uint64 minSubmissionsRequired;
        uint256 quorum;
        uint256 secondsPerBlockCurrentChain;
    }

    struct Pair {
        bytes32 subject;
        bytes32 product;
        uint256 submissions;
        uint256 validators;
    }

    struct Session {
        uint64 deadline;
        bool done;
        uint256 submissions;
        Pair[] pairs;
        mapping(address => uint256) submissionsOf;
        mapping(address => mapping(bytes32 => bool)) submittedFor;
    }

    bytes32 public constant GOVERNANCE_ROLE = keccak256("GOVERNANCE_ROLE");
    bytes32 public constant AUDITOR_ROLE = keccak256("AUDITOR_ROLE");
    uint256 internal constant WHOLE = 1e18;

    mapping(address => bytes32) public operatorRoles;
    mapping(address => uint128) public validatorIDs;
    address[] internal producers;
    address[] internal governors;
    uint256 internal enabledValidators;
    Metadata internal metadata;
    mapping(uint64 => ChainData) internal chains;
    mapping(uint64 => mapping(uint64 => Session)) internal sessions;
    mapping(bytes32 => string[]) internal urls;

    event OperatorAdded(address operator, uint128 validatorId, bytes32 role);
    event OperatorRemoved(address operator, uint128 validatorId, uint128 activeOperatorCount, bytes32 role);
    event ValidatorEnabled(uint128 validatorId);
    event ValidatorDisabled(uint128 validatorId);
    event SessionStarted(uint64 indexed chainId, uint64 indexed blockHeight, uint64 deadline);
    event QuorumNotReached(uint64 indexed chainId, uint64 blockHeight);

    modifier onlyGovernor() {
        require(operatorRoles[msg.sender] == GOVERNANCE_ROLE, "Sender is not GOVERNANCE_ROLE");
        _;
    }

    modifier onlyStakingManager() {
        require(msg.sender == metadata.stakingManager, "Sender is not staking manager");
        _;
    }

    constructor(address governor, address stakingManager) {
        operatorRoles[governor] = GOVERNANCE_ROLE;
        governors.push(governor);
        metadata.stakingManager = stakingManager;
        metadata.sessionDuration = 240;
        metadata.minSubmissionsRequired = 2;
        metadata.quorum = WHOLE / 2;
    }

    // Sessions

    function _submit(uint64 chainId, uint64 height, bytes32 subject, bytes32 product, string calldata url) internal {
        ChainData storage chain = chains[chainId];
        require(chain.nthBlock != 0, "Invalid chain ID");
        require(height % chain.nthBlock == 0, "Invalid block height");
        Session storage session = sessions[chainId][height];
        if (session.deadline == 0) {
            require(!session.done, "Session submissions have closed");
            _requireLive(chain, height);
            _requireValidator();
            session.deadline = uint64(block.number) + metadata.sessionDuration;
            emit SessionStarted(chainId, height, session.deadline);
        } else {
            require(block.number <= session.deadline, "Session submissions have closed");
            require(
                session.submissionsOf[msg.sender] < chain.maxSubmissionsPerBlockHeight, "Max submissions limit exceeded"
            );
            _requireValidator();
            require(
                !session.submittedFor[msg.sender][subject], "Operator already submitted for the provided block hash"
            );
        }
        session.submissionsOf[msg.sender]++;
        session.submittedFor[msg.sender][subject] = true;
        session.submissions++;
        _count(session, subject, product);
        urls[product].push(url);
    }

    function _requireLive(ChainData storage chain, uint64 height) private view {
        uint256 passed = block.number - chain.blockOnCurrentChain;
        uint256 estimate = chain.blockOnTargetChain
            + passed * metadata.secondsPerBlockCurrentChain / chain.secondsPerBlockTargetChain;
        uint256 reach = chain.allowedThreshold / 2;
        require(
            estimate - reach <= height && height <= estimate + reach, "Block height is out of bounds for live sync"
        );
    }

    function _requireValidator() private view {
        require(isValidatorEnabled(validatorIDs[msg.sender]), "Validator is not enabled");
    }

    function _count(Session storage session, bytes32 subject, bytes32 product) private {
        uint256 validator = 1 << (255 - validatorIDs[msg.sender]);
        for (uint256 i = 0; i < session.pairs.length; i++) {
            Pair storage pair = session.pairs[i];
            if (pair.subject == subject && pair.product == product) {
                pair.submissions++;
                pair.validators |= validator;
                return;
            }
        }
        session.pairs.push(Pair(subject, product, 1, validator));
    }

    /// Closes a session and names the winner, if there is one.
    function _finalize(uint64 chainId, uint64 height) internal returns (bool agreed, Pair memory winner) {
        Session storage session = sessions[chainId][height];
        require(block.number > session.deadline, "Session not past deadline");
        require(!session.done, "Session cannot be finalized");
        require(session.deadline != 0, "Session not started");
        session.done = true;
        session.deadline = 0;
        for (uint256 i = 0; i < session.pairs.length; i++) {
            if (session.pairs[i].submissions > winner.submissions) winner = session.pairs[i];
        }
        agreed = winner.submissions >= metadata.minSubmissionsRequired
            && winner.submissions * WHOLE / session.submissions >= metadata.quorum;
        if (!agreed) emit QuorumNotReached(chainId, height);
    }

    function isSessionOpen(uint64 chainId, uint64 blockHeight, address operator) public view returns (bool) {
        Session storage session = sessions[chainId][blockHeight];
        bool submissionsLeft = session.submissionsOf[operator] != chains[chainId].maxSubmissionsPerBlockHeight;
        return (submissionsLeft && block.number <= session.deadline) || (session.deadline == 0 && !session.done);
    }

    function getURLS(bytes32 hash) external view returns (string[] memory) {
        return urls[hash];
    }

    // Operators and validators

    function _addOperator(address operator, uint128 validatorId, bytes32 role) internal {
        require(operator != address(0), "Invalid operator address");
        require(operatorRoles[operator] == 0, "Operator already exists");
        require(validatorId <= 255, "Validator ID cannot be greater than 255");
        operatorRoles[operator] = role;
        validatorIDs[operator] = validatorId;
        producers.push(operator);
        emit OperatorAdded(operator, validatorId, role);
    }

    function _removeOperator(address operator, bytes32 role) internal {
        uint128 validatorId = validatorIDs[operator];
        for (uint256 i = 0; i < producers.length; i++) {
            if (producers[i] == operator) {
                producers[i] = producers[producers.length - 1];
                producers.pop();
                delete operatorRoles[operator];
                delete validatorIDs[operator];
                emit OperatorRemoved(operator, validatorId, uint128(producers.length), role);
                return;
            }
        }
        revert("Operator not found in active instances");
    }

    function enableValidator(uint128 validatorId) external onlyStakingManager {
        require(validatorId < 256, "validatorId out of range");
        enabledValidators |= 1 << validatorId;
        emit ValidatorEnabled(validatorId);
    }

    function disableValidator(uint128 validatorId) external onlyStakingManager {
        require(validatorId < 256, "validatorId out of range");
        enabledValidators &= ~(1 << validatorId);
        emit ValidatorDisabled(validatorId);
    }

    function isValidatorEnabled(uint128 validatorId) public view returns (bool) {
        return enabledValidators >> validatorId & 1 == 1;
    }

    function isEnabled(address operator) external view returns (bool) {
        for (uint256 i = 0; i < producers.length; i++) {
            if (producers[i] == operator) return true;
        }
        return false;
    }

    function getAllOperators() external view returns (address[] memory, address[] memory, address[] memory) {
        return (producers, governors, new address[](0));
    }

    // Settings

    function setNthBlock(uint64 chainId, uint64 n) external onlyGovernor {
        require(n != 0, "Nth block cannot be 0");
        chains[chainId].nthBlock = n;
    }

    function setMaxSubmissionsPerBlockHeight(uint64 chainId, uint64 most) external onlyGovernor {
        require(chains[chainId].nthBlock != 0, "Invalid chain ID");
        require(most != 0, "Max submissions cannot be 0");
        require(most <= 3, "Max submissions cannot be more than 3");
        chains[chainId].maxSubmissionsPerBlockHeight = most;
    }

    function setChainSyncData(
        uint64 chainId,
        uint256 blockOnTargetChain,
        uint256 blockOnCurrentChain,
        uint256 secondsPerBlock
    ) external onlyGovernor {
        require(secondsPerBlock != 0, "Seconds per block cannot be 0");
        require(blockOnCurrentChain <= block.number, "Block on current chain cannot be in the future");
        chains[chainId].blockOnTargetChain = blockOnTargetChain;
        chains[chainId].blockOnCurrentChain = blockOnCurrentChain;
        chains[chainId].secondsPerBlockTargetChain = secondsPerBlock;
    }

    function setSecondsPerBlockCurrentChain(uint64 secondsPerBlock) external onlyGovernor {
        require(secondsPerBlock != 0, "Seconds per block cannot be 0");
        metadata.secondsPerBlockCurrentChain = secondsPerBlock;
    }

    function setBlockHeightSubmissionsThreshold(uint64 chainId, uint64 threshold) external onlyGovernor {
        require(threshold != 0, "Threshold cannot be 0");
        chains[chainId].allowedThreshold = threshold;
    }

    function setQuorumThreshold(uint256 quorum) external onlyGovernor {
        require(quorum <= WHOLE, "Quorum cannot be greater than 100%");
        metadata.quorum = quorum;
    }

    function setMinSubmissionsRequired(uint64 least) external onlyGovernor {
        require(least >= 1, "Minimum submissions must be at least 1");
        require(least <= 255, "Maximum allowed minimum submissions is 255");
        metadata.minSubmissionsRequired = least;
    }

    function _setSessionDuration(uint64 blocks) internal {
        require(blocks != 0, "Session duration cannot be 0");
        metadata.sessionDuration = blocks;
    }

    function getChainData(uint64 chainId) external view returns (ChainData memory) {
        return chains[chainId];
    }

    function getMetadata() external view returns (Metadata memory) {
        return metadata;
    }
}

/// Where producers prove specimens.
contract BlockSpecimenProofChain is ProofChain {
    bytes32 public constant BLOCK_SPECIMEN_PRODUCER_ROLE = keccak256("BLOCK_SPECIMEN_PRODUCER_ROLE");

    event BlockSpecimenProductionProofSubmitted(
        uint64 chainId, uint64 blockHeight, bytes32 blockHash, bytes32 specimenHash, string storageURL
    );
    event BlockSpecimenQuorum(
        uint64 indexed chainId,
        uint64 indexed blockHeight,
        uint256 validatorBitMap,
        bytes32 indexed blockHash,
        bytes32 specimenHash
    );

    constructor(address governor, address stakingManager) ProofChain(governor, stakingManager) {}

    function submitBlockSpecimenProof(
        uint64 chainId,
        uint64 blockHeight,
        bytes32 blockHash,
        bytes32 specimenHash,
        string calldata storageURL
    ) external {
        require(blockHash != 0, "Invalid block hash");
        require(specimenHash != 0, "Invalid specimen hash");
        require(bytes(storageURL).length != 0, "Invalid storage URL");
        require(
            operatorRoles[msg.sender] == BLOCK_SPECIMEN_PRODUCER_ROLE, "Sender is not BLOCK_SPECIMEN_PRODUCER_ROLE"
        );
        _submit(chainId, blockHeight, blockHash, specimenHash, storageURL);
        emit BlockSpecimenProductionProofSubmitted(chainId, blockHeight, blockHash, specimenHash, storageURL);
    }

    function finalizeSpecimenSession(uint64 chainId, uint64 blockHeight) external {
        (bool agreed, Pair memory winner) = _finalize(chainId, blockHeight);
        if (agreed) {
            emit BlockSpecimenQuorum(chainId, blockHeight, winner.validators, winner.subject, winner.product);
        }
    }

    function addBSPOperator(address operator, uint128 validatorId) external onlyGovernor {
        _addOperator(operator, validatorId, BLOCK_SPECIMEN_PRODUCER_ROLE);
    }

    function removeBSPOperator(address operator) external onlyGovernor {
        require(operatorRoles[operator] == BLOCK_SPECIMEN_PRODUCER_ROLE, "Operator is not BSP");
        _removeOperator(operator, BLOCK_SPECIMEN_PRODUCER_ROLE);
    }

    function setBlockSpecimenSessionDuration(uint64 blocks) external onlyGovernor {
        _setSessionDuration(blocks);
    }

    function getBSPRoleData() external view returns (uint128 requiredStake, address[] memory operators) {
        return (0, producers);
    }
}

/// Where operators prove results.
contract BlockResultProofChain is ProofChain {
    bytes32 public constant BLOCK_RESULT_PRODUCER_ROLE = keccak256("BLOCK_RESULT_PRODUCER_ROLE");

    event BlockResultProductionProofSubmitted(
        uint64 chainId, uint64 blockHeight, bytes32 blockSpecimenHash, bytes32 resultHash, string storageURL
    );
    event BlockResultQuorum(
        uint64 indexed chainId,
        uint64 indexed blockHeight,
        uint256 validatorBitMap,
        bytes32 indexed blockSpecimenHash,
        bytes32 resulthash
    );

    constructor(address governor, address stakingManager) ProofChain(governor, stakingManager) {}

    function submitBlockResultProof(
        uint64 chainId,
        uint64 blockHeight,
        bytes32 blockSpecimenHash,
        bytes32 resultHash,
        string calldata storageURL
    ) external {
        require(blockSpecimenHash != 0, "Invalid specimen hash");
        require(resultHash != 0, "Invalid result hash");
        require(bytes(storageURL).length != 0, "Invalid storage URL");
        require(operatorRoles[msg.sender] == BLOCK_RESULT_PRODUCER_ROLE, "Sender is not BLOCK_RESULT_PRODUCER_ROLE");
        _submit(chainId, blockHeight, blockSpecimenHash, resultHash, storageURL);
        emit BlockResultProductionProofSubmitted(chainId, blockHeight, blockSpecimenHash, resultHash, storageURL);
    }

    function finalizeResultSession(uint64 chainId, uint64 blockHeight) external {
        (bool agreed, Pair memory winner) = _finalize(chainId, blockHeight);
        if (agreed) {
            emit BlockResultQuorum(chainId, blockHeight, winner.validators, winner.subject, winner.product);
        }
    }

    function addBRPOperator(address operator, uint128 validatorId) external onlyGovernor {
        _addOperator(operator, validatorId, BLOCK_RESULT_PRODUCER_ROLE);
    }

    function removeBRPOperator(address operator) external onlyGovernor {
        require(operatorRoles[operator] == BLOCK_RESULT_PRODUCER_ROLE, "Operator is not BRP");
        _removeOperator(operator, BLOCK_RESULT_PRODUCER_ROLE);
    }

    function setBlockResultSessionDuration(uint64 blocks) external onlyGovernor {
        _setSessionDuration(blocks);
    }

    function getBRPRoleData() external view returns (uint128 requiredStake, address[] memory operators) {
        return (0, producers);
    }
}
