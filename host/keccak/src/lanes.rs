//! Messages on the lanes of a vector. A lane whose message ends takes the next one.

use std::cmp::Reverse;

use alloy_primitives::{B256, keccak256};
use fearless_simd::{Level, Simd, SimdBase, dispatch};

use crate::permutation::{STATE_WORDS, States, permute};

/// Bytes that a permutation takes in.
const RATE_BYTES: usize = 136;

/// Lanes from which vectors are used. Two save a sixth of the time at best, and lose more where one stands idle.
const LANES_MIN: usize = 4;

/// keccak256 of each message.
pub fn keccak256_each(messages: &[&[u8]]) -> Vec<B256> {
    each_at(Level::new(), messages)
}

fn each_at(level: Level, messages: &[&[u8]]) -> Vec<B256> {
    let mut hashes = vec![B256::ZERO; messages.len()];
    // The longest first: the lanes then end at about the same time.
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.sort_unstable_by_key(|message| Reverse(messages[*message].len()));
    dispatch!(level, simd => on_lanes(simd, messages, &order, &mut hashes));
    hashes
}

/// Permutations that a message takes. Its padding has a byte at least.
const fn permutations(message: &[u8]) -> usize {
    message.len() / RATE_BYTES + 1
}

/// The number of messages, from the longest, that are hashed alone: those that take longer than all after them together, beside which the
/// other lanes would stand idle.
fn alone(messages: &[&[u8]], order: &[usize]) -> usize {
    let mut left: usize = messages.iter().map(|message| permutations(message)).sum();
    let outweighs = |message: &&usize| {
        let own = permutations(messages[**message]);
        left -= own;
        own > left
    };
    order.iter().take_while(outweighs).count()
}

#[inline(always)]
fn on_lanes<S: Simd>(simd: S, messages: &[&[u8]], order: &[usize], hashes: &mut [B256]) {
    let alone = if S::u64s::LEN < LANES_MIN { order.len() } else { alone(messages, order) };
    let (alone, together) = order.split_at(alone);
    for message in alone {
        hashes[*message] = keccak256(messages[*message]);
    }
    let mut waiting = together.iter().map(|message| Absorbing { message: *message, rest: Some(messages[*message]) });
    let mut states: States<S> = [S::u64s::splat(simd, 0); STATE_WORDS];
    let mut lanes: Vec<_> = waiting.by_ref().take(S::u64s::LEN).enumerate().collect();
    while !lanes.is_empty() {
        for (lane, absorbing) in &mut lanes {
            absorbing.absorb::<S>(&mut states, *lane);
        }
        permute(simd, &mut states);
        lanes.retain_mut(|(lane, absorbing)| {
            if absorbing.rest.is_some() {
                return true;
            }
            for (bytes, words) in hashes[absorbing.message].as_chunks_mut().0.iter_mut().zip(&states) {
                *bytes = words[*lane].to_le_bytes();
            }
            for words in &mut states {
                words[*lane] = 0;
            }
            waiting.next().map(|next| *absorbing = next).is_some()
        });
    }
}

/// A message on its way into a state.
struct Absorbing<'a> {
    message: usize,
    /// Bytes that are not in the state yet; none after the padding.
    rest: Option<&'a [u8]>,
}

impl Absorbing<'_> {
    /// Adds the next block to the state of a lane.
    #[inline(always)]
    fn absorb<S: Simd>(&mut self, states: &mut States<S>, lane: usize) {
        let rest = self.rest.unwrap_or_default();
        let last;
        let block = match rest.split_first_chunk() {
            Some((block, rest)) => {
                self.rest = Some(rest);
                block
            }
            None => {
                self.rest = None;
                last = padded(rest);
                &last
            }
        };
        for (words, bytes) in states.iter_mut().zip(block.as_chunks().0) {
            words[lane] ^= u64::from_le_bytes(*bytes);
        }
    }
}

/// The last block of a message. Ethereum's padding is Keccak's own, not that of FIPS 202: a bit at either end.
fn padded(rest: &[u8]) -> [u8; RATE_BYTES] {
    let mut block = [0; RATE_BYTES];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] |= 0x01;
    block[RATE_BYTES - 1] |= 0x80;
    block
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Vectors of every width that this processor has.
    fn levels() -> Vec<Level> {
        let best = Level::new();
        #[cfg(target_arch = "x86_64")]
        let narrower = [best.as_sse2().map(Level::Sse2), best.as_avx2().map(Level::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let narrower = [None];
        narrower.into_iter().flatten().chain([best]).collect()
    }

    fn check(messages: &[Vec<u8>]) {
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let expected: Vec<B256> = messages.iter().map(keccak256).collect();
        for level in levels() {
            assert_eq!(each_at(level, &messages), expected, "{level:?}");
        }
    }

    fn filled(lengths: impl IntoIterator<Item = usize>) -> Vec<Vec<u8>> {
        let message = |(number, length): (usize, usize)| {
            (0..length).map(|index| u8::try_from((index * 7 + number) % 251).unwrap()).collect()
        };
        lengths.into_iter().enumerate().map(message).collect()
    }

    #[test]
    fn every_length_has_the_hash_that_one_message_has() {
        check(&filled(0..=3 * RATE_BYTES));
    }

    #[test]
    fn every_number_of_messages_is_hashed() {
        for count in 0..=20 {
            check(&filled((0..count).map(|number| 100 * number)));
        }
    }

    #[test]
    fn message_is_hashed_alone_exactly_when_it_outweighs_all_shorter_ones() {
        let blocks = |counts: &[usize]| {
            let messages = filled(counts.iter().map(|count| count * RATE_BYTES - 1));
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let order: Vec<usize> = (0..messages.len()).collect();
            alone(&messages, &order)
        };
        assert_eq!(blocks(&[]), 0);
        assert_eq!(blocks(&[1]), 1);
        assert_eq!(blocks(&[1, 1]), 0);
        assert_eq!(blocks(&[3, 2, 1]), 0);
        assert_eq!(blocks(&[4, 2, 1]), 3);
        assert_eq!(blocks(&[9, 2, 2, 2, 2]), 1);
        assert_eq!(blocks(&[8, 2, 2, 2, 2]), 0);
        check(&filled([9, 2, 2, 2, 2].map(|count| count * RATE_BYTES)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn hashes_are_those_of_the_messages_one_by_one(messages in vec(vec(any::<u8>(), 0..700), 0..40)) {
            check(&messages);
        }
    }
}
