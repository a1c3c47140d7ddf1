//! The number of blocks that one question spans: as many as the provider allows.

use crate::rpc::{NodeError, RpcError};

/// The first range. Public nodes of Moonbeam take at least this.
const FIRST_BLOCKS: u64 = 2_000;
/// The longest range: larger ones save few calls and make answers large.
const LONGEST_BLOCKS: u64 = 16_384;
/// After how many good answers below a refused length that length is tried again.
const CAUTION_STEPS: u32 = 32;

/// A length that halves when a provider refuses it and grows again when it does not.
#[derive(Clone, Debug)]
pub struct AdaptiveRange {
    blocks: u64,
    longest: u64,
    /// The length last refused; not tried again for [`CAUTION_STEPS`] answers.
    refused: Option<u64>,
    good_answers: u32,
}

impl AdaptiveRange {
    /// Starts at `longest` or 2,000, whichever is less.
    pub fn up_to(longest: u64) -> Self {
        let longest = longest.clamp(1, LONGEST_BLOCKS);
        Self { blocks: FIRST_BLOCKS.min(longest), longest, refused: None, good_answers: 0 }
    }

    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Doubles after a full range was answered.
    pub fn answered(&mut self, blocks: u64) {
        if blocks < self.blocks {
            return;
        }
        self.good_answers += 1;
        let doubled = self.blocks.saturating_mul(2).min(self.longest);
        if self.good_answers >= CAUTION_STEPS {
            self.refused = None;
        }
        if self.refused.is_none_or(|refused| doubled < refused) {
            self.blocks = doubled;
            self.good_answers = 0;
        }
    }

    /// Halves what was refused. `false` when there is nothing left to halve.
    pub fn refuse(&mut self, blocks: u64) -> bool {
        self.refused = Some(blocks);
        self.good_answers = 0;
        self.blocks = (blocks / 2).max(1);
        blocks > 1
    }
}

/// Wordings of providers for a limit of range or of results, in lower case: Alchemy, Ankr, Infura, QuickNode, OnFinality,
/// Chainstack, Cloudflare, Frontier, erigon, geth.
const LIMITS: [&str; 16] = [
    "block range",
    "blocks range",
    "range is too large",
    "range too large",
    "range limit",
    "max range",
    "exceeds the range",
    "exceed maximum",
    "too many blocks",
    "query returned more than",
    "more than 10000 results",
    "too many results",
    "response size",
    "result size",
    "query timeout",
    "query took longer than",
];

/// Whether fewer blocks would be answered: a provider's limit, an answer too large for us, or too slow for the node.
pub fn asks_for_less(error: &RpcError) -> bool {
    match error {
        RpcError::TooLarge { .. } | RpcError::TimedOut { .. } | RpcError::TooSlow { .. } => true,
        // Proxies have a status for it: content too large, gateway timeout.
        RpcError::Status { status, .. } => matches!(status.as_u16(), 413 | 504),
        RpcError::Refused { refusal, .. } => limits_range(refusal),
        RpcError::NoEndpoint
        | RpcError::NoOther
        | RpcError::SetAside { .. }
        | RpcError::Later { .. }
        | RpcError::Client(_)
        | RpcError::Unreachable { .. }
        | RpcError::Malformed { .. }
        | RpcError::Abi { .. } => false,
    }
}

fn limits_range(refusal: &NodeError) -> bool {
    let message = refusal.message.to_lowercase();
    LIMITS.iter().any(|text| message.contains(text))
        // -32005 is "limit exceeded", of requests or of results.
        || (refusal.code == -32005 && !refusal.is_rate_limit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i64, message: &str) -> NodeError {
        NodeError { code, message: message.to_owned(), data: None }
    }

    #[test]
    fn limits_of_providers_are_recognised() {
        for (code, message) in [
            (-32600, "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range."),
            (-32602, "eth_getLogs is limited to 0 - 2000 blocks range"),
            (-32005, "query returned more than 10000 results"),
            (-32005, "limit exceeded"),
            (-32603, "block range is too wide (maximum 1024)"),
            (-32000, "exceed maximum block range: 5000"),
            (-32000, "query timeout exceeded"),
            (-32614, "eth_getLogs is limited to a 10,000 range, block range too large"),
        ] {
            assert!(limits_range(&refusal(code, message)), "{message}");
        }
    }

    #[test]
    fn other_refusals_do_not_shorten_the_range() {
        for (code, message) in [
            (-32005, "daily request count exceeded, request rate limited: rate limit"),
            (-32000, "header not found"),
            (-32602, "invalid params"),
        ] {
            assert!(!limits_range(&refusal(code, message)), "{message}");
        }
    }

    #[test]
    fn the_range_halves_to_one_block_and_grows_back() {
        let mut range = AdaptiveRange::up_to(LONGEST_BLOCKS);
        let mut halvings = 0;
        while range.refuse(range.blocks()) {
            halvings += 1;
        }
        assert_eq!((range.blocks(), halvings), (1, 10));
        for _ in 0..20 * CAUTION_STEPS {
            range.answered(range.blocks());
        }
        assert_eq!(range.blocks(), LONGEST_BLOCKS);
    }

    #[test]
    fn a_refused_length_is_not_tried_at_every_step() {
        let mut range = AdaptiveRange::up_to(LONGEST_BLOCKS);
        let mut refused = 0;
        for _ in 0..100 {
            match range.blocks() {
                blocks if blocks > 1_500 => {
                    range.refuse(blocks);
                    refused += 1;
                }
                blocks => range.answered(blocks),
            }
        }
        assert!(refused <= 5, "{refused} refusals in 100 steps");
    }

    #[test]
    fn a_short_range_near_the_head_says_nothing_about_longer_ones() {
        let mut range = AdaptiveRange::up_to(LONGEST_BLOCKS);
        range.answered(1);
        assert_eq!(range.blocks(), FIRST_BLOCKS);
    }
}
