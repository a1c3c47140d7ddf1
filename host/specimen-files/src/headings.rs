//! Chain, height and hashes of inputs, by their first bytes.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use alloy_primitives::B256;
use refiner_specimen::peek_header;

use crate::input::Input;

/// First bytes of a file that are read: a heading has some two thousand, whatever follows it.
const HEAD_BYTES: u64 = 8 << 10;
/// What is read where that does not suffice.
const LONG_HEAD_BYTES: u64 = 64 << 10;
/// Inputs that a thread takes at once.
const SHARE: usize = 64;

/// The first fields of a specimen. They are what the file states: only a run checks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Id of the chain.
    pub chain_id: u64,
    /// Height of the block.
    pub height: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// Hash of the block before it.
    pub parent_hash: B256,
    /// True where the header has the stated hash.
    pub is_consistent: bool,
}

impl Heading {
    /// The heading of an input, or none where its first bytes are no specimen's.
    pub fn of(input: &Input) -> Option<Self> {
        let peek = |bytes| peek_header(&input.head(bytes)).ok();
        let found = peek(HEAD_BYTES).or_else(|| peek(LONG_HEAD_BYTES))?;
        Some(Self {
            chain_id: found.network_id,
            height: found.header.number,
            block_hash: found.hash,
            parent_hash: found.header.parent_hash,
            is_consistent: found.header_hash == found.hash,
        })
    }

    /// The headings of many inputs, in their order.
    pub fn of_all(inputs: &[Input], threads: NonZeroUsize) -> Vec<Option<Self>> {
        let next = AtomicUsize::new(0);
        let read = || {
            let mut read = Vec::new();
            loop {
                let start = next.fetch_add(SHARE, Ordering::Relaxed);
                let Some(share) = inputs.get(start..inputs.len().min(start + SHARE)).filter(|share| !share.is_empty())
                else {
                    return read;
                };
                read.push((start, share.iter().map(Self::of).collect::<Vec<_>>()));
            }
        };
        let mut shares = thread::scope(|scope| {
            let threads: Vec<_> = (1..threads.get()).filter_map(|_| thread::Builder::new().spawn_scoped(scope, read).ok()).collect();
            let mut shares = read();
            for thread in threads {
                shares.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            shares
        });
        shares.sort_by_key(|(start, _)| *start);
        shares.into_iter().flat_map(|(_, share)| share).collect()
    }
}
