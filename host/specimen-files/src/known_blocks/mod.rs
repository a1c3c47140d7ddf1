//! Block hashes that are known from elsewhere: a list, and the parent links of a data set's other blocks.
//!
//! A specimen that is consistent with its own header can still be of a block that no chain ever had. Only something outside it can
//! tell: an announcement (the daemon compares it), a list, or a block above it that names it as its parent.

mod list;
mod neighbours;

pub use self::list::BlockHashesError;

use std::{num::NonZeroUsize, path::Path};

use alloy_primitives::B256;
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};

use self::{list::BlockHashes, neighbours::Neighbours};
use crate::{headings::Heading, input::Input};

/// Everything that is known of the blocks of a replay.
#[derive(Debug, Default)]
pub struct KnownBlocks {
    listed: BlockHashes,
    neighbours: Neighbours,
}

impl KnownBlocks {
    /// Reads the list, if there is one, and the first bytes of every file; one block has no neighbour. What cannot be read links no
    /// blocks, and has its report where the whole is read.
    pub fn of(inputs: &[Input], list: Option<&Path>) -> Result<Self, BlockHashesError> {
        let inputs = if inputs.len() > 1 { inputs } else { &[] };
        let headings = Heading::of_all(inputs, NonZeroUsize::MIN);
        Self::of_headings(headings.iter().flatten().flatten(), list)
    }

    /// Reads the list, if there is one, and links blocks with these headings.
    pub fn of_headings<'a>(
        headings: impl Iterator<Item = &'a Heading>,
        list: Option<&Path>,
    ) -> Result<Self, BlockHashesError> {
        Ok(Self {
            listed: list.map(BlockHashes::read).transpose()?.unwrap_or_default(),
            neighbours: Neighbours::of(headings),
        })
    }

    /// The hashes that the list has for a height.
    pub fn listed(&self, chain: u64, height: u64) -> &[B256] {
        self.listed.get(chain, height)
    }

    /// The check `knownBlock` of a specimen.
    pub fn check(&self, specimen: &Specimen) -> Check {
        let block = &specimen.block;
        self.check_block(block.network_id, block.header.number, block.hash)
    }

    fn check_block(&self, chain: u64, height: u64, stated: B256) -> Check {
        let listed = self.listed.get(chain, height);
        // The list is the operator's word; the links are no more than what other files claim.
        let known: Vec<B256> = if listed.is_empty() { self.neighbours.parents(chain, height) } else { listed.to_vec() };
        let outcome = match known.first() {
            None => Outcome::NotCheckable("no announcement, list or neighbour names this block"),
            Some(_) if known.contains(&stated) => Outcome::Passed,
            Some(&other) => Outcome::Failed {
                subject: Subject::Whole,
                stated: Quantity::Hash(stated),
                computed: Quantity::Hash(other),
            },
        };
        Check { name: CheckName::KnownBlock, outcome }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use alloy_consensus::Header;
    use refiner_testkit::heading::{header, heading};

    use super::*;

    const ONE: B256 = B256::repeat_byte(1);
    const TWO: B256 = B256::repeat_byte(2);

    /// Writes a file that holds no more of a specimen than its heading.
    fn peek_header(directory: &Path, name: &str, chain: u64, header: &Header, hash: B256) -> Input {
        let path = directory.join(name);
        fs::write(&path, heading(chain, header, hash).unwrap()).unwrap();
        Input::File(path)
    }

    fn known(inputs: &[Input], list: &str) -> KnownBlocks {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), list).unwrap();
        KnownBlocks::of(inputs, Some(file.path())).unwrap()
    }

    fn outcome(known: &KnownBlocks, chain: u64, height: u64, stated: B256) -> String {
        let check = known.check_block(chain, height, stated);
        assert_eq!(check.name, CheckName::KnownBlock);
        match check.outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed { computed, .. } => format!("failed by {computed}"),
            Outcome::NotApplicable(reason) | Outcome::NotCheckable(reason) => reason.to_owned(),
        }
    }

    #[test]
    fn listed_hash_passes_another_fails_and_a_height_that_is_not_listed_is_not_checkable() {
        let known = known(&[], &format!("10 {ONE}\n5 10 {TWO}\n11 {ONE}\n11 {TWO}\n"));
        assert_eq!(outcome(&known, 1, 10, ONE), "passed");
        assert_eq!(outcome(&known, 1, 10, TWO), format!("failed by {ONE}"));
        assert_eq!(outcome(&known, 5, 10, TWO), "passed");
        assert_eq!(outcome(&known, 1, 11, TWO), "passed", "one of two that are listed");
        let nobody = "no announcement, list or neighbour names this block";
        assert_eq!(outcome(&known, 1, 12, ONE), nobody);
        assert_eq!(outcome(&known, 7, 10, ONE), nobody);
    }

    #[test]
    fn block_is_known_by_the_one_above_it_of_its_own_chain() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name, chain, number, parent: B256| {
            let header = header(number, parent);
            peek_header(directory.path(), name, chain, &header, header.hash_slow())
        };
        let inputs =
            [write("11", 1, 11, ONE), write("5-11", 5, 11, TWO), write("21", 1, 21, ONE), write("21b", 1, 21, TWO)];
        let known = KnownBlocks::of(&inputs, None).unwrap();
        assert_eq!(outcome(&known, 1, 10, ONE), "passed");
        assert_eq!(outcome(&known, 1, 10, TWO), format!("failed by {ONE}"));
        assert_eq!(outcome(&known, 5, 10, TWO), "passed");
        assert_eq!(outcome(&known, 1, 20, TWO), "passed", "one of two neighbours names it");
        assert_eq!(outcome(&known, 1, 20, B256::ZERO), format!("failed by {ONE}"));
        assert!(outcome(&known, 1, 11, ONE).starts_with("no announcement"));
    }

    #[test]
    fn neighbour_whose_header_is_not_that_of_its_hash_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let lying = peek_header(directory.path(), "lies", 1, &header(11, TWO), ONE);
        let cut = directory.path().join("cut");
        fs::write(&cut, b"no specimen").unwrap();
        let inputs = [lying, Input::File(cut), Input::File(directory.path().join("absent"))];
        let known = KnownBlocks::of(&inputs, None).unwrap();
        assert!(outcome(&known, 1, 10, TWO).starts_with("no announcement"));
    }

    #[test]
    fn list_goes_before_neighbours() {
        let directory = tempfile::tempdir().unwrap();
        let header = header(11, TWO);
        let above = peek_header(directory.path(), "11", 1, &header, header.hash_slow());
        let known = known(&[above], &format!("10 {ONE}"));
        assert_eq!(outcome(&known, 1, 10, TWO), format!("failed by {ONE}"));
        assert_eq!(outcome(&known, 1, 10, ONE), "passed");
    }
}
