//! An endless row of specimens: the samples that are part of the program, under ever new numbers.

use alloy_primitives::B256;
use refiner_specimen::{Specimen, decode, encode, specimen_hash};

use crate::error::DevnetError;

/// Samples of mainnet whose blocks execute the same under any number of their fork.
const SAMPLES: [&[u8]; 3] = [
    include_bytes!("../../../tests/samples/1-17100000.avro"),
    include_bytes!("../../../tests/samples/1-19600000.avro"),
    include_bytes!("../../../tests/samples/1-22500000.avro"),
];

/// A specimen to announce.
pub struct Announced {
    pub height: u64,
    pub block_hash: B256,
    pub hash: B256,
    pub bytes: Vec<u8>,
}

/// The row.
pub struct Specimens {
    samples: Vec<Specimen>,
    given: u64,
}

impl Specimens {
    pub fn new() -> Result<Self, DevnetError> {
        let samples = SAMPLES.iter().map(|bytes| decode(bytes)).collect::<Result<_, _>>()?;
        Ok(Self { samples, given: 0 })
    }

    /// The next one: each sample in its turn, one block further.
    pub fn next(&mut self) -> Result<Announced, DevnetError> {
        let count = self.samples.len() as u64;
        let index = usize::try_from(self.given % count).unwrap_or(0);
        let further = self.given / count;
        self.given += 1;
        let sample = &self.samples[index];
        numbered(sample, sample.block.header.number + further)
    }
}

/// The same block with another number, and so with another hash.
fn numbered(sample: &Specimen, number: u64) -> Result<Announced, DevnetError> {
    let mut specimen = sample.clone();
    let header = &mut specimen.block.header;
    let further = number - header.number;
    header.number = number;
    // What BLOCKHASH was asked for is as far below the block as before.
    specimen.block.state.block_hashes.iter_mut().for_each(|read| read.number += further);
    specimen.block.hash = header.hash_slow();
    (specimen.start_block, specimen.end_block) = (number, number);
    specimen.event_hash = specimen.block.hash;
    // Recorded logs repeat both.
    let hash = specimen.block.hash;
    for log in specimen.block.receipts.iter_mut().flat_map(|receipt| &mut receipt.logs) {
        (log.block_number, log.block_hash) = (number, hash);
    }
    let bytes = encode(&specimen, specimen.layout)?;
    Ok(Announced { height: number, block_hash: hash, hash: specimen_hash(&bytes), bytes })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_specimens_have_a_height_or_a_hash_in_common() {
        let mut specimens = Specimens::new().unwrap();
        let row: Vec<_> = (0..30).map(|_| specimens.next().unwrap()).collect();
        assert_eq!(row.iter().map(|specimen| specimen.height).collect::<BTreeSet<_>>().len(), 30);
        assert_eq!(row.iter().map(|specimen| specimen.hash).collect::<BTreeSet<_>>().len(), 30);
        for specimen in &row {
            let read = decode(&specimen.bytes).unwrap();
            assert_eq!((read.block.header.number, read.block.hash), (specimen.height, specimen.block_hash));
            assert_eq!(read.block.hash, read.block.header.hash_slow());
        }
    }
}
