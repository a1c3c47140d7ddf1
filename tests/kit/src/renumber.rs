//! Specimens at other heights: many blocks out of a few, with hashes that fit.

use std::{
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use alloy_primitives::B256;
use refiner_specimen::Specimen;

use crate::KitError;

/// The first height of what is made: after the merge, so that every fork goes by the time in the header.
pub const FIRST_HEIGHT: u64 = 17_000_000;

/// The block of a specimen at another height, after another block: header hash, segment, the recorded logs' positions and the hashes
/// of earlier blocks follow. A block whose execution reads its own number comes out differently, which a replay shows.
pub fn renumbered(specimen: &Specimen, height: u64, parent: B256) -> Specimen {
    let mut moved = specimen.clone();
    let before = moved.block.header.number;
    moved.block.header.number = height;
    moved.block.header.parent_hash = parent;
    let hash = moved.block.header.hash_slow();
    (moved.start_block, moved.end_block, moved.event_hash, moved.block.hash) = (height, height, hash, hash);
    for log in moved.block.receipts.iter_mut().flat_map(|receipt| &mut receipt.logs) {
        // The producer fills in neither.
        if log.block_number != 0 {
            log.block_number = height;
        }
        if log.block_hash != B256::ZERO {
            log.block_hash = hash;
        }
    }
    for read in &mut moved.block.state.block_hashes {
        read.number = (read.number + height).saturating_sub(before);
        if read.number + 1 == height {
            read.hash = parent;
        }
    }
    moved
}

/// Writes `count` specimens of consecutive heights into a folder, as `<chain>-<height>.avro`, from these in turn.
///
/// # Errors
///
/// A specimen cannot be encoded, or a file not be written.
pub fn write_renumbered(from: &[Specimen], first: u64, count: u64, folder: &Path) -> Result<(), KitError> {
    fs::create_dir_all(folder).map_err(|source| KitError::File { path: folder.to_owned(), source })?;
    let mut parent = B256::ZERO;
    let mut plan = Vec::new();
    for (height, specimen) in (first..first + count).zip(from.iter().cycle()) {
        plan.push((specimen, height, parent));
        let mut header = specimen.block.header.clone();
        (header.number, header.parent_hash) = (height, parent);
        parent = header.hash_slow();
    }
    let next = AtomicUsize::new(0);
    let write = || -> Result<(), KitError> {
        while let Some((specimen, height, parent)) = plan.get(next.fetch_add(1, Ordering::Relaxed)) {
            let path = folder.join(format!("{}-{height}.avro", specimen.block.network_id));
            let moved = renumbered(specimen, *height, *parent);
            let bytes = refiner_specimen::encode(&moved, moved.layout)
                .map_err(|error| KitError::Encode { name: path.display().to_string(), source: error.into() })?;
            fs::write(&path, bytes).map_err(|source| KitError::File { path, source })?;
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(write)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renumbered_block_is_the_same_at_another_height() {
        let sample = crate::best_available().unwrap().remove(0);
        let specimen = refiner_specimen::decode(&sample.bytes).unwrap();
        let parent = B256::repeat_byte(1);
        let moved = renumbered(&specimen, FIRST_HEIGHT, parent);
        assert_eq!(moved.block.hash, moved.block.header.hash_slow());
        assert_eq!((moved.start_block, moved.block.header.parent_hash), (FIRST_HEIGHT, parent));
        assert_eq!(moved.block.transactions, specimen.block.transactions);
        let bytes = refiner_specimen::encode(&moved, moved.layout).unwrap();
        assert_eq!(refiner_specimen::decode(&bytes).unwrap().block.hash, moved.block.hash);
    }
}
