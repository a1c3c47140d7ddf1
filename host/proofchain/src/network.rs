//! Networks: a proof chain and its contracts.

use alloy_primitives::{Address, address};

/// A proof chain: its id and the two contracts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The chain id that `eth_chainId` of the proof chain must answer.
    pub chain_id: u64,
    /// Where specimens are announced, `BlockSpecimenProofChain`.
    pub specimen_contract: Address,
    /// Where results are proven, `BlockResultProofChain`.
    pub result_contract: Address,
}

impl Network {
    /// Moonbeam, the network that pays: contracts of 2024-04-25.
    pub const MOONBEAM: Self = Self {
        chain_id: 1284,
        specimen_contract: address!("7487b04899c2572A223A8c6eC9bA919e27BBCd36"),
        result_contract: address!("4932bDc983e5146224b9C2e68cfFBFEb004A2824"),
    };
    /// Moonbase alpha, the test network: contracts of 2024-03-06.
    pub const MOONBASE: Self = Self {
        chain_id: 1287,
        specimen_contract: address!("916B54696A70588a716F899bE1e8f2A5fFd5f135"),
        result_contract: address!("CBC44F143FB5baf26e45FB6C7A4fC13e6ca0fa09"),
    };

    /// Finds a preset by name: `moonbeam` (or the reference refiner's `prod`), `moonbase` (or `dev`).
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "moonbeam" | "prod" => Some(Self::MOONBEAM),
            "moonbase" | "dev" => Some(Self::MOONBASE),
            _ => None,
        }
    }
}
