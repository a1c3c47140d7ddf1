//! Chain configs as geth writes them, the format of genesis files and devnets.

use std::collections::BTreeMap;

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::Address;
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;
use serde_json::Value;

use super::{BeforeMerge, ChainSpec, Merge, builtin::MAINNET_DEPOSIT_CONTRACT};

/// Reasons for which a chain config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChainConfigError {
    /// It is not JSON, or a field is missing or of another kind.
    #[error("not a geth chain config")]
    Json(#[from] serde_json::Error),
    /// A fork begins before the one it builds on, or that one is not scheduled.
    #[error("{fork} is scheduled, but not after {after}")]
    ForkOrder {
        /// The fork, by its key.
        fork: &'static str,
        /// The one it must follow, by its key.
        after: &'static str,
    },
    /// A blob-parameter fork is scheduled without its parameters.
    #[error("{fork} is scheduled, but blobSchedule has no {fork}")]
    BlobScheduleMissing {
        /// The fork, by its key in `blobSchedule`.
        fork: &'static str,
    },
    /// A blob schedule entry that would divide by zero or allow no blob.
    #[error("blobSchedule.{fork} has a zero max or baseFeeUpdateFraction")]
    BlobScheduleZero {
        /// The fork, by its key in `blobSchedule`.
        fork: &'static str,
    },
}

