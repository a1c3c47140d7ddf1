//! The samples: which block in which layout, and what must come out.

use alloy_primitives::{B256, Bytes, hex};
use refiner_specimen::{BlobSidecar, Layout, Specimen, encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{BlockPlan, Chain, Contract, Fork, KitError, Manner, SealedBlock, export, scenario};

/// Ethereum mainnet, so that its forks are found without a configuration.
pub const MAINNET: u64 = 1;
/// A private chain, merged at genesis; its configuration is `devnet-1337.json`.
pub const DEVNET: u64 = 1337;

/// A specimen of our own making.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The block and what it did, also what the specimen lost of it.
    pub block: SealedBlock,
    /// The block as a specimen.
    pub specimen: Specimen,
    /// The specimen encoded.
    pub bytes: Vec<u8>,
    /// Reason why canonical execution cannot be faithful, for a specimen that lost too much.
    pub unsupported: Option<&'static str>,
}

impl Sample {
    /// Encodes a block in a layout.
    ///
    /// # Errors
    ///
    /// When the layout has no place for something in the block.
    pub fn new(block: SealedBlock, layout: Layout, manner: Manner) -> Result<Self, KitError> {
        let lost = block.outcome.receipts.iter().any(|receipt| receipt.tx_type == 4) && !manner.authorizations;
        let specimen = export(&block, layout, manner);
        let name = format!("{}-{}", block.chain_id, block.header.number);
        let bytes = encode(&specimen, layout).map_err(|source| KitError::Encode { name, source: source.into() })?;
        let unsupported = lost.then_some("a type-4 transaction without its AuthList");
        Ok(Self { block, specimen, bytes, unsupported })
    }

    /// Chain and height, `1-15600000`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.block.chain_id, self.block.header.number)
    }

    /// The values that a reader of the file must find in it, for `expected.json`.
    pub fn expectations(&self) -> Value {
        let Self { block, specimen, bytes, unsupported } = self;
        let receipts = &block.outcome.receipts;
        let mut types = [0u32; 5];
        for receipt in receipts {
            types[usize::from(receipt.tx_type)] += 1;
        }
        json!({
            "file": format!("{}.avro", self.name()),
            "chainId": block.chain_id,
            "height": block.header.number,
            "layout": specimen.layout.as_str(),
            "statedCodecVersion": specimen.stated_codec_version,
            "bytes": bytes.len(),
            "sha256": hex::encode(Sha256::digest(bytes)),
            "specimenHash": hex::encode(specimen_hash(bytes)),
            "blockHash": block.hash,
            "gasUsed": block.header.gas_used,
            "receiptsRoot": block.header.receipts_root,
            "requestsHash": block.header.requests_hash,
            "transactions": receipts.len(),
            "transactionsByType": types,
            "failed": receipts.iter().filter(|receipt| !receipt.success).count(),
            "logs": receipts.iter().map(|receipt| receipt.logs.len()).sum::<usize>(),
            "unsupported": unsupported,
        })
    }
}

/// Every committed sample, oldest fork first.
///
/// # Errors
///
/// None, unless the kit itself is broken.
pub fn samples() -> Result<Vec<Sample>, KitError> {
    let statue = || vec![Contract::Statue.address()];
    let mut samples = Vec::new();

    let mut paris = mainnet(Fork::Paris, 15_600_000, 1_664_150_027);
    let block = paris.seal(plan("refiner sample, Paris", scenario::everyday()))?;
    samples.push(Sample::new(block, Layout::V0_31, Manner::default())?);

    let mut shanghai = mainnet(Fork::Shanghai, 17_100_000, 1_682_143_019);
    let block = shanghai.seal(with_withdrawals(plan("refiner sample, Shanghai", scenario::everyday())))?;
    samples.push(Sample::new(block, Layout::V0_35, Manner { size_only: statue(), ..Manner::default() })?);

    let mut cancun = mainnet(Fork::Cancun, 19_435_000, 1_710_440_735);
    let transactions = [scenario::indifferent_blobs(empty_blob_hash()), scenario::payments()].concat();
    let block = cancun.seal(with_withdrawals(plan("refiner sample, first Cancun", transactions)))?;
    // The layout of these files came before the number that goes with it.
    let manner = Manner { stated_codec_version: Some(0.35), ..Manner::default() };
    samples.push(Sample::new(block, Layout::V0_36, manner)?);

    let mut cancun = mainnet(Fork::Cancun, 19_600_000, 1_712_343_011);
    let transactions = [scenario::blobs(empty_blob_hash()), scenario::everyday()].concat();
    let block = cancun.seal(with_withdrawals(plan("refiner sample, Cancun", transactions)))?;
    let manner = Manner {
        size_only: statue(),
        own_height_read: true,
        sidecars: Some(vec![partial_sidecar()]),
        ..Manner::default()
    };
    samples.push(Sample::new(block, Layout::V0_37, manner)?);

    let mut prague = mainnet(Fork::Prague, 22_500_000, 1_747_445_015);
    let transactions = [scenario::blobs(empty_blob_hash()), scenario::requests(), scenario::everyday()].concat();
    let block = prague.seal(with_withdrawals(plan("refiner sample, Prague", transactions)))?;
    let sidecars = Some(Vec::new());
    let manner = Manner { size_only: statue(), sidecars: sidecars.clone(), ..Manner::default() };
    samples.push(Sample::new(block, Layout::V0_38, manner)?);

    let block = prague.seal(with_withdrawals(plan("refiner sample, AuthList", scenario::delegations())))?;
    let manner = Manner { authorizations: true, sidecars: sidecars.clone(), ..Manner::default() };
    samples.push(Sample::new(block, Layout::V0_38, manner)?);

    let block = prague.seal(plan("refiner sample, no AuthList", scenario::delegations()))?;
    samples.push(Sample::new(block, Layout::V0_38, Manner { sidecars, ..Manner::default() })?);

    let mut devnet = Chain::new(DEVNET, Fork::Prague, 1, 1_700_000_000, scenario::world(Fork::Prague));
    devnet.seal(plan("refiner devnet", scenario::requests()))?;
    let transactions = [scenario::requests(), scenario::delegations()].concat();
    let block = devnet.seal(with_withdrawals(plan("refiner devnet", transactions)))?;
    let manner = Manner { authorizations: true, ..Manner::default() };
    samples.push(Sample::new(block, Layout::V0_38, manner)?);

    Ok(samples)
}

