//! Specimens to announce: small blocks of a chain of our own.

use alloy_primitives::{B256, U256};
use refiner_specimen::{Layout, decode, specimen_hash};
use refiner_testkit::{BlockPlan, Chain, Contract, Fork, Manner, Sample, World, real, samples};

/// A specimen and what the chain is told of it.
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

/// `count` blocks of mainnet after Cancun, one after another.
pub fn stream(count: u64) -> Vec<Given> {
    let mut world = World::with_contracts(Fork::Cancun);
    world.fund(Contract::Adder.address(), U256::from(1));
    let mut chain = Chain::new(1, Fork::Cancun, 19_700_000, 1_713_600_011, world);
    let sealed = (0..count).map(|_| chain.seal(BlockPlan::default()).unwrap());
    sealed.map(|block| Given::of(Sample::new(block, Layout::V0_37, Manner::default()).unwrap().bytes)).collect()
}

/// One block.
pub fn one() -> Given {
    stream(1).remove(0)
}

/// The committed samples of mainnet that can be executed, and the network's own specimens where they are present.
pub fn committed_and_real() -> Vec<Given> {
    let mut files: Vec<_> = samples().unwrap().into_iter().map(|file| file.bytes).collect();
    match real::specimens().unwrap() {
        Some(specimens) => files.extend(specimens.into_iter().map(|specimen| specimen.file.bytes)),
        #[allow(clippy::print_stderr)]
        None => eprintln!("skipped: the network's own specimens are not present"),
    }
    let given = files.into_iter().map(Given::of);
    given.filter(|given| given.chain == 1).collect()
}
