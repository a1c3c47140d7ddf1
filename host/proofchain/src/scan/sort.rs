//! Logs sorted into announcements and others.

use super::{ScanError, Skipped, span::Span};
use crate::announcement::{Announcement, BlockRef, Decoded, ProofLog};

/// Tells announcements from the rest. A log from outside the span, or of another block than one of `headers` with its number, is of
/// another chain than they are.
///
/// # Errors
///
/// [`ScanError::Moved`].
pub fn sort(
    logs: &[ProofLog],
    span: &Span,
    headers: &[BlockRef],
    source_chains: &[u64],
) -> Result<(Vec<Announcement>, Skipped), ScanError> {
    let mut announcements = Vec::new();
    let mut skipped = Skipped::default();
    for log in logs {
        match log.decode() {
            Decoded::Announcement(found) => {
                let seen = found.seen_in;
                let is_other = |header: &BlockRef| header.number == seen.number && header.hash != seen.hash;
                if !(span.first..=span.last).contains(&seen.number) || headers.iter().any(is_other) {
                    return Err(ScanError::Moved { number: seen.number });
                }
                if source_chains.is_empty() || source_chains.contains(&found.chain_id) {
                    announcements.push(found);
                } else {
                    skipped.other_chain += 1;
                }
            }
            Decoded::Legacy { .. } => skipped.legacy += 1,
            Decoded::Removed => skipped.removed += 1,
            Decoded::Malformed(fault) => {
                skipped.malformed += 1;
                skipped.first_malformed.get_or_insert(fault);
            }
        }
    }
    announcements.sort_by_key(|found| (found.seen_in.number, found.log_index));
    announcements.dedup_by_key(|found| (found.seen_in.number, found.log_index));
    Ok((announcements, skipped))
}
