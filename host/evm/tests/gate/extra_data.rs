//! The header's `extraData`, whose rule is that of its chain.

use alloy_primitives::U256;
use refiner_evm::{ChainSpec, gate};
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};

use crate::{check, failure, paris, with};

fn with_extra_data(specimen: &Specimen, bytes: &[u8]) -> Specimen {
    with(specimen.clone(), |specimen| specimen.block.header.extra_data = bytes.to_vec().into())
}

#[test]
fn ten_blocks_from_the_dao_fork_on_carry_its_mark() {
    const FORK: u64 = 1_920_000;
    let mark = Quantity::Words("dao-hard-fork");
    let at = |height: u64, bytes: &[u8]| {
        let block = with(with_extra_data(&paris(), bytes), |specimen| {
            let header = &mut specimen.block.header;
            (header.number, header.difficulty, header.base_fee_per_gas) = (height, U256::ONE, None);
        });
        check(&block, CheckName::HeaderRules)
    };
    for height in [FORK - 1, FORK + 10, FORK + 11] {
        assert_eq!(at(height, b"any").outcome, Outcome::Passed, "{height}");
    }
    for height in [FORK, FORK + 1, FORK + 9] {
        assert_eq!(at(height, b"dao-hard-fork").outcome, Outcome::Passed, "{height}");
        let found = failure(at(height, b"any"));
        assert_eq!(found, (Subject::Field("extraData"), Quantity::Number(3), mark.clone()), "{height}");
    }
}

/// The header rules on a chain that authorities seal up to its merge.
fn on_clique(specimen: &Specimen) -> Check {
    const CONFIG: &str = r#"{"chainId": 5, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
        "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0,
        "londonBlock": 0, "terminalTotalDifficulty": 9, "clique": {"period": 15, "epoch": 30000}}"#;
    let chain = ChainSpec::from_geth_json(CONFIG).unwrap();
    gate::checks(specimen, Some(&chain)).into_iter().find(|check| check.name == CheckName::HeaderRules).unwrap()
}

#[test]
fn extra_data_of_clique_is_32_bytes_whole_addresses_and_a_seal() {
    let sealed = with(paris(), |specimen| specimen.block.header.difficulty = U256::from(2));
    for (bytes, passes) in
        [(0, false), (32, false), (96, false), (97, true), (98, false), (116, false), (117, true), (137, true)]
    {
        let check = on_clique(&with_extra_data(&sealed, &vec![1; bytes]));
        assert_eq!(check.failed(), !passes, "{bytes}: {check}");
    }
    // A block after the merge has no difficulty, and 32 bytes at most.
    assert_eq!(on_clique(&with_extra_data(&paris(), &[1; 32])).outcome, Outcome::Passed);
    assert_eq!(failure(on_clique(&with_extra_data(&paris(), &[1; 97]))).2, Quantity::AtMost(32));
}