/// A Prague block of mainnet with this many transactions, for load tests.
///
/// # Errors
///
/// When the transactions need more than the senders have: some millions of them.
pub fn large(transactions: usize) -> Result<Sample, KitError> {
    let mut chain = mainnet(Fork::Prague, 22_600_000, 1_748_655_011);
    let plans = scenario::crowd(transactions);
    chain.set_gas_limit(plans.iter().map(|plan| plan.gas).sum::<u64>().max(36_000_000));
    let block = chain.seal(with_withdrawals(plan("refiner sample, large", plans)))?;
    Sample::new(block, Layout::V0_38, Manner::default())
}

/// Prague blocks of mainnet, one after another, each with this many transactions, for load tests.
///
/// # Errors
///
/// As [`large`].
pub fn crowds(blocks: usize, transactions: usize) -> Result<Vec<Sample>, KitError> {
    let mut chain = mainnet(Fork::Prague, 22_700_000, 1_749_862_811);
    chain.set_gas_limit(scenario::crowd(transactions).iter().map(|plan| plan.gas).sum::<u64>().max(36_000_000));
    let seal = |_| {
        let block = chain.seal(plan("refiner sample, crowds", scenario::crowd(transactions)))?;
        Sample::new(block, Layout::V0_38, Manner::default())
    };
    (0..blocks).map(seal).collect()
}

/// The geth-style configuration of [`DEVNET`]: every fork up to Prague from genesis on.
pub fn devnet_config() -> Value {
    let cancun = Fork::Cancun.blob_params().map(blob_schedule);
    let prague = Fork::Prague.blob_params().map(blob_schedule);
    json!({
        "chainId": DEVNET,
        "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0,
        "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
        "mergeNetsplitBlock": 0, "terminalTotalDifficulty": 0, "terminalTotalDifficultyPassed": true,
        "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
        "depositContractAddress": crate::DEPOSIT_CONTRACT,
        "blobSchedule": { "cancun": cancun, "prague": prague },
    })
}

pub(crate) fn blob_schedule(params: alloy_eips::eip7840::BlobParams) -> Value {
    let fraction = u64::try_from(params.update_fraction).unwrap_or(u64::MAX);
    json!({ "target": params.target_blob_count, "max": params.max_blob_count, "baseFeeUpdateFraction": fraction })
}

pub(crate) fn mainnet(fork: Fork, height: u64, timestamp: u64) -> Chain {
    Chain::new(MAINNET, fork, height, timestamp, scenario::world(fork))
}

fn plan(extra_data: &'static str, transactions: Vec<crate::Plan>) -> BlockPlan {
    BlockPlan { transactions, extra_data: Bytes::from_static(extra_data.as_bytes()), ..BlockPlan::default() }
}

fn with_withdrawals(plan: BlockPlan) -> BlockPlan {
    BlockPlan { withdrawals: scenario::withdrawals(), ..plan }
}

/// The KZG commitment to the blob of zeros, and its proof: the point at infinity, compressed.
const INFINITY: [u8; 48] = {
    let mut point = [0; 48];
    point[0] = 0xc0;
    point
};

/// A sidecar without its blob, as the producer exports many.
pub(crate) fn partial_sidecar() -> BlobSidecar {
    let point = Bytes::from_static(&INFINITY);
    BlobSidecar { blobs: Vec::new(), commitments: vec![point.clone()], proofs: vec![point] }
}

/// The versioned hash of the blob of zeros, EIP-4844.
fn empty_blob_hash() -> B256 {
    alloy_eips::eip4844::kzg_to_versioned_hash(&INFINITY)
}

/// sha256 of the quoted base64 of the bytes, which is what the network announces. Written here a second time, on purpose.
fn specimen_hash(bytes: &[u8]) -> [u8; 32] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("\"");
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = group >> (18 - 6 * position) & 63;
            text.push(if position > chunk.len() { '=' } else { char::from(ALPHABET[index as usize]) });
        }
    }
    text.push('"');
    Sha256::digest(text).into()
}
