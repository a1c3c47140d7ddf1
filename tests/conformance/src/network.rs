//! A test's `network`: one fork from the first block on, or a transition to another at a height, a time or a difficulty.

use alloy_consensus::Header;
use alloy_eips::eip7840::BlobParams;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::{fork::Fork, format::BlobEntry};

/// The fork schedule of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// As the test names it.
    pub name: String,
    /// Id of the chain.
    pub chain_id: u64,
    from: Fork,
    to: Option<(Fork, Activation)>,
    blobs: BTreeMap<Fork, BlobParams>,
}

/// The point of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activation {
    Height(u64),
    Time(u64),
    /// Total difficulty. No header states it, but the first block after it has no difficulty.
    TotalDifficulty(u64),
}

/// A network name that is not understood, and the part of it that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown network {0}")]
pub struct UnknownNetwork(pub String);

impl Network {
    /// Reads a name such as `Berlin`, `BerlinToLondonAt5`, `ShanghaiToCancunAtTime15k`, `ArrowGlacierToParisAtDiffC0000`.
    ///
    /// # Errors
    /// [`UnknownNetwork`].
    pub fn new(name: &str, chain_id: u64, stated: &BTreeMap<String, BlobEntry>) -> Result<Self, UnknownNetwork> {
        let unknown = || UnknownNetwork(name.to_owned());
        let (from, to) = match Fork::from_name(name) {
            Some(fork) => (fork, None),
            None => transition(name).ok_or_else(unknown)?,
        };
        let newest = to.map_or(from, |(fork, _)| fork);
        let mut blobs = BTreeMap::new();
        for fork in newest.up_to().filter(|fork| *fork >= Fork::Cancun) {
            let stated = stated.iter().find(|(key, _)| Fork::from_name(key) == Some(fork));
            if let Some(params) = stated.map(|(_, entry)| entry.over(fork)).or_else(|| fork.blob_params()) {
                blobs.insert(fork, params);
            }
        }
        Ok(Self { name: name.to_owned(), chain_id, from, to, blobs })
    }

    /// The fork that a block with this header follows.
    pub fn fork_of(&self, header: &Header) -> Fork {
        match self.to {
            Some((fork, Activation::Height(height))) if header.number >= height => fork,
            Some((fork, Activation::Time(time))) if header.timestamp >= time => fork,
            Some((fork, Activation::TotalDifficulty(_))) if header.difficulty.is_zero() => fork,
            _ => self.from,
        }
    }

    /// The blob parameters of a fork: its own, or those of the newest before it.
    pub fn blob_params(&self, fork: Fork) -> Option<BlobParams> {
        self.blobs.range(..=fork).next_back().map(|(_, params)| *params)
    }

    /// The newest fork of the schedule.
    pub fn newest(&self) -> Fork {
        self.to.map_or(self.from, |(fork, _)| fork)
    }

    /// The blob schedule as a test's `config` states it.
    pub fn stated_blobs(&self) -> Value {
        let quantity = |number: u64| format!("{number:#x}");
        let entry = |params: &BlobParams| {
            json!({
                "target": quantity(params.target_blob_count),
                "max": quantity(params.max_blob_count),
                "baseFeeUpdateFraction": quantity(u64::try_from(params.update_fraction).unwrap_or(u64::MAX)),
            })
        };
        let entries = self.blobs.iter().map(|(fork, params)| (fork.name().to_owned(), entry(params)));
        entries.collect::<Map<_, _>>().into()
    }

    /// Whether this is the block at which the DAO's balances move.
    pub fn moves_dao(&self, header: &Header) -> bool {
        self.to == Some((Fork::Dao, Activation::Height(header.number)))
    }

    /// Whether a total difficulty decides when the chain merges.
    pub const fn merges_by_difficulty(&self) -> bool {
        matches!(self.to, Some((_, Activation::TotalDifficulty(_))))
    }

    /// The height at which London begins, when it is not the chain's first block.
    pub fn london_height(&self) -> Option<u64> {
        match self.to {
            Some((Fork::London, Activation::Height(height))) => Some(height),
            _ => None,
        }
    }