pub(super) fn parse(json: &str) -> Result<ChainSpec, ChainConfigError> {
    let mut value: Value = serde_json::from_str(json)?;
    if let Some(config) = value.get_mut("config").filter(|config| config.is_object()) {
        value = config.take();
    }
    let config: Config = serde_json::from_value(value)?;
    let merge = config.merge();
    Ok(ChainSpec {
        chain_id: config.chain_id,
        deposit_contract: config.deposit_contract_address.unwrap_or(MAINNET_DEPOSIT_CONTRACT),
        merge,
        before_merge: config.before_merge(merge)?,
        forks: config.forks()?,
        blobs: config.blobs()?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    chain_id: u64,
    homestead_block: Option<u64>,
    dao_fork_block: Option<u64>,
    #[serde(default)]
    dao_fork_support: bool,
    eip150_block: Option<u64>,
    eip155_block: Option<u64>,
    eip158_block: Option<u64>,
    byzantium_block: Option<u64>,
    constantinople_block: Option<u64>,
    petersburg_block: Option<u64>,
    istanbul_block: Option<u64>,
    muir_glacier_block: Option<u64>,
    berlin_block: Option<u64>,
    london_block: Option<u64>,
    merge_netsplit_block: Option<u64>,
    /// Any size of number; only whether it is zero matters.
    terminal_total_difficulty: Option<Value>,
    #[serde(default)]
    terminal_total_difficulty_passed: bool,
    clique: Option<Value>,
    shanghai_time: Option<u64>,
    cancun_time: Option<u64>,
    prague_time: Option<u64>,
    osaka_time: Option<u64>,
    amsterdam_time: Option<u64>,
    bpo1_time: Option<u64>,
    bpo2_time: Option<u64>,
    bpo3_time: Option<u64>,
    bpo4_time: Option<u64>,
    bpo5_time: Option<u64>,
    deposit_contract_address: Option<Address>,
    #[serde(default)]
    blob_schedule: BTreeMap<String, BlobEntry>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobEntry {
    target: u64,
    max: u64,
    base_fee_update_fraction: u64,
}

impl Config {
    fn merge(&self) -> Merge {
        if let Some(height) = self.merge_netsplit_block {
            return Merge::At(height);
        }
        if self.shanghai_time == Some(0) || self.terminal_total_difficulty.as_ref().is_some_and(is_zero) {
            return Merge::At(0);
        }
        let merges = self.terminal_total_difficulty_passed
            || self.terminal_total_difficulty.as_ref().is_some_and(|total| !total.is_null())
            || self.shanghai_time.is_some();
        if merges { Merge::ByDifficulty } else { Merge::Never }
    }

    fn before_merge(&self, merge: Merge) -> Result<BeforeMerge, ChainConfigError> {
        let heights = self.heights(merge)?;
        if let (Some(dao), Some(homestead)) = (self.dao_fork_block, self.homestead_block)
            && dao < homestead
        {
            return Err(ChainConfigError::ForkOrder { fork: "daoForkBlock", after: "homesteadBlock" });
        }
        let since = |key| heights.iter().find(|(other, _)| *other == key).and_then(|(_, height)| *height);
        let forks = EXECUTED_BEFORE_MERGE.into_iter().filter_map(|(key, fork)| Some((since(key)?, fork)));
        Ok(BeforeMerge {
            forks: forks.collect(),
            eip155: since("eip155Block"),
            dao_refund: self.dao_fork_block.filter(|_| self.dao_fork_support),
            constantinople: match (since("constantinopleBlock"), since("petersburgBlock")) {
                (Some(from), Some(to)) => from..to,
                _ => 0..0,
            },
            clique: self.clique.as_ref().is_some_and(|clique| !clique.is_null()),
        })
    }

    /// The height of every key before the merge, in order, those that are absent filled in where they are implied.
    fn heights(&self, merge: Merge) -> Result<Vec<(&'static str, Option<u64>)>, ChainConfigError> {
        let stated = [
            ("homesteadBlock", self.homestead_block),
            ("eip150Block", self.eip150_block),
            ("eip155Block", self.eip155_block),
            ("eip158Block", self.eip158_block),
            ("byzantiumBlock", self.byzantium_block),
            ("constantinopleBlock", self.constantinople_block),
            // As geth has it: without a height of its own, Petersburg comes with Constantinople.
            ("petersburgBlock", self.petersburg_block.or(self.constantinople_block)),
            ("istanbulBlock", self.istanbul_block),
            ("muirGlacierBlock", self.muir_glacier_block),
            ("berlinBlock", self.berlin_block),
            ("londonBlock", self.london_block),
            ("mergeNetsplitBlock", self.merge_netsplit_block),
        ];
        let mut heights = Vec::with_capacity(stated.len());
        // The latest key so far that has a height, and the first that has none though the chain needs it.
        let (mut last, mut absent) = (("genesis", 0), None);
        for (key, height) in stated {
            let implied = height.or((merge != Merge::Never).then_some(last.1));
            match (height, implied, absent) {
                (Some(_), _, Some(after)) => return Err(ChainConfigError::ForkOrder { fork: key, after }),
                (Some(height), ..) if height < last.1 => {
                    return Err(ChainConfigError::ForkOrder { fork: key, after: last.0 });
                }
                (Some(height), ..) => last = (key, height),
                // A glacier only delays the difficulty bomb.
                (None, None, None) if key != "muirGlacierBlock" => absent = Some(key),
                _ => {}
            }
            heights.push((key, implied));
        }
        Ok(heights)
    }

    fn forks(&self) -> Result<Vec<(u64, SpecId)>, ChainConfigError> {
        let timed = [
            ("shanghaiTime", self.shanghai_time, SpecId::SHANGHAI),
            ("cancunTime", self.cancun_time, SpecId::CANCUN),
            ("pragueTime", self.prague_time, SpecId::PRAGUE),
            ("osakaTime", self.osaka_time, SpecId::OSAKA),
            ("amsterdamTime", self.amsterdam_time, SpecId::AMSTERDAM),
        ];
        for [(before, earlier, _), (fork, later, _)] in timed.array_windows() {
            if later.is_some_and(|later| earlier.is_none_or(|earlier| earlier > later)) {
                return Err(ChainConfigError::ForkOrder { fork, after: before });
            }
        }
        Ok(timed.into_iter().filter_map(|(_, since, fork)| Some((since?, fork))).collect())
    }

    fn blobs(&self) -> Result<Vec<(u64, BlobParams)>, ChainConfigError> {
        // Osaka limits what one transaction may carry, not the block: without an entry its figures are Prague's.
        let prague = self.blob_schedule.get("prague");
        let osaka = prague.map_or_else(BlobParams::osaka, |entry| entry.over(BlobParams::osaka()));
        let timed = [
            ("cancun", self.cancun_time, Some(BlobParams::cancun())),
            ("prague", self.prague_time, Some(BlobParams::prague())),
            ("osaka", self.osaka_time, Some(osaka)),
            ("bpo1", self.bpo1_time, None),
            ("bpo2", self.bpo2_time, None),
            ("bpo3", self.bpo3_time, None),
            ("bpo4", self.bpo4_time, None),
            ("bpo5", self.bpo5_time, None),
        ];
        let mut schedule = Vec::new();
        for (fork, since, default) in timed {
            let Some(since) = since else { continue };
            let params = match (self.blob_schedule.get(fork), default) {
                (Some(entry), _) if entry.max == 0 || entry.base_fee_update_fraction == 0 => {
                    return Err(ChainConfigError::BlobScheduleZero { fork });
                }
                (Some(entry), default) => entry.over(default.unwrap_or_else(BlobParams::osaka)),
                (None, Some(default)) => default,
                (None, None) => return Err(ChainConfigError::BlobScheduleMissing { fork }),
            };
            schedule.push((since, params));
        }
        // Stable, so of two forks at one time the later one wins, as in geth.
        schedule.sort_by_key(|(since, _)| *since);
        Ok(schedule)
    }
}

/// The keys that change execution, by the rules they bring. Constantinople's own are not executed.
const EXECUTED_BEFORE_MERGE: [(&str, SpecId); 8] = [
    ("homesteadBlock", SpecId::HOMESTEAD),
    ("eip150Block", SpecId::TANGERINE),
    ("eip158Block", SpecId::SPURIOUS_DRAGON),
    ("byzantiumBlock", SpecId::BYZANTIUM),
    ("petersburgBlock", SpecId::PETERSBURG),
    ("istanbulBlock", SpecId::ISTANBUL),
    ("berlinBlock", SpecId::BERLIN),
    ("londonBlock", SpecId::LONDON),
];

impl BlobEntry {
    /// These figures, with what the fork fixes for every chain taken from `base`.
    fn over(self, base: BlobParams) -> BlobParams {
        let per_transaction =
            if base.max_blobs_per_tx == base.max_blob_count { self.max } else { base.max_blobs_per_tx };
        BlobParams {
            target_blob_count: self.target,
            max_blob_count: self.max,
            update_fraction: u128::from(self.base_fee_update_fraction),
            max_blobs_per_tx: per_transaction,
            ..base
        }
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => !text.is_empty() && text.trim_start_matches("0x").bytes().all(|digit| digit == b'0'),
        _ => false,
    }
}
