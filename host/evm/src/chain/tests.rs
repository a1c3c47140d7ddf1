use alloy_primitives::{U256, address};

use super::*;

/// A height far above every merge, for forks that begin by time.
const LATE: u64 = u64::MAX;

fn check(chain: &ChainSpec, height: u64, timestamp: u64, expected: SpecId) {
    assert_eq!(chain.spec_id(height, timestamp), Ok(expected), "chain {} at {height}, {timestamp}", chain.chain_id());
}

fn builtin(chain_id: u64) -> ChainSpec {
    ChainSpec::builtin(chain_id).unwrap()
}

#[test]
fn each_fork_of_each_public_chain_begins_at_its_second_and_not_before() {
    let forks = [SpecId::MERGE, SpecId::SHANGHAI, SpecId::CANCUN, SpecId::PRAGUE, SpecId::OSAKA];
    let schedules = [
        (1, [1_681_338_455, 1_710_338_135, 1_746_612_311, 1_764_798_551]),
        (11_155_111, [1_677_557_088, 1_706_655_072, 1_741_159_776, 1_760_427_360]),
        (17_000, [1_696_000_704, 1_707_305_664, 1_740_434_112, 1_759_308_480]),
    ];
    for (chain_id, times) in schedules {
        let chain = builtin(chain_id);
        for (since, (before, after)) in times.into_iter().zip(forks.into_iter().zip(forks.into_iter().skip(1))) {
            check(&chain, LATE, since - 1, before);
            check(&chain, LATE, since, after);
        }
    }
    let hoodi = builtin(560_048);
    check(&hoodi, 0, 0, SpecId::CANCUN);
    for (since, before, after) in
        [(1_742_999_832, SpecId::CANCUN, SpecId::PRAGUE), (1_761_677_592, SpecId::PRAGUE, SpecId::OSAKA)]
    {
        check(&hoodi, LATE, since - 1, before);
        check(&hoodi, LATE, since, after);
    }
}

#[test]
fn each_fork_of_mainnet_before_the_merge_begins_at_its_block_and_not_before() {
    let forks = [
        (1_150_000, SpecId::HOMESTEAD),
        (2_463_000, SpecId::TANGERINE),
        (2_675_000, SpecId::SPURIOUS_DRAGON),
        (4_370_000, SpecId::BYZANTIUM),
        (7_280_000, SpecId::PETERSBURG),
        (9_069_000, SpecId::ISTANBUL),
        (12_244_000, SpecId::BERLIN),
        (12_965_000, SpecId::LONDON),
        (15_537_394, SpecId::MERGE),
    ];
    let mainnet = builtin(1);
    let mut before = SpecId::FRONTIER;
    for (height, fork) in forks {
        check(&mainnet, height - 1, 0, before);
        check(&mainnet, height, 0, fork);
        before = fork;
    }
    // A time after the merge is no part of a block before it.
    check(&mainnet, 1, 1_764_798_551, SpecId::FRONTIER);
    assert_eq!(mainnet.dao_refund(), Some(1_920_000));
    assert_eq!([2_674_999, 2_675_000].map(|height| mainnet.eip155_from(height)), [false, true]);
}

#[test]
fn testnets_begin_with_london_or_merged() {
    let sepolia = builtin(11_155_111);
    check(&sepolia, 0, 0, SpecId::LONDON);
    check(&sepolia, 1_450_408, 0, SpecId::LONDON);
    check(&sepolia, 1_450_409, 0, SpecId::MERGE);
    assert!(sepolia.eip155_from(0) && sepolia.dao_refund().is_none());
    check(&builtin(17_000), 0, 0, SpecId::MERGE);
    for chain_id in [1, 11_155_111, 17_000, 560_048] {
        assert!(!builtin(chain_id).is_clique());
    }
}

#[test]
fn sepolia_follows_amsterdam_from_its_second_on_which_is_named_and_not_executed() {
    let sepolia = builtin(11_155_111);
    check(&sepolia, LATE, 1_791_294_815, SpecId::OSAKA);
    let amsterdam = Unsupported::Fork { height: LATE, fork: "Amsterdam" };
    assert_eq!(sepolia.spec_id(LATE, 1_791_294_816), Err(amsterdam));
    check(&builtin(1), LATE, 1_791_294_816, SpecId::OSAKA);
}

