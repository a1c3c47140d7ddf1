use alloy_primitives::address;

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
fn paris_begins_at_its_height_and_earlier_blocks_are_unsupported() {
    for (chain_id, height) in [(1, 15_537_394), (11_155_111, 1_450_409)] {
        let chain = builtin(chain_id);
        check(&chain, height, 0, SpecId::MERGE);
        let before = height - 1;
        assert_eq!(chain.spec_id(before, 0), Err(Unsupported::BeforeParis { height: before }));
    }
    check(&builtin(17_000), 0, 0, SpecId::MERGE);
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

#[test]
fn the_merge_of_a_given_chain_is_found_from_its_config() {
    let cases = [
        (r#"{"chainId": 9, "terminalTotalDifficulty": 0}"#, 0),
        (r#"{"chainId": 9, "terminalTotalDifficulty": "0x0"}"#, 0),
        (r#"{"chainId": 9, "terminalTotalDifficulty": 58750000000000000000000, "mergeNetsplitBlock": 77}"#, 77),
        (r#"{"chainId": 9, "terminalTotalDifficulty": 17, "terminalTotalDifficultyPassed": true}"#, 0),
        (r#"{"chainId": 9, "shanghaiTime": 0}"#, 0),
    ];
    for (json, height) in cases {
        let chain = ChainSpec::from_geth_json(json).unwrap();
        check(&chain, height, 0, if json.contains("shanghai") { SpecId::SHANGHAI } else { SpecId::MERGE });
        if height > 0 {
            assert!(chain.spec_id(height - 1, 0).is_err(), "{json}");
        }
    }
}

#[test]
fn a_config_that_contradicts_itself_is_refused() {
    let cases = [
        ("{", "not a geth chain config"),
        (r#"{"terminalTotalDifficulty": 0}"#, "not a geth chain config"),
        (
            r#"{"chainId": 9, "terminalTotalDifficulty": 17}"#,
            "no merge: terminalTotalDifficulty is not 0, and neither terminalTotalDifficultyPassed nor mergeNetsplitBlock is set",
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
