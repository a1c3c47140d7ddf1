//! Specimens to announce: small blocks of a chain of our own.

use alloy_primitives::B256;
use refiner_specimen::{Layout, Specimen, decode, encode, specimen_hash};
use refiner_testkit::{BlockPlan, Chain, Fork, Manner, Sample, World, real, samples};

/// A specimen and its announcement.
#[derive(Clone)]
pub struct Given {
    pub chain: u64,
    pub height: u64,
    pub block_hash: B256,
    pub hash: B256,
    pub bytes: Vec<u8>,
}

impl Given {
    pub fn of(bytes: Vec<u8>) -> Self {
        let specimen = decode(&bytes).unwrap();
        Self {
            chain: specimen.block.network_id,
            height: specimen.block.header.number,
            block_hash: specimen.block.hash,
            hash: specimen_hash(&bytes),
            bytes,
        }
    }
}

/// Blocks for a soak: three of our own for each of the network's, which are large; ours alone where the network's are not present.
pub fn mixed(count: usize) -> Box<dyn Iterator<Item = Given>> {
    let ours = stream(count as u64).into_iter();
    let Some(real) = real_blocks() else { return Box::new(ours) };
    let real = (22_800_000..).zip(real.into_iter().cycle()).map(|(number, block)| numbered(&block, number));
    let mut both = (ours, real);
    Box::new((0..count).filter_map(move |turn| if turn % 4 == 3 { both.1.next() } else { both.0.next() }))
}

/// `count` empty blocks of mainnet after Cancun: one block, and the same with other numbers. Nothing in it depends on its number.
pub fn stream(count: u64) -> Vec<Given> {
    let world = World::with_contracts(Fork::Cancun);
    let mut chain = Chain::new(1, Fork::Cancun, 19_700_000, 1_713_600_011, world);
    let block = chain.seal(BlockPlan::default()).unwrap();
    let first = Sample::new(block, Layout::V0_37, Manner::default()).unwrap().specimen;
    (0..count).map(|further| numbered(&first, first.block.header.number + further)).collect()
}

/// The same block with another number, and so with another hash.
fn numbered(specimen: &Specimen, number: u64) -> Given {
    let mut specimen = specimen.clone();
    let header = &mut specimen.block.header;
    header.number = number;
    specimen.block.hash = header.hash_slow();
    (specimen.start_block, specimen.end_block) = (number, number);
    specimen.event_hash = specimen.block.hash;
    // Recorded logs repeat both.
    let hash = specimen.block.hash;
    for log in specimen.block.receipts.iter_mut().flat_map(|receipt| &mut receipt.logs) {
        (log.block_number, log.block_hash) = (number, hash);
    }
    Given::of(encode(&specimen, specimen.layout).unwrap())
}

/// As many blocks as large as the network's: its own specimens in turn, with other numbers, each the parent of the next. Execution
/// notices the numbers, so results are those of an evm-server, which compares nothing. `None` where the network's are not present.
pub fn real_stream(count: usize) -> Option<Vec<Given>> {
    let real = real_blocks()?;
    let mut parent = B256::ZERO;
    let next = |(number, block): (u64, &Specimen)| {
        let mut block = block.clone();
        block.block.header.parent_hash = parent;
        let given = numbered(&block, number);
        parent = given.block_hash;
        given
    };
    Some((22_800_000..).zip(real.iter().cycle()).take(count).map(next).collect())
}

/// The network's own specimens that can be given another number.
fn real_blocks() -> Option<Vec<Specimen>> {
    // Their layouts drop what an evm-server needs: blob fee caps, authorizations.
    const INCOMPLETE: [u64; 2] = [19_434_485, 22_433_670];
    let real = real::specimens().unwrap()?;
    let real = real.into_iter().filter(|specimen| !INCOMPLETE.contains(&specimen.vector.height));
    let real = real.map(|specimen| decode(&specimen.file.bytes).unwrap());
    // Under another number, the hashes that a block asked for are those of other blocks.
    Some(real.filter(|specimen| specimen.block.state.block_hashes.is_empty()).collect())
}

/// A specimen of one block.
pub fn one() -> Given {
    stream(1).remove(0)
}

/// The committed samples of mainnet that can be executed, and the network's own specimens where they are present.
pub fn committed_and_real() -> Vec<Given> {
    let mut files: Vec<_> = samples().unwrap().into_iter().map(|file| file.bytes).collect();
    match real::specimens().unwrap() {
        Some(specimens) => files.extend(specimens.into_iter().map(|specimen| specimen.file.bytes)),
        None => eprintln!("skipped: the network's own specimens are not present"),
    }
    let given = files.into_iter().map(Given::of);
    given.filter(|given| given.chain == 1).collect()
}
