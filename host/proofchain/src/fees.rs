//! Fees that a transaction offers for its place in a block.

/// Bounds of what may be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeePolicy {
    /// The most that is offered for one gas, tip included.
    pub cap_wei: u128,
    /// The least tip, whatever the node suggests.
    pub tip_floor_wei: u128,
    /// The most tip, whatever the node suggests.
    pub tip_cap_wei: u128,
    /// Margin that is added to an estimate of gas, in percent.
    pub gas_margin_percent: u64,
    /// The most gas that a proof may take. The contract's dearest path takes about 350,000.
    pub gas_cap: u64,
}

const GWEI: u128 = 1_000_000_000;

impl Default for FeePolicy {
    /// 1,000 gwei (Moonbeam asks for 31 to 125), a tip of 0.1 to 100 gwei, a quarter more gas than estimated, at most two
    /// million.
    fn default() -> Self {
        Self {
            cap_wei: 1_000 * GWEI,
            tip_floor_wei: GWEI / 10,
            tip_cap_wei: 100 * GWEI,
            gas_margin_percent: 25,
            gas_cap: 2_000_000,
        }
    }
}

/// Fees that a transaction offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fees {
    /// Fees of an EIP-1559 transaction.
    Dynamic {
        /// The most for one gas, tip included.
        max_fee_wei: u128,
        /// The part that the block's author gets.
        tip_wei: u128,
    },
    /// Fees of a transaction from before EIP-1559.
    Legacy {
        /// The price of one gas.
        gas_price_wei: u128,
    },
}

/// An offer that suits the market, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeQuote {
    /// An offer within the cap.
    Fees(Fees),
    /// The market asks for more than the cap allows; wait, or raise the cap.
    AboveCap {
        /// The least that would do.
        needed_wei: u128,
        /// The most that is allowed.
        cap_wei: u128,
    },
}

impl Fees {
    /// The most for one gas.
    pub fn most_wei(&self) -> u128 {
        match *self {
            Self::Dynamic { max_fee_wei, .. } => max_fee_wei,
            Self::Legacy { gas_price_wei } => gas_price_wei,
        }
    }

    /// The offer that replaces this one in every pool: at least an eighth more in both figures, and no less than the
    /// market asks. `None` where a cap does not allow it.
    pub fn bumped(&self, market: &FeeQuote, policy: &FeePolicy) -> Option<Self> {
        let least = self.least_replacement();
        let offer = match (least, market) {
            (
                Self::Dynamic { max_fee_wei, tip_wei },
                FeeQuote::Fees(Self::Dynamic { max_fee_wei: market_fee, tip_wei: market_tip }),
            ) => {
                let max_fee_wei = max_fee_wei.max((*market_fee).min(policy.cap_wei));
                Self::Dynamic {
                    max_fee_wei,
                    tip_wei: tip_wei.max((*market_tip).min(max_fee_wei).min(policy.tip_cap_wei)),
                }
            }
            (Self::Legacy { gas_price_wei }, FeeQuote::Fees(Self::Legacy { gas_price_wei: market })) => {
                Self::Legacy { gas_price_wei: gas_price_wei.max((*market).min(policy.cap_wei)) }
            }
            (least, _) => least,
        };
        let tips_within = match offer {
            Self::Dynamic { tip_wei, .. } => tip_wei <= policy.tip_cap_wei,
            Self::Legacy { .. } => true,
        };
        (tips_within && offer.most_wei() <= policy.cap_wei).then_some(offer)
    }

    fn least_replacement(self) -> Self {
        match self {
            Self::Dynamic { max_fee_wei, tip_wei } => {
                Self::Dynamic { max_fee_wei: eighth_more(max_fee_wei), tip_wei: eighth_more(tip_wei) }
            }
            Self::Legacy { gas_price_wei } => Self::Legacy { gas_price_wei: eighth_more(gas_price_wei) },
        }
    }
}

/// 12.5 % more, rounded up: geth asks for 10 %, others for 12.5.
fn eighth_more(wei: u128) -> u128 {
    wei.saturating_add(wei.div_ceil(8).max(1))
}

impl FeePolicy {
    /// An offer after EIP-1559: room for the base fee to double, within the cap.
    pub(crate) fn dynamic(&self, base_fee_wei: u128, suggested_tip_wei: u128) -> FeeQuote {
        let needed_wei = base_fee_wei.saturating_add(self.tip_floor_wei);
        let Some(room) = self.cap_wei.checked_sub(needed_wei) else {
            return FeeQuote::AboveCap { needed_wei, cap_wei: self.cap_wei };
        };
        let most = self.tip_floor_wei.saturating_add(room).min(self.tip_cap_wei.max(self.tip_floor_wei));
        let tip_wei = suggested_tip_wei.clamp(self.tip_floor_wei, most);
        let max_fee_wei = base_fee_wei.saturating_mul(2).saturating_add(tip_wei).min(self.cap_wei);
        FeeQuote::Fees(Fees::Dynamic { max_fee_wei, tip_wei })
    }