    /// The schedule as a geth chain config.
    pub fn geth_config(&self) -> Value {
        let mut config = Map::new();
        config.insert("chainId".to_owned(), self.chain_id.into());
        for fork in self.from.up_to().filter(|fork| *fork != Fork::Dao) {
            activate(&mut config, fork, 0);
        }
        match self.to {
            Some((fork, Activation::Height(at) | Activation::Time(at))) => activate(&mut config, fork, at),
            Some((_, Activation::TotalDifficulty(total))) => {
                config.insert("terminalTotalDifficulty".to_owned(), total.into());
            }
            None => {}
        }
        if self.from == Fork::Constantinople && self.newest() < Fork::Petersburg {
            // geth takes an absent Petersburg as one that came with Constantinople.
            config.insert("petersburgBlock".to_owned(), NEVER.into());
        }
        if self.from >= Fork::Paris {
            config.insert("terminalTotalDifficulty".to_owned(), 0.into());
            config.insert("terminalTotalDifficultyPassed".to_owned(), true.into());
        } else {
            config.insert("ethash".to_owned(), json!({}));
        }
        let schedule: Map<String, Value> = self
            .blobs
            .iter()
            .filter_map(|(fork, params)| Some((fork.blob_key()?.to_owned(), blob_entry(params))))
            .collect();
        if !schedule.is_empty() {
            config.insert("blobSchedule".to_owned(), schedule.into());
        }
        config.into()
    }
}

/// A height that no test reaches.
const NEVER: u64 = 1_000_000_000;

fn activate(config: &mut Map<String, Value>, fork: Fork, at: u64) {
    let Some(key) = fork.geth_key() else { return };
    config.insert(key.to_owned(), at.into());
    if fork == Fork::SpuriousDragon {
        config.insert("eip155Block".to_owned(), at.into());
    }
    if fork == Fork::Dao {
        config.insert("daoForkSupport".to_owned(), true.into());
    }
}

fn blob_entry(params: &BlobParams) -> Value {
    json!({
        "target": params.target_blob_count,
        "max": params.max_blob_count,
        "baseFeeUpdateFraction": u64::try_from(params.update_fraction).unwrap_or(u64::MAX),
    })
}

fn transition(name: &str) -> Option<(Fork, Option<(Fork, Activation)>)> {
    let (forks, at) = name.rsplit_once("At")?;
    let (from, to) = forks.match_indices("To").find_map(|(index, to)| {
        Some((Fork::from_name(&forks[..index])?, Fork::from_name(&forks[index + to.len()..])?))
    })?;
    let at = if let Some(time) = at.strip_prefix("Time") {
        Activation::Time(number(time)?)
    } else if let Some(total) = at.strip_prefix("Diff") {
        Activation::TotalDifficulty(u64::from_str_radix(total, 16).ok()?)
    } else {
        Activation::Height(number(at)?)
    };
    Some((from, Some((to, at))))
}

fn number(text: &str) -> Option<u64> {
    match text.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1000),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: &str) -> Network {
        Network::new(name, 1, &BTreeMap::new()).unwrap()
    }

    fn fork(name: &str, number: u64, timestamp: u64) -> Fork {
        network(name).fork_of(&Header { number, timestamp, ..Header::default() })
    }

    #[test]
    fn transition_changes_the_fork_at_its_height_or_time() {
        assert_eq!(fork("BerlinToLondonAt5", 4, 0), Fork::Berlin);
        assert_eq!(fork("BerlinToLondonAt5", 5, 0), Fork::London);
        assert_eq!(fork("ShanghaiToCancunAtTime15k", 9, 14_999), Fork::Shanghai);
        assert_eq!(fork("ShanghaiToCancunAtTime15k", 1, 15_000), Fork::Cancun);
        assert_eq!(fork("ArrowGlacierToParisAtDiffC0000", 1, 0), Fork::Paris);
        assert_eq!(fork("ByzantiumToConstantinopleFixAt5", 5, 0), Fork::Petersburg);
    }

    #[test]
    fn config_schedules_every_fork_before_the_last() {
        let config = network("CancunToPragueAtTime15k").geth_config();
        for (key, expected) in [("homesteadBlock", 0), ("londonBlock", 0), ("cancunTime", 0), ("pragueTime", 15_000)] {
            assert_eq!(config[key], expected, "{key}");
        }
        assert_eq!(config["blobSchedule"]["prague"]["max"], 9);
        assert!(config.get("daoForkBlock").is_none());
        assert_eq!(network("Constantinople").geth_config()["petersburgBlock"], NEVER);
    }

    #[test]
    fn network_that_is_no_fork_is_unknown() {
        for name in ["", "Amsterdam", "Cancun+7702", "LondonToNowhereAt5", "LondonToParisAt"] {
            assert_eq!(Network::new(name, 1, &BTreeMap::new()), Err(UnknownNetwork(name.to_owned())));
        }
    }
}
