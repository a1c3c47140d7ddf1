//! Analysed bytecode, kept across blocks.
//!
//! Neighbouring blocks run mostly the same contracts, and hashing and analysing a block's code costs a third of
//! running it. A cached piece is used only if its bytes equal the specimen's, so a hit is as good as hashing again.

use std::sync::{Mutex, PoisonError};

use alloy_primitives::{B256, Bytes, keccak256, map::B256Map};
use refiner_specimen::{BytecodeTable, LazyBytecode};
use revm::bytecode::Bytecode;

use crate::error::Rejected;

/// Bytes of bytecode and jump tables kept; some forty blocks' worth, so that a run of neighbours shares them.
const LIMIT_BYTES: usize = 64 << 20;

/// Bytes of an entry besides its code: two allocations and a map slot, rounded up.
const ENTRY_BYTES: usize = 256;

/// The code of one block by hash, every piece verified against its hash.
pub(crate) type BlockCodes = B256Map<Bytecode>;

/// Analysed bytecode by code hash, bounded by bytes and shared by every block.
#[derive(Debug)]
pub(crate) struct CodeCache {
    limit_bytes: usize,
    /// Held for map look-ups only, never while hashing or analysing; a panic inside cannot leave half a change.
    generations: Mutex<Generations>,
}

impl Default for CodeCache {
    fn default() -> Self {
        Self::with_limit(LIMIT_BYTES)
    }
}

/// Entries used since the last turn, and those used before it. A turn drops the old ones: least recently used within
/// a factor of two, with no list to maintain.
#[derive(Debug, Default)]
struct Generations {
    young: B256Map<Bytecode>,
    young_bytes: usize,
    old: B256Map<Bytecode>,
}

impl CodeCache {
    /// A cache that keeps at most `limit_bytes`.
    pub(crate) fn with_limit(limit_bytes: usize) -> Self {
        Self { limit_bytes, generations: Mutex::default() }
    }

    /// The analysed code of a block.
    ///
    /// Code that is known is compared where it stands in the specimen, so only new code is decoded.
    ///
    /// Errors when a piece does not hash to what the specimen states.
    pub(crate) fn analyse(&self, codes: &BytecodeTable) -> Result<BlockCodes, Rejected> {
        let known = self.look_up(codes);
        let mut block = BlockCodes::with_capacity_and_hasher(codes.len(), Default::default());
        let mut learned = Vec::new();
        for (piece, known) in codes.pieces().zip(known) {
            let code = match known {
                Some(code) if piece.is(code.original_byte_slice()) => code,
                _ => {
                    let code = verified(piece)?;
                    learned.push((piece.hash, code.clone()));
                    code
                }
            };
            block.insert(piece.hash, code);
        }
        if !learned.is_empty() {
            self.learn(learned);
        }
        Ok(block)
    }

    fn look_up(&self, codes: &BytecodeTable) -> Vec<Option<Bytecode>> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        codes.pieces().map(|piece| generations.get(&piece.hash, self.limit_bytes)).collect()
    }

    fn learn(&self, learned: Vec<(B256, Bytecode)>) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        for (hash, code) in learned {
            generations.insert(hash, code, self.limit_bytes);
        }
    }
}

impl Generations {
    fn get(&mut self, hash: &B256, limit_bytes: usize) -> Option<Bytecode> {
        if let Some(code) = self.young.get(hash) {
            return Some(code.clone());
        }
        let code = self.old.remove(hash)?;
        self.insert(*hash, code.clone(), limit_bytes);
        Some(code)
    }

    fn insert(&mut self, hash: B256, code: Bytecode, limit_bytes: usize) {
        let bytes = cost(&code);
        // Each generation may fill half of the limit.
        if bytes > limit_bytes / 2 {
            return;
        }
        if self.young_bytes + bytes > limit_bytes / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(hash, code).is_none() {
            self.young_bytes += bytes;
        }
    }
}

/// One byte a byte, and one bit a byte of jump table.
fn cost(code: &Bytecode) -> usize {
    let bytes = code.bytes_slice().len();
    bytes + bytes / 8 + ENTRY_BYTES
}

