//! Gas limits of headers, which are no work.

use super::{Case, chain, dynamic, newest, payment, plan};
use crate::{Fork, KitError};

pub(super) fn cases() -> Result<Vec<Case>, KitError> {
    [("gas-limit-1000000001", 1_000_000_001), ("gas-limit-2147483647", 2_147_483_647), ("gas-limit-2e62", 1 << 62)]
        .into_iter()
        .map(|(name, gas_limit)| {
            let mut chain = chain(Fork::Prague);
            chain.set_gas_limit(gas_limit);
            Case::new(name, newest(&chain.seal(plan(vec![payment(dynamic())]))?))
        })
        .collect()
}
