//! The JSON of blockchain tests, as ethereum/tests (`BlockchainTests`) and execution-spec-tests (`blockchain_tests`)
//! publish it. Only what is used is read; other kinds of test in the same folders lack `blocks` and are passed over.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use alloy_consensus::Header;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, Error as _, MapAccess, Visitor},
};

use crate::{
    fork::Fork,
    world::{Account, World},
};

/// One test: a chain from its first state on.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// The fork, or a transition between two.
    pub network: Option<String>,
    /// The header of the first block.
    pub genesis_block_header: Option<StatedHeader>,
    /// The state after the first block.
    pub pre: Option<BTreeMap<Address, StatedAccount>>,
    /// The blocks after the first, in order of import.
    pub blocks: Option<Vec<StatedBlock>>,
    /// `NoReward` where blocks are not rewarded.
    #[serde(default)]
    pub seal_engine: Option<String>,
    /// Chain id and blob schedule, in newer tests.
    #[serde(default)]
    pub config: Config,
}

/// Facts of the chain that newer tests state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    /// The chain id; 1 where it is not stated.
    pub chainid: Option<Number>,
    /// By name of fork.
    pub blob_schedule: BTreeMap<String, BlobEntry>,
}

/// A block of a test.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedBlock {
    /// The block's encoding; some tests of encodings have something else here.
    pub rlp: String,
    /// The class of the fault, for an invalid block.
    #[serde(default, alias = "expectExceptionALL")]
    pub expect_exception: Option<String>,
    /// Present for a valid block.
    #[serde(default)]
    pub block_header: Option<de::IgnoredAny>,
}

impl StatedBlock {
    /// The class of the fault of an invalid block; `None` for a valid one.
    pub fn fault(&self) -> Option<&str> {
        match (&self.expect_exception, &self.block_header) {
            (Some(class), _) => Some(class),
            (None, None) => Some("no class stated"),
            (None, Some(_)) => None,
        }
    }
}

/// A number in hex, with as many leading zeros as the writer liked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number(pub U256);

impl Number {
    /// The number in 64 bits, or the largest of them.
    pub fn saturating_u64(self) -> u64 {
        self.0.saturating_to()
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let Some(digits) = text.strip_prefix("0x") else {
            return U256::from_str_radix(&text, 10).map(Self).map_err(D::Error::custom);
        };
        if digits.is_empty() {
            Ok(Self::default())
        } else {
            U256::from_str_radix(digits, 16).map(Self).map_err(D::Error::custom)
        }
    }
}

/// One entry of `blobSchedule`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobEntry {
    target: Number,
    max: Number,
    base_fee_update_fraction: Number,
}

impl BlobEntry {
    /// These figures, with what the fork fixes for every chain.
    pub fn over(&self, fork: Fork) -> BlobParams {
        let max = self.max.saturating_u64();
        let base = fork.blob_params().unwrap_or_else(BlobParams::osaka);
        // EIP-7594: from Osaka on a transaction may carry fewer blobs than a block.
        let max_blobs_per_tx = if fork >= Fork::Osaka { base.max_blobs_per_tx } else { max };
        BlobParams {
            target_blob_count: self.target.saturating_u64(),
            max_blob_count: max,
            update_fraction: self.base_fee_update_fraction.0.saturating_to(),
            max_blobs_per_tx,
            ..base
        }
    }
}

/// An account of `pre`.
#[derive(Clone, Debug, Deserialize)]
pub struct StatedAccount {
    nonce: Number,
    balance: Number,
    code: Bytes,
    storage: BTreeMap<NumberKey, Number>,
}

/// A slot as the key of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct NumberKey(U256);

impl<'de> Deserialize<'de> for NumberKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Number::deserialize(deserializer).map(|Number(number)| Self(number))
    }
}

/// The state that `pre` describes.
pub fn world(pre: &BTreeMap<Address, StatedAccount>) -> World {
    let account = |stated: &StatedAccount| {
        let storage = stated.storage.iter().map(|(NumberKey(slot), Number(value))| (*slot, *value)).collect();
        Account::new(stated.nonce.saturating_u64(), stated.balance.0, stated.code.clone(), storage)
    };
    pre.iter().map(|(address, stated)| (*address, account(stated))).collect()
}

/// A header in JSON, by the field names of ethereum/tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedHeader {
    parent_hash: B256,
    uncle_hash: B256,
    coinbase: Address,
    state_root: B256,
    transactions_trie: B256,
    receipt_trie: B256,
    bloom: Bloom,
    difficulty: Number,
    number: Number,
    gas_limit: Number,
    gas_used: Number,
    timestamp: Number,
    extra_data: Bytes,
    mix_hash: B256,
    nonce: B64,
    base_fee_per_gas: Option<Number>,
    withdrawals_root: Option<B256>,
    blob_gas_used: Option<Number>,
    excess_blob_gas: Option<Number>,
    parent_beacon_block_root: Option<B256>,
    requests_hash: Option<B256>,
    /// The hash of all of it.
    pub hash: B256,
}

impl StatedHeader {
    /// The header without its body.
    pub fn header(&self) -> Header {
        Header {
            parent_hash: self.parent_hash,
            ommers_hash: self.uncle_hash,
            beneficiary: self.coinbase,
            state_root: self.state_root,
            transactions_root: self.transactions_trie,
            receipts_root: self.receipt_trie,
            logs_bloom: self.bloom,
            difficulty: self.difficulty.0,
            number: self.number.saturating_u64(),
            gas_limit: self.gas_limit.saturating_u64(),
            gas_used: self.gas_used.saturating_u64(),
            timestamp: self.timestamp.saturating_u64(),
            extra_data: self.extra_data.clone(),
            mix_hash: self.mix_hash,
            nonce: self.nonce,
            base_fee_per_gas: self.base_fee_per_gas.map(Number::saturating_u64),
            withdrawals_root: self.withdrawals_root,
            blob_gas_used: self.blob_gas_used.map(Number::saturating_u64),
            excess_blob_gas: self.excess_blob_gas.map(Number::saturating_u64),
            parent_beacon_block_root: self.parent_beacon_block_root,
            requests_hash: self.requests_hash,
            ..Header::default()
        }
    }
}

/// Reads the tests of a file one by one, so that no more than one is held.
///
/// # Errors
/// When the file is no JSON object, or a field of a test is of another kind.
pub fn each_test(bytes: &[u8], each: impl FnMut(&str, Test)) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    EachTest(each, PhantomData).deserialize(&mut deserializer)?;
    deserializer.end()
}

struct EachTest<'de, F>(F, PhantomData<&'de ()>);

impl<'de, F: FnMut(&str, Test)> DeserializeSeed<'de> for EachTest<'de, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, Test)> Visitor<'de> for EachTest<'de, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tests by name")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut tests: A) -> Result<(), A::Error> {
        while let Some((name, test)) = tests.next_entry::<String, Test>()? {
            (self.0)(&name, test);
        }
        Ok(())
    }
}
