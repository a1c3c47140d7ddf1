//! The order in which runs begin: as many at once as there may be, one at a time of those that ask for the same execution.
//!
//! Rules of this program that read one block follow each other in one worker, which executes the block for the first of them. Side by side,
//! each worker would execute it.

use alloy_primitives::B256;

/// Runs that are on their way, and those that wait for their turn.
#[derive(Default)]
pub(super) struct Turns {
    running: usize,
    /// Blocks that workers execute for several rules.
    executing: Vec<B256>,
    /// Blocks that waiting runs need.
    waiting: Vec<B256>,
}

impl Turns {
    /// A run over this block waits from now on.
    pub(super) fn wait(&mut self, block: Option<B256>) {
        self.waiting.extend(block);
    }

    /// True when a waiting run may begin. `is_held` tells whether an idle worker has executed a block.
    pub(super) fn may_begin(&self, at_once: usize, block: Option<B256>, is_held: impl Fn(B256) -> bool) -> bool {
        let is_free = |block: &B256| !self.executing.contains(block);
        self.running < at_once
            && match block {
                Some(block) if !is_free(&block) => false,
                Some(block) if is_held(block) => true,
                // A worker that has executed a block is given no other one while a run waits for the first.
                _ => !self.waiting.iter().any(|other| is_free(other) && is_held(*other)),
            }
    }

    /// A waiting run begins.
    pub(super) fn begin(&mut self, block: Option<B256>) {
        self.running += 1;
        if let Some(block) = block {
            remove(&mut self.waiting, block);
            self.executing.push(block);
        }
    }

    /// A run has ended.
    pub(super) fn end(&mut self, block: Option<B256>) {
        self.running = self.running.saturating_sub(1);
        if let Some(block) = block {
            remove(&mut self.executing, block);
        }
    }
}

/// Removes one entry of a block.
fn remove(blocks: &mut Vec<B256>, block: B256) {
    if let Some(position) = blocks.iter().position(|other| *other == block) {
        blocks.swap_remove(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: B256 = B256::repeat_byte(1);
    const OTHER: B256 = B256::repeat_byte(2);

    #[test]
    fn runs_over_one_block_follow_each_other_and_come_before_those_over_another() {
        let mut turns = Turns::default();
        let nothing = |_| false;
        let held = |block| block == ONE;
        for block in [Some(ONE), Some(ONE), Some(OTHER)] {
            turns.wait(block);
        }
        assert!(turns.may_begin(2, Some(ONE), nothing));
        turns.begin(Some(ONE));
        assert!(!turns.may_begin(2, Some(ONE), nothing), "its execution is on its way");
        assert!(turns.may_begin(2, Some(OTHER), nothing) && turns.may_begin(2, None, nothing));
        assert!(!turns.may_begin(1, Some(OTHER), nothing), "one runs, and one may");

        turns.end(Some(ONE));
        assert!(turns.may_begin(1, Some(ONE), held));
        assert!(
            !turns.may_begin(1, Some(OTHER), held) && !turns.may_begin(1, None, held),
            "the execution is waited for"
        );
        turns.begin(Some(ONE));
        turns.end(Some(ONE));
        assert!(turns.may_begin(1, Some(OTHER), held), "no run waits for it any more");
    }
}
