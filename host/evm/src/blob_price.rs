//! BLOBBASEFEE where the price of blob gas has more digits than the EVM counts in.
//!
//! No such block is on any chain, and the canonical format rejects it. The network's evm-server executed it: it computed the price in
//! 256 bits when a contract asked for it, and ended the call where that overflowed.

use alloy_primitives::{U256, U512};
use revm::interpreter::{InstructionContext, InstructionExecResult, InstructionResult, interpreter::EthInterpreter};

use crate::meter::Context;

/// EIP-4844's `fake_exponential` of one wei, in 256 bits; `None` where any step has more.
pub(crate) fn price(excess_blob_gas: u64, update_fraction: u64) -> Option<U256> {
    let (excess, fraction) = (U512::from(excess_blob_gas), U256::from(update_fraction));
    let mut sum = U256::ZERO;
    let mut term = fraction;
    let mut step = U256::ZERO;
    while !term.is_zero() {
        sum = sum.checked_add(term)?;
        step += U256::ONE;
        let divisor = U512::from(fraction.checked_mul(step)?);
        term = narrow((U512::from(term) * excess).checked_div(divisor)?)?;
    }
    sum.checked_div(fraction)
}

fn narrow(wide: U512) -> Option<U256> {
    let [a, b, c, d, rest @ ..] = wide.into_limbs();
    (rest == [0; 4]).then_some(U256::from_limbs([a, b, c, d]))
}

/// Answers the price that was computed for this block, or ends the call when there is none.
#[expect(clippy::needless_pass_by_value, reason = "the signature of the EVM's instructions")]
pub(crate) fn instruction(op: InstructionContext<'_, Context<'_>, EthInterpreter>) -> InstructionExecResult {
    let price = op.host.chain.blob_price.ok_or(InstructionResult::InvalidFEOpcode)?;
    if op.interpreter.stack.push(price) { Ok(()) } else { Err(InstructionResult::StackOverflow) }
}

#[cfg(test)]
mod tests {
    use alloy_eips::eip4844::fake_exponential;

    use super::*;

    const CANCUN: u64 = 3_338_477;

    #[test]
    fn price_is_that_of_the_specification_where_this_fits() {
        for excess in [0, 1, 393_216, 10 * 1_024 * 1_024, 148_099_578, 290_000_000] {
            let expected = fake_exponential(1, u128::from(excess), u128::from(CANCUN));
            assert_eq!(price(excess, CANCUN), Some(U256::from(expected)), "{excess}");
        }
    }

    #[test]
    fn price_beyond_128_bits_is_a_number_and_beyond_256_bits_is_none() {
        let large = price(400_000_000, CANCUN);
        assert!(large.is_some_and(|price| price > U256::from(u128::MAX)), "{large:?}");
        for excess in [700_000_000, 1 << 32, 1 << 62, 1 << 63, u64::MAX] {
            assert_eq!(price(excess, CANCUN), None, "{excess}");
        }
    }
}
