//! The parts of a manifest that follow from its units, compared with them.

use crate::{Chain, Manifest, OutputTerms, Totals, Unit, manifest::chains};

/// A statement of a manifest that does not follow from its units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistency {
    /// A sum is another.
    #[error("the manifest's totals state {stated} {what}, and its units have {computed}")]
    Total {
        /// Name of the total.
        what: &'static str,
        /// The sum in the manifest.
        stated: u64,
        /// The sum over the units.
        computed: u64,
    },
    /// The heights of a chain are others.
    #[error("the manifest's chains differ from its units in the {part} of chain {chain_id}")]
    Chain {
        /// Id of the chain.
        chain_id: u64,
        /// The part that differs: blocks, coverage or gaps.
        part: &'static str,
    },
    /// A unit has more blocks than a file may have.
    #[error(
        "unit {chain_id}-{first} to {last} has {blocks} blocks, and by the manifest's terms ({term}) a file has at most {most}"
    )]
    UnitSize {
        /// Chain of the unit.
        chain_id: u64,
        /// Height of its first block.
        first: u64,
        /// Height of its last block.
        last: u64,
        /// Number of its blocks.
        blocks: u64,
        /// The key of the terms that bounds it.
        term: &'static str,
        /// The bound.
        most: u64,
    },
    /// A unit or specimen comes after one that it belongs before, or is there twice.
    #[error("block {chain_id}-{height} is twice in the manifest's units, or not in its order")]
    Order {
        /// Chain of the block.
        chain_id: u64,
        /// Its height.
        height: u64,
    },
}

impl Manifest {
    /// Everything in the manifest that does not follow from its units.
    pub fn inconsistencies(&self) -> Vec<Inconsistency> {
        let computed = Totals::of(&self.units);
        let sum = |what, of: fn(&Totals) -> u64| {
            let (stated, computed) = (of(&self.totals), of(&computed));
            (stated != computed).then_some(Inconsistency::Total { what, stated, computed })
        };
        let sums = [
            sum("specimens", |totals| totals.specimens),
            sum("files", |totals| totals.files),
            sum("rows", |totals| totals.rows),
            sum("bytes", |totals| totals.bytes),
            sum("other verdicts", |totals| totals.other_verdicts),
        ];
        let chain = first_other_chain(&self.chains, &chains(&self.units));
        let size = first_too_large(&self.terms.output, &self.units);
        sums.into_iter().flatten().chain(chain).chain(size).chain(first_out_of_order(&self.units)).collect()
    }

    /// True where the manifest states that it covers a height.
    pub fn covers(&self, chain_id: u64, height: u64) -> bool {
        let mut of_chain = self.chains.iter().filter(|chain| chain.chain_id == chain_id);
        of_chain.any(|chain| chain.coverage.iter().any(|(first, last)| (*first..=*last).contains(&height)))
    }
}

fn first_other_chain(stated: &[Chain], computed: &[Chain]) -> Option<Inconsistency> {
    let other = (0..stated.len().max(computed.len())).find(|index| stated.get(*index) != computed.get(*index))?;
    let (chain_id, part) = match (stated.get(other), computed.get(other)) {
        (Some(stated), Some(computed)) if stated.chain_id == computed.chain_id => {
            let has_blocks = stated.blocks == computed.blocks;
            let part = if stated.coverage != computed.coverage { "coverage" } else { "gaps" };
            (stated.chain_id, if has_blocks { part } else { "blocks" })
        }
        // One of the two lacks the lower one.
        (stated, computed) => (stated.into_iter().chain(computed).map(|chain| chain.chain_id).min()?, "blocks"),
    };
    Some(Inconsistency::Chain { chain_id, part })
}

/// The first unit with more blocks than the form of the files allows.
fn first_too_large(output: &OutputTerms, units: &[Unit]) -> Option<Inconsistency> {
    let (term, most) = match output {
        OutputTerms::Artifacts => ("form artifacts", 1),
        OutputTerms::Table { blocks_per_file, .. } => ("blocksPerFile", *blocks_per_file),
    };
    let Unit { chain_id, first, last, specimens, .. } = units.iter().find(|unit| unit.specimens.len() as u64 > most)?;
    let blocks = specimens.len() as u64;
    Some(Inconsistency::UnitSize { chain_id: *chain_id, first: *first, last: *last, blocks, term, most })
}

/// The first block out of the order of units, which are by chain and first height, or of specimens within a unit; or one that two
/// units have.
fn first_out_of_order(units: &[Unit]) -> Option<Inconsistency> {
    let key = |unit: &Unit| (unit.chain_id, unit.first);
    let later_unit = || units.windows(2).find(|pair| key(&pair[0]) >= key(&pair[1])).map(|pair| key(&pair[1]));
    let later_specimen = |unit: &Unit| {
        let pair = unit.specimens.windows(2).find(|pair| pair[0].height >= pair[1].height);
        pair.map(|pair| (unit.chain_id, pair[1].height))
    };
    let twice = || {
        let heights =
            units.iter().flat_map(|unit| unit.specimens.iter().map(|specimen| (unit.chain_id, specimen.height)));
        let mut heights: Vec<_> = heights.collect();
        heights.sort_unstable();
        heights.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    };
    let found = later_unit().or_else(|| units.iter().find_map(later_specimen)).or_else(twice);
    found.map(|(chain_id, height)| Inconsistency::Order { chain_id, height })
}
