//! The forks that sample chains run on, and what each adds to a block.

use alloy_eips::eip7840::BlobParams;
use revm::primitives::hardfork::SpecId;

/// A fork, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Fork {
    London,
    Paris,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
    /// Osaka with more blobs.
    Bpo1,
}

impl Fork {
    /// The EVM's name for it.
    pub const fn spec_id(self) -> SpecId {
        match self {
            Self::London => SpecId::LONDON,
            Self::Paris => SpecId::MERGE,
            Self::Shanghai => SpecId::SHANGHAI,
            Self::Cancun => SpecId::CANCUN,
            Self::Prague => SpecId::PRAGUE,
            Self::Osaka | Self::Bpo1 => SpecId::OSAKA,
        }
    }

    /// Blob target, maximum and fee steps, from Cancun on. Source: EIP-4844, EIP-7691, EIP-7892.
    pub const fn blob_params(self) -> Option<BlobParams> {
        match self {
            Self::London | Self::Paris | Self::Shanghai => None,
            Self::Cancun => Some(BlobParams::cancun()),
            Self::Prague => Some(BlobParams::prague()),
            Self::Osaka => Some(BlobParams::osaka()),
            Self::Bpo1 => Some(BlobParams::bpo1()),
        }
    }
}