#[test]
fn the_merge_is_told_by_height_where_the_schedule_has_it_and_else_by_difficulty() {
    let header = |number, difficulty| Header { number, difficulty: U256::from(difficulty), ..Header::default() };
    let mainnet = builtin(1);
    for difficulty in [0, 1] {
        assert!(mainnet.is_proof_of_stake(&header(15_537_394, difficulty)));
        assert!(!mainnet.is_proof_of_stake(&header(15_537_393, difficulty)));
    }
    let unstated = given(r#"{"chainId": 9, "terminalTotalDifficulty": 17, "londonBlock": 5}"#);
    assert_eq!(unstated.spec_of(&header(9, 0)), Ok(SpecId::MERGE));
    assert_eq!(unstated.spec_of(&header(9, 1)), Ok(SpecId::LONDON));
    assert_eq!(unstated.spec_of(&header(4, 1)), Ok(SpecId::BERLIN));
    let never = given(r#"{"chainId": 9, "homesteadBlock": 0}"#);
    assert_eq!(never.spec_of(&header(9, 0)), Ok(SpecId::HOMESTEAD));
}

#[test]
fn blob_parameters_follow_the_schedule() {
    let chain = builtin(1);
    assert_eq!(chain.blob_params(1_710_338_134), None);
    // Timestamp, target, max, update fraction, most a transaction: EIPs 4844, 7691, 7594 and 7892.
    let cases = [
        (1_710_338_135, 3, 6, 3_338_477, 6),
        (1_746_612_310, 3, 6, 3_338_477, 6),
        (1_746_612_311, 6, 9, 5_007_716, 9),
        (1_764_798_550, 6, 9, 5_007_716, 9),
        (1_764_798_551, 6, 9, 5_007_716, 6),
        (1_765_290_070, 6, 9, 5_007_716, 6),
        (1_765_290_071, 10, 15, 8_346_193, 6),
        (1_767_747_670, 10, 15, 8_346_193, 6),
        (1_767_747_671, 14, 21, 11_684_671, 6),
    ];
    for (timestamp, target, max, fraction, per_transaction) in cases {
        let params = chain.blob_params(timestamp).unwrap();
        let found = (params.target_blob_count, params.max_blob_count, params.update_fraction, params.max_blobs_per_tx);
        assert_eq!(found, (target, max, fraction, per_transaction), "at {timestamp}");
    }
}

#[test]
fn unknown_chains_are_unsupported_until_they_are_given() {
    let chains = Chains::default();
    assert_eq!(chains.get(1337), Err(Unsupported::UnknownChain { network_id: 1337 }));
    let devnet = ChainSpec::from_geth_json(r#"{"chainId": 1337, "terminalTotalDifficulty": 0}"#).unwrap();
    let chains = chains.with(devnet.clone());
    assert_eq!(chains.get(1337), Ok(&devnet));
    assert_eq!(chains.get(1).map(ChainSpec::chain_id), Ok(1));
}

#[test]
fn a_devnet_merged_at_genesis_follows_its_own_config() {
    let devnet = ChainSpec::from_geth_json(
        r#"{"config": {
            "chainId": 3151908, "londonBlock": 0, "terminalTotalDifficulty": 0, "terminalTotalDifficultyPassed": true,
            "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 100, "osakaTime": 200, "bpo1Time": 300,
            "depositContractAddress": "0x4242424242424242424242424242424242424242",
            "blobSchedule": {
                "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
                "prague": {"target": 7, "max": 11, "baseFeeUpdateFraction": 6000000},
                "osaka": {"target": 8, "max": 12, "baseFeeUpdateFraction": 7000000},
                "bpo1": {"target": 9, "max": 13, "baseFeeUpdateFraction": 8000000}}},
           "alloc": {}}"#,
    )
    .unwrap();
    for (timestamp, fork) in [(0, SpecId::CANCUN), (99, SpecId::CANCUN), (100, SpecId::PRAGUE), (200, SpecId::OSAKA)] {
        check(&devnet, 0, timestamp, fork);
    }
    let blobs =
        |timestamp| devnet.blob_params(timestamp).map(|params| (params.max_blob_count, params.max_blobs_per_tx));
    assert_eq!([0, 100, 200, 300].map(blobs), [Some((6, 6)), Some((11, 11)), Some((12, 6)), Some((13, 6))]);
    assert_eq!(devnet.deposit_contract(), address!("0x4242424242424242424242424242424242424242"));
}

fn given(json: &str) -> ChainSpec {
    ChainSpec::from_geth_json(json).unwrap()
}

#[test]
fn the_merge_of_a_given_chain_is_found_from_its_config() {
    let cases = [
        (r#"{"chainId": 9, "terminalTotalDifficulty": 0}"#, 0, SpecId::MERGE),
        (r#"{"chainId": 9, "terminalTotalDifficulty": "0x0"}"#, 0, SpecId::MERGE),
        (
            r#"{"chainId": 9, "terminalTotalDifficulty": 58750000000000000000000, "mergeNetsplitBlock": 77}"#,
            77,
            SpecId::MERGE,
        ),
        (r#"{"chainId": 9, "terminalTotalDifficulty": 17, "terminalTotalDifficultyPassed": true}"#, 0, SpecId::MERGE),
        (r#"{"chainId": 9, "shanghaiTime": 0}"#, 0, SpecId::SHANGHAI),
    ];
    for (json, height, fork) in cases {
        let chain = given(json);
        check(&chain, height, 0, fork);
        // Keys of forks up to London may be absent: they are active from genesis.
        if height > 0 {
            check(&chain, height - 1, 0, SpecId::LONDON);
        }
    }
}

#[test]
fn a_given_chain_follows_its_keys_before_the_merge() {
    let chain = given(
        r#"{"chainId": 9, "homesteadBlock": 1, "daoForkBlock": 2, "daoForkSupport": true, "eip150Block": 3,
            "eip155Block": 4, "eip158Block": 5, "byzantiumBlock": 6, "constantinopleBlock": 7, "petersburgBlock": 8,
            "istanbulBlock": 9, "muirGlacierBlock": 10, "berlinBlock": 11, "londonBlock": 12, "arrowGlacierBlock": 13,
            "grayGlacierBlock": 14, "mergeNetsplitBlock": 15, "terminalTotalDifficulty": 1000, "ethash": {}}"#,
    );
    let forks = [
        (0, SpecId::FRONTIER),
        (1, SpecId::HOMESTEAD),
        (2, SpecId::HOMESTEAD),
        (3, SpecId::TANGERINE),
        (4, SpecId::TANGERINE),
        (5, SpecId::SPURIOUS_DRAGON),
        (6, SpecId::BYZANTIUM),
        (8, SpecId::PETERSBURG),
        (9, SpecId::ISTANBUL),
        (10, SpecId::ISTANBUL),
        (11, SpecId::BERLIN),
        (12, SpecId::LONDON),
        (14, SpecId::LONDON),
        (15, SpecId::MERGE),
    ];
    for (height, fork) in forks {
        check(&chain, height, 0, fork);
    }
    // Its storage gas, EIP-1283, is in no fork that mainnet had.
    assert_eq!(chain.spec_id(7, 0), Err(Unsupported::Fork { height: 7, fork: "Constantinople" }));
    assert_eq!(chain.dao_refund(), Some(2));
    assert_eq!([3, 4].map(|height| chain.eip155_from(height)), [false, true]);
    assert!(!chain.is_clique());
}

#[test]
fn a_chain_that_never_merges_follows_only_the_forks_it_schedules() {
    check(&given(r#"{"chainId": 9}"#), LATE, LATE, SpecId::FRONTIER);
    let json = r#"{"chainId": 9, "homesteadBlock": 0, "daoForkBlock": 7, "eip150Block": 0, "eip155Block": 0,
        "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 5, "clique": {"period": 15, "epoch": 30000}}"#;
    let chain = given(json);
    check(&chain, 4, 0, SpecId::BYZANTIUM);
    // As geth has it, Petersburg comes with Constantinople.
    check(&chain, 5, 0, SpecId::PETERSBURG);
    check(&chain, LATE, LATE, SpecId::PETERSBURG);
    assert!(chain.is_clique());
    // Without daoForkSupport the chain is on the other side of that fork.
    assert_eq!(chain.dao_refund(), None);
    assert!(!given(r#"{"chainId": 9}"#).eip155_from(LATE));
}

#[test]
fn a_config_that_contradicts_itself_is_refused() {
    let cases = [
        ("{", "not a geth chain config"),
        (r#"{"terminalTotalDifficulty": 0}"#, "not a geth chain config"),
        (
            r#"{"chainId": 9, "homesteadBlock": 0, "eip150Block": 7, "eip155Block": 6, "eip158Block": 7}"#,
            "eip155Block is scheduled, but not after eip150Block",
        ),
        (
            r#"{"chainId": 9, "homesteadBlock": 0, "eip155Block": 6}"#,
            "eip155Block is scheduled, but not after eip150Block",
        ),
        (
            r#"{"chainId": 9, "terminalTotalDifficulty": 0, "berlinBlock": 5, "londonBlock": 4}"#,
            "londonBlock is scheduled, but not after berlinBlock",
        ),
        (
            r#"{"chainId": 9, "londonBlock": 5, "mergeNetsplitBlock": 4}"#,
            "mergeNetsplitBlock is scheduled, but not after londonBlock",
        ),
        (
            r#"{"chainId": 9, "homesteadBlock": 5, "daoForkBlock": 4, "daoForkSupport": true}"#,
            "daoForkBlock is scheduled, but not after homesteadBlock",
        ),
        (
            r#"{"chainId": 9, "shanghaiTime": 5, "cancunTime": 4, "terminalTotalDifficulty": 0}"#,
            "cancunTime is scheduled, but not after shanghaiTime",
        ),
        (r#"{"chainId": 9, "pragueTime": 4, "shanghaiTime": 0}"#, "pragueTime is scheduled, but not after cancunTime"),
        (
            r#"{"chainId": 9, "shanghaiTime": 0, "cancunTime": 0, "bpo1Time": 4}"#,
            "bpo1 is scheduled, but blobSchedule has no bpo1",
        ),
        (
            r#"{"chainId": 9, "shanghaiTime": 0, "cancunTime": 0,
                "blobSchedule": {"cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 0}}}"#,
            "blobSchedule.cancun has a zero max or baseFeeUpdateFraction",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(ChainSpec::from_geth_json(json).unwrap_err().to_string(), expected, "{json}");
    }
}

#[test]
fn a_fork_whose_rules_are_not_final_is_unsupported() {
    let json =
        r#"{"chainId": 9, "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0, "osakaTime": 0, "amsterdamTime": 9}"#;
    let chain = ChainSpec::from_geth_json(json).unwrap();
    check(&chain, 3, 8, SpecId::OSAKA);
    assert_eq!(chain.spec_id(3, 9), Err(Unsupported::Fork { height: 3, fork: "Amsterdam" }));
}