fn verified(piece: LazyBytecode<'_>) -> Result<Bytecode, Rejected> {
    let bytes = piece.to_bytes()?;
    let computed = keccak256(&bytes);
    if computed != piece.hash {
        return Err(Rejected::CodeHash { stated: piece.hash, computed });
    }
    let code = analysed(bytes.clone());
    // Analysis copies most code to pad it. What it did not copy may belong to a larger buffer, which a cache must not
    // keep alive.
    let borrowed = code.bytes_slice().as_ptr() == bytes.as_ptr();
    Ok(if borrowed { analysed(Bytes::copy_from_slice(&bytes)) } else { code })
}

/// A delegation (EIP-7702) or a program. Code that only begins like a delegation is a program.
fn analysed(code: Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

#[cfg(test)]
mod tests {
    use refiner_specimen::CodeRead;

    use super::*;

    fn codes(reads: &[&CodeRead]) -> BytecodeTable {
        BytecodeTable::from(reads.iter().map(|&read| read.clone()).collect::<Vec<_>>())
    }

    fn read(fill: u8, len: usize) -> CodeRead {
        let code = Bytes::from(vec![fill; len]);
        CodeRead { hash: keccak256(&code), code }
    }

    fn kept(cache: &CodeCache) -> usize {
        let generations = cache.generations.lock().unwrap();
        generations.young.len() + generations.old.len()
    }

    #[test]
    fn code_that_does_not_hash_to_its_stated_hash_is_rejected() {
        let stated = keccak256([1]);
        let lie = CodeRead { hash: stated, code: Bytes::from_static(&[2]) };
        let expected = Rejected::CodeHash { stated, computed: keccak256([2]) };
        assert_eq!(CodeCache::default().analyse(&codes(&[&lie])), Err(expected));
    }

    #[test]
    fn cached_code_does_not_vouch_for_other_bytes_under_its_hash() {
        let cache = CodeCache::default();
        let honest = read(0x5b, 40);
        assert!(cache.analyse(&codes(&[&honest])).is_ok());
        let lie = CodeRead { hash: honest.hash, code: Bytes::from(vec![0x5b; 41]) };
        assert!(matches!(cache.analyse(&codes(&[&lie])), Err(Rejected::CodeHash { .. })));
    }

    #[test]
    fn a_second_block_shares_the_first_ones_analysis() {
        let cache = CodeCache::default();
        let code = read(0x60, 100);
        let first = cache.analyse(&codes(&[&code])).unwrap();
        let second = cache.analyse(&codes(&[&code])).unwrap();
        assert_eq!(first[&code.hash].bytes_slice().as_ptr(), second[&code.hash].bytes_slice().as_ptr());
    }

    #[test]
    fn cached_code_never_borrows_the_specimens_buffer() {
        for ends in [0x00, 0x60] {
            let code = read(ends, 64);
            let block = CodeCache::default().analyse(&codes(&[&code])).unwrap();
            assert_ne!(block[&code.hash].bytes_slice().as_ptr(), code.code.as_ptr(), "ends in {ends:#x}");
        }
    }

    #[test]
    fn the_cache_stays_under_its_limit_and_forgets_the_least_used() {
        let one = cost(&analysed(read(0, 800).code));
        let cache = CodeCache::with_limit(4 * one);
        let hot = read(0, 800);
        for fill in 1..20 {
            cache.analyse(&codes(&[&hot, &read(fill, 800)])).unwrap();
            assert!(kept(&cache) <= 4);
        }
        let generations = cache.generations.lock().unwrap();
        assert!(generations.young.contains_key(&hot.hash) || generations.old.contains_key(&hot.hash));
    }

    #[test]
    fn code_larger_than_a_generation_is_used_but_not_kept() {
        let cost_of_800 = cost(&analysed(read(0, 800).code));
        for (limit, expected) in [(2 * cost_of_800, 1), (2 * cost_of_800 - 1, 0)] {
            let cache = CodeCache::with_limit(limit);
            assert_eq!(cache.analyse(&codes(&[&read(0, 800)])).unwrap().len(), 1);
            assert_eq!(kept(&cache), expected, "limit {limit}");
        }
    }

    #[test]
    fn a_delegation_is_told_from_code_that_only_begins_like_one() {
        let delegation = analysed([&[0xef, 0x01, 0x00][..], &[0x11; 20]].concat().into());
        assert!(delegation.is_eip7702());
        let program = analysed([&[0xef, 0x01, 0x00][..], &[0x11; 21]].concat().into());
        assert!(program.is_legacy());
    }
}
