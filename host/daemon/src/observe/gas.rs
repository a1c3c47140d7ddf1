//! The gas of proofs, and how many of them a balance pays for.

use alloy_primitives::U256;

/// Gas of a proof, as the first of a session (docs/protocol.md, section 1.4).
pub const PROOF_GAS: u64 = 350_000;

/// Proofs that a balance pays for at a price of gas, both in wei. `None` at no price.
pub fn proofs_of(balance: U256, gas_price: U256) -> Option<u64> {
    let cost = gas_price.checked_mul(U256::from(PROOF_GAS))?;
    balance.checked_div(cost).map(|proofs| proofs.saturating_to())
}
