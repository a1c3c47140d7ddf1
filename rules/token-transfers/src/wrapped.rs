//! The contracts whose deposits and withdrawals are transfers of wrapped ether.

use refiner_sdk::{Address, RuleError, Specimen, params};

/// Contracts that wrap ether, by chain: those whose code does nothing else.
const KNOWN: [(u64, Address); 4] = [
    // Ethereum, since block 4,719,568.
    (1, Address::from_hex("c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2")),
    // Optimism and Base, where it is part of the chain's genesis.
    (10, Address::from_hex("4200000000000000000000000000000000000006")),
    (8_453, Address::from_hex("4200000000000000000000000000000000000006")),
    // Arbitrum One.
    (42_161, Address::from_hex("82af49447d8a07e3bd95bd0d56f35241523fbab1")),
];

/// The contracts that wrap ether, by the parameter `wrapped-ether`.
pub struct WrappedEther(Vec<Address>);

impl WrappedEther {
    /// As the operator asks for it.
    pub fn asked_for(specimen: &Specimen) -> Result<Self, RuleError> {
        let Some(asked) = params::get("wrapped-ether") else { return Ok(Self(Vec::new())) };
        match asked.as_str() {
            "none" => Ok(Self(Vec::new())),
            "known" => {
                let chain = specimen.identity().chain_id;
                let known = KNOWN.iter().find(|(of, _)| *of == chain);
                let known = known.ok_or_else(|| {
                    let why =
                        format!("no contract is known to wrap ether on chain {chain}; name it, wrapped-ether=0x...");
                    RuleError::Unsupported(why)
                })?;
                Ok(Self(vec![known.1]))
            }
            list => list.split(',').map(|address| read(address, list)).collect::<Result<_, _>>().map(Self),
        }
    }

    /// True for a contract that wraps ether.
    pub fn is_by(&self, contract: Address) -> bool {
        self.0.contains(&contract)
    }
}

fn read(address: &str, list: &str) -> Result<Address, RuleError> {
    address.parse().map_err(|_| {
        RuleError::Unsupported(format!("wrapped-ether is {list:?}; expected none, known or addresses, 0x...,0x..."))
    })
}
