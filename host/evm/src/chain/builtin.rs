//! The schedules of Ethereum's public chains. Source: the `ChainConfig`s in go-ethereum's `params/config.go`, and
//! the tables of the execution specs; blob parameters from EIP-7840 and EIP-7892.

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{Address, address};
use revm::primitives::hardfork::SpecId;

use super::{BeforeMerge, ChainSpec, Merge};

/// One public chain: heights and timestamps at which its forks begin.
pub(super) struct Chain {
    pub(super) chain_id: u64,
    /// By height, up to London.
    before_merge: &'static [(u64, SpecId)],
    dao_refund: Option<u64>,
    paris_height: u64,
    shanghai: u64,
    cancun: u64,
    prague: u64,
    osaka: u64,
    bpo1: u64,
    bpo2: u64,
    amsterdam: Option<u64>,
    deposit_contract: Address,
}

/// The muir, arrow and gray glaciers only delay the difficulty bomb, and mainnet had no Constantinople without Petersburg.
const MAINNET_BEFORE_MERGE: [(u64, SpecId); 8] = [
    (1_150_000, SpecId::HOMESTEAD),
    (2_463_000, SpecId::TANGERINE),
    (2_675_000, SpecId::SPURIOUS_DRAGON),
    (4_370_000, SpecId::BYZANTIUM),
    (7_280_000, SpecId::PETERSBURG),
    (9_069_000, SpecId::ISTANBUL),
    (12_244_000, SpecId::BERLIN),
    (12_965_000, SpecId::LONDON),
];

/// The schedule of a chain that began under London or later.
const LONDON_FROM_GENESIS: [(u64, SpecId); 1] = [(0, SpecId::LONDON)];

const MAINNET: Chain = Chain {
    chain_id: 1,
    before_merge: &MAINNET_BEFORE_MERGE,
    dao_refund: Some(1_920_000),
    paris_height: 15_537_394,
    shanghai: 1_681_338_455,
    cancun: 1_710_338_135,
    prague: 1_746_612_311,
    osaka: 1_764_798_551,
    bpo1: 1_765_290_071,
    bpo2: 1_767_747_671,
    amsterdam: None,
    deposit_contract: MAINNET_DEPOSIT_CONTRACT,
};

const SEPOLIA: Chain = Chain {
    chain_id: 11_155_111,
    before_merge: &LONDON_FROM_GENESIS,
    dao_refund: None,
    paris_height: 1_450_409,
    shanghai: 1_677_557_088,
    cancun: 1_706_655_072,
    prague: 1_741_159_776,
    osaka: 1_760_427_360,
    bpo1: 1_761_017_184,
    bpo2: 1_761_607_008,
    amsterdam: Some(1_791_294_816),
    deposit_contract: address!("0x7f02c3e3c98b133055b8b348b2ac625669ed295d"),
};

const HOLESKY: Chain = Chain {
    chain_id: 17_000,
    before_merge: &LONDON_FROM_GENESIS,
    dao_refund: None,
    paris_height: 0,
    shanghai: 1_696_000_704,
    cancun: 1_707_305_664,
    prague: 1_740_434_112,
    osaka: 1_759_308_480,
    bpo1: 1_759_800_000,
    bpo2: 1_760_389_824,
    amsterdam: None,
    deposit_contract: address!("0x4242424242424242424242424242424242424242"),
};

const HOODI: Chain = Chain {
    chain_id: 560_048,
    before_merge: &LONDON_FROM_GENESIS,
    dao_refund: None,
    paris_height: 0,
    shanghai: 0,
    cancun: 0,
    prague: 1_742_999_832,
    osaka: 1_761_677_592,
    bpo1: 1_762_365_720,
    bpo2: 1_762_955_544,
    amsterdam: None,
    deposit_contract: MAINNET_DEPOSIT_CONTRACT,
};

/// Every built-in chain.
pub(super) static ALL: [Chain; 4] = [MAINNET, SEPOLIA, HOLESKY, HOODI];

/// The deposit contract of mainnet, and of every chain that names no other.
pub(super) const MAINNET_DEPOSIT_CONTRACT: Address = address!("0x00000000219ab540356cbb839cbe05303d7705fa");

impl Chain {
    pub(super) fn spec(&self) -> ChainSpec {
        let mut forks = vec![
            (self.shanghai, SpecId::SHANGHAI),
            (self.cancun, SpecId::CANCUN),
            (self.prague, SpecId::PRAGUE),
            (self.osaka, SpecId::OSAKA),
        ];
        forks.extend(self.amsterdam.map(|since| (since, SpecId::AMSTERDAM)));
        ChainSpec {
            chain_id: self.chain_id,
            deposit_contract: self.deposit_contract,
            merge: Merge::At(self.paris_height),
            before_merge: BeforeMerge {
                forks: self.before_merge.to_vec(),
                // EIP-155 came with Spurious Dragon.
                eip155: self.before_merge.iter().find(|(_, fork)| *fork >= SpecId::SPURIOUS_DRAGON).map(|(at, _)| *at),
                dao_refund: self.dao_refund,
                constantinople: 0..0,
                clique: false,
            },
            forks,
            blobs: vec![
                (self.cancun, BlobParams::cancun()),
                (self.prague, BlobParams::prague()),
                (self.osaka, BlobParams::osaka()),
                (self.bpo1, BlobParams::bpo1()),
                (self.bpo2, BlobParams::bpo2()),
            ],
        }
    }
}
