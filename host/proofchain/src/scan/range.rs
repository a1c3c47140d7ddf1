//! The number of blocks that one question spans: as many as the provider allows.

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

    /// Takes note of an answer of so many blocks; doubles after a full range.
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

    /// Halves what was refused.
    pub fn refuse(&mut self, blocks: u64) {
        self.shorten(blocks / 2, blocks);
    }

    /// Takes a length in the place of one that was refused.
    pub fn shorten(&mut self, to: u64, refused: u64) {
        self.refused = Some(refused);
        self.good_answers = 0;
        self.blocks = to.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_halves_to_one_block_and_grows_back() {
        let mut range = AdaptiveRange::up_to(LONGEST_BLOCKS);
        let mut halvings = 0;
        while range.blocks() > 1 {
            range.refuse(range.blocks());
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
