//! The forks that blockchain tests are written for, and the rules of each as far as this crate executes them.

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{U256, uint};
use revm::primitives::hardfork::SpecId;

/// A fork, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Fork {
    Frontier,
    Homestead,
    Dao,
    TangerineWhistle,
    SpuriousDragon,
    Byzantium,
    Constantinople,
    Petersburg,
    Istanbul,
    MuirGlacier,
    Berlin,
    London,
    ArrowGlacier,
    GrayGlacier,
    Paris,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
    Bpo1,
    Bpo2,
    Bpo3,
    Bpo4,
    Bpo5,
}

/// Names as ethereum/tests and execution-spec-tests spell them.
const NAMES: [(&str, Fork); 29] = [
    ("Frontier", Fork::Frontier),
    ("Homestead", Fork::Homestead),
    ("Dao", Fork::Dao),
    ("DAOFork", Fork::Dao),
    ("EIP150", Fork::TangerineWhistle),
    ("TangerineWhistle", Fork::TangerineWhistle),
    ("EIP158", Fork::SpuriousDragon),
    ("SpuriousDragon", Fork::SpuriousDragon),
    ("Byzantium", Fork::Byzantium),
    ("Constantinople", Fork::Constantinople),
    ("ConstantinopleFix", Fork::Petersburg),
    ("Petersburg", Fork::Petersburg),
    ("Istanbul", Fork::Istanbul),
    ("MuirGlacier", Fork::MuirGlacier),
    ("Berlin", Fork::Berlin),
    ("London", Fork::London),
    ("ArrowGlacier", Fork::ArrowGlacier),
    ("GrayGlacier", Fork::GrayGlacier),
    ("Paris", Fork::Paris),
    ("Merge", Fork::Paris),
    ("Shanghai", Fork::Shanghai),
    ("Cancun", Fork::Cancun),
    ("Prague", Fork::Prague),
    ("Osaka", Fork::Osaka),
    ("BPO1", Fork::Bpo1),
    ("BPO2", Fork::Bpo2),
    ("BPO3", Fork::Bpo3),
    ("BPO4", Fork::Bpo4),
    ("BPO5", Fork::Bpo5),
];

impl Fork {
    /// The fork with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, fork)| *fork)
    }

    /// The first of its names.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, fork)| *fork == self).map_or("", |(name, _)| name)
    }

    /// revm's name for its rules. EIP-1283 of Constantinople comes on top, [`crate::evm::net_gas_metering`].
    pub const fn spec_id(self) -> SpecId {
        match self {
            Self::Frontier => SpecId::FRONTIER,
            Self::Homestead | Self::Dao => SpecId::HOMESTEAD,
            Self::TangerineWhistle => SpecId::TANGERINE,
            Self::SpuriousDragon => SpecId::SPURIOUS_DRAGON,
            Self::Byzantium => SpecId::BYZANTIUM,
            Self::Constantinople | Self::Petersburg => SpecId::PETERSBURG,
            Self::Istanbul | Self::MuirGlacier => SpecId::ISTANBUL,
            Self::Berlin => SpecId::BERLIN,
            Self::London | Self::ArrowGlacier | Self::GrayGlacier => SpecId::LONDON,
            Self::Paris => SpecId::MERGE,
            Self::Shanghai => SpecId::SHANGHAI,
            Self::Cancun => SpecId::CANCUN,
            Self::Prague => SpecId::PRAGUE,
            Self::Osaka | Self::Bpo1 | Self::Bpo2 | Self::Bpo3 | Self::Bpo4 | Self::Bpo5 => SpecId::OSAKA,
        }
    }

    /// The reward of a block's beneficiary beside fees, in wei: EIP-649, EIP-1234, EIP-3675.
    pub const fn reward(self) -> U256 {
        const FIVE: U256 = uint!(5_000_000_000_000_000_000_U256);
        const THREE: U256 = uint!(3_000_000_000_000_000_000_U256);
        const TWO: U256 = uint!(2_000_000_000_000_000_000_U256);
        match self {
            Self::Frontier | Self::Homestead | Self::Dao | Self::TangerineWhistle | Self::SpuriousDragon => FIVE,
            Self::Byzantium => THREE,
            Self::Constantinople
            | Self::Petersburg
            | Self::Istanbul
            | Self::MuirGlacier
            | Self::Berlin
            | Self::London
            | Self::ArrowGlacier
            | Self::GrayGlacier => TWO,
            _ => U256::ZERO,
        }
    }

    /// The blob parameters that the fork has where a test states none; `None` where it has none of its own.
    pub const fn blob_params(self) -> Option<BlobParams> {
        match self {
            Self::Cancun => Some(BlobParams::cancun()),
            Self::Prague => Some(BlobParams::prague()),
            Self::Osaka => Some(BlobParams::osaka()),
            Self::Bpo1 => Some(BlobParams::bpo1()),
            Self::Bpo2 => Some(BlobParams::bpo2()),
            _ => None,
        }
    }

    /// The key of the fork's parameters in a geth config's `blobSchedule`, from Cancun on.
    pub const fn blob_key(self) -> Option<&'static str> {
        match self {
            Self::Cancun => Some("cancun"),
            Self::Prague => Some("prague"),
            Self::Osaka => Some("osaka"),
            Self::Bpo1 => Some("bpo1"),
            Self::Bpo2 => Some("bpo2"),
            Self::Bpo3 => Some("bpo3"),
            Self::Bpo4 => Some("bpo4"),
            Self::Bpo5 => Some("bpo5"),
            _ => None,
        }
    }

    /// The key of the fork in a geth chain config; `None` for Frontier and Paris, which have none.
    pub const fn geth_key(self) -> Option<&'static str> {
        Some(match self {
            Self::Frontier | Self::Paris => return None,
            Self::Homestead => "homesteadBlock",
            Self::Dao => "daoForkBlock",
            Self::TangerineWhistle => "eip150Block",
            Self::SpuriousDragon => "eip158Block",
            Self::Byzantium => "byzantiumBlock",
            Self::Constantinople => "constantinopleBlock",
            Self::Petersburg => "petersburgBlock",
            Self::Istanbul => "istanbulBlock",
            Self::MuirGlacier => "muirGlacierBlock",
            Self::Berlin => "berlinBlock",
            Self::London => "londonBlock",
            Self::ArrowGlacier => "arrowGlacierBlock",
            Self::GrayGlacier => "grayGlacierBlock",
            Self::Shanghai => "shanghaiTime",
            Self::Cancun => "cancunTime",
            Self::Prague => "pragueTime",
            Self::Osaka => "osakaTime",
            Self::Bpo1 => "bpo1Time",
            Self::Bpo2 => "bpo2Time",
            Self::Bpo3 => "bpo3Time",
            Self::Bpo4 => "bpo4Time",
            Self::Bpo5 => "bpo5Time",
        })
    }

    /// Every fork up to and with this one.
    pub fn up_to(self) -> impl Iterator<Item = Self> {
        let mut seen = Self::Frontier;
        let forks = NAMES.iter().map(|(_, fork)| *fork).filter(move |fork| {
            let new = *fork > seen || *fork == Self::Frontier;
            seen = seen.max(*fork);
            new
        });
        forks.filter(move |fork| *fork <= self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forks_up_to_one_are_in_order_and_without_repetition() {
        let forks: Vec<_> = Fork::Byzantium.up_to().collect();
        let expected =
            [Fork::Frontier, Fork::Homestead, Fork::Dao, Fork::TangerineWhistle, Fork::SpuriousDragon, Fork::Byzantium];
        assert_eq!(forks, expected);
    }
}