    /// An offer before EIP-1559.
    pub(crate) fn legacy(&self, gas_price_wei: u128) -> FeeQuote {
        if gas_price_wei > self.cap_wei {
            return FeeQuote::AboveCap { needed_wei: gas_price_wei, cap_wei: self.cap_wei };
        }
        FeeQuote::Fees(Fees::Legacy { gas_price_wei: gas_price_wei.max(self.tip_floor_wei) })
    }

    /// An estimate with its margin; `None` above the cap.
    pub(crate) fn gas_limit(&self, estimate: u64) -> Option<u64> {
        let margin = u128::from(estimate) * u128::from(self.gas_margin_percent) / 100;
        let limit = u64::try_from(u128::from(estimate) + margin).unwrap_or(u64::MAX);
        (estimate <= self.gas_cap).then(|| limit.min(self.gas_cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: FeePolicy =
        FeePolicy { cap_wei: 1_000, tip_floor_wei: 10, tip_cap_wei: 90, gas_margin_percent: 25, gas_cap: 400 };

    fn dynamic(max_fee_wei: u128, tip_wei: u128) -> Fees {
        Fees::Dynamic { max_fee_wei, tip_wei }
    }

    #[test]
    fn an_offer_leaves_room_for_the_base_fee_to_double_within_both_caps() {
        for (base, suggested, expected) in [
            (100, 20, FeeQuote::Fees(dynamic(220, 20))),
            (100, 0, FeeQuote::Fees(dynamic(210, 10))),
            (600, 20, FeeQuote::Fees(dynamic(1_000, 20))),
            (100, 500, FeeQuote::Fees(dynamic(290, 90))),
            (980, 500, FeeQuote::Fees(dynamic(1_000, 20))),
            (990, 500, FeeQuote::Fees(dynamic(1_000, 10))),
            (991, 500, FeeQuote::AboveCap { needed_wei: 1_001, cap_wei: 1_000 }),
            (u128::MAX, u128::MAX, FeeQuote::AboveCap { needed_wei: u128::MAX, cap_wei: 1_000 }),
        ] {
            assert_eq!(POLICY.dynamic(base, suggested), expected, "base {base}, tip {suggested}");
        }
    }

    #[test]
    fn a_legacy_price_is_the_node_s_within_the_cap() {
        assert_eq!(POLICY.legacy(1_000), FeeQuote::Fees(Fees::Legacy { gas_price_wei: 1_000 }));
        assert_eq!(POLICY.legacy(1_001), FeeQuote::AboveCap { needed_wei: 1_001, cap_wei: 1_000 });
    }

    #[test]
    fn a_bump_is_at_least_an_eighth_and_never_above_a_cap() {
        let cheap = FeeQuote::Fees(dynamic(1, 1));
        for (before, market, expected) in [
            (dynamic(800, 80), cheap, Some(dynamic(900, 90))),
            (dynamic(801, 1), cheap, Some(dynamic(902, 2))),
            (dynamic(888, 8), cheap, Some(dynamic(999, 9))),
            (dynamic(889, 8), cheap, None),
            (dynamic(100, 10), FeeQuote::Fees(dynamic(500, 50)), Some(dynamic(500, 50))),
            (dynamic(100, 10), FeeQuote::Fees(dynamic(5_000, 50)), Some(dynamic(1_000, 50))),
            (dynamic(100, 10), FeeQuote::AboveCap { needed_wei: 2_000, cap_wei: 1_000 }, Some(dynamic(113, 12))),
            (dynamic(100, 80), FeeQuote::Fees(dynamic(500, 400)), Some(dynamic(500, 90))),
            (dynamic(100, 81), cheap, None),
            (Fees::Legacy { gas_price_wei: 800 }, cheap, Some(Fees::Legacy { gas_price_wei: 900 })),
            (Fees::Legacy { gas_price_wei: 900 }, cheap, None),
        ] {
            assert_eq!(before.bumped(&market, &POLICY), expected, "{before:?}");
        }
    }

    #[test]
    fn gas_has_a_margin_up_to_the_cap() {
        for (estimate, expected) in
            [(100, Some(125)), (399, Some(400)), (400, Some(400)), (401, None), (u64::MAX, None)]
        {
            assert_eq!(POLICY.gas_limit(estimate), expected, "{estimate}");
        }
    }
}
