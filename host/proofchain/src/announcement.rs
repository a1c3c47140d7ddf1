//! Announcements of specimens on the proof chain.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolEvent;
use serde::{Deserialize, Deserializer};

use crate::{
    bindings::{BlockSpecimenQuorum, BlockSpecimenRewardAwarded},
    quantity,
    rpc::AtMost,
};

/// Most bytes of a log's data that are kept. Announcements have 64; a proof's event is 224 bytes and its URL.
const DATA_BYTES_MAX: usize = 2 << 10;

/// Logs of a range of blocks. An answer of 32 MiB has room for some 50,000 real ones.
pub(crate) type Logs = AtMost<100_000, ProofLog>;
/// Logs of one block.
pub(crate) type BlockLogs = AtMost<1_000, ProofLog>;

/// A block of the proof chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    /// Number of the block.
    pub number: u64,
    /// Its hash, which tells it from another block of the same number.
    pub hash: B256,
}

/// A specimen on which enough producers agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The chain that the specimen is of, 1 for Ethereum.
    pub chain_id: u64,
    /// Height of the block it is of.
    pub height: u64,
    /// Hash of the block it is of.
    pub block_hash: B256,
    /// sha256 of the specimen's quoted base64.
    pub specimen_hash: B256,
    /// The validators that agreed: bit `255 - validatorId`.
    pub validators: U256,
    /// The proof chain's block with the event.
    pub seen_in: BlockRef,
    /// Position of the event in that block.
    pub log_index: u64,
    /// The transaction that emitted it.
    pub transaction: B256,
}

impl Announcement {
    /// The reference refiner's name of it: `1_22433670_<block hash>_<specimen hash>`, hashes without `0x`.
    pub fn key(&self) -> String {
        format!("{}_{}_{:x}_{:x}", self.chain_id, self.height, self.block_hash, self.specimen_hash)
    }
}

/// A log as `eth_getLogs` gives it. Nodes send `null` for what a pending log has not got.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofLog {
    /// The contract that emitted it.
    pub address: Address,
    /// Signature and indexed fields.
    pub topics: Vec<B256>,
    /// Fields that are not indexed. Of more than 2 KiB, which none of our events has, the beginning.
    #[serde(deserialize_with = "beginning")]
    pub data: Bytes,
    /// Number of its block.
    #[serde(default, deserialize_with = "quantity::read_optional")]
    pub block_number: Option<u64>,
    /// Hash of its block.
    #[serde(default)]
    pub block_hash: Option<B256>,
    /// Hash of its transaction.
    #[serde(default)]
    pub transaction_hash: Option<B256>,
    /// Its position in the block.
    #[serde(default, deserialize_with = "quantity::read_optional")]
    pub log_index: Option<u64>,
    /// Whether a reorganisation took it away.
    #[serde(default)]
    pub removed: bool,
}

fn beginning<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let data = Bytes::deserialize(deserializer)?;
    Ok(if data.len() > DATA_BYTES_MAX { Bytes::copy_from_slice(&data[..DATA_BYTES_MAX]) } else { data })
}

/// The meaning of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A specimen to refine.
    Announcement(Announcement),
    /// The event of before version 1.5, whose data is the specimen hash alone. Its sessions closed in 2024.
    Legacy {
        /// The chain that the specimen is of.
        chain_id: u64,
        /// Height of the block it is of.
        height: u64,
    },
    /// Taken away by a reorganisation.
    Removed,
    /// Not what it claims to be.
    Malformed(Malformed),
}

/// The fault of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Another number of topics.
    #[error("a log with {0} topics instead of 4")]
    Topics(usize),
    /// The log is of another event.
    #[error("a log of event {0}")]
    Event(B256),
    /// Data that is neither 64 bytes nor, before version 1.5, 32.
    #[error("a log with {0} bytes of data instead of 64")]
    Data(usize),
    /// An indexed number that the journal could not hold.
    #[error("a log whose indexed {0} is above 62 bits")]
    Indexed(&'static str),
    /// No block, no transaction or no index.
    #[error("a log without {0}")]
    Position(&'static str),
}

impl ProofLog {
    /// Decodes the log; never trusts a length.
    pub fn decode(&self) -> Decoded {
        if self.removed {
            return Decoded::Removed;
        }
        self.announcement().unwrap_or_else(Decoded::Malformed)
    }

    fn announcement(&self) -> Result<Decoded, Malformed> {
        let [event, chain_id, height, block_hash] = self.topics[..] else {
            return Err(Malformed::Topics(self.topics.len()));
        };
        let legacy_event = event == BlockSpecimenRewardAwarded::SIGNATURE_HASH;
        if event != BlockSpecimenQuorum::SIGNATURE_HASH && !legacy_event {
            return Err(Malformed::Event(event));
        }
        let chain_id = number(chain_id).ok_or(Malformed::Indexed("chain id"))?;
        let height = number(height).ok_or(Malformed::Indexed("height"))?;
        match self.data.len() {
            64 if !legacy_event => {}
            32 => return Ok(Decoded::Legacy { chain_id, height }),
            length => return Err(Malformed::Data(length)),
        }
        Ok(Decoded::Announcement(Announcement {
            chain_id,
            height,
            block_hash,
            specimen_hash: B256::from_slice(&self.data[32..]),
            validators: U256::from_be_slice(&self.data[..32]),
            seen_in: BlockRef {
                number: self.block_number.ok_or(Malformed::Position("block number"))?,
                hash: self.block_hash.ok_or(Malformed::Position("block hash"))?,
            },
            log_index: self.log_index.ok_or(Malformed::Position("index"))?,
            transaction: self.transaction_hash.ok_or(Malformed::Position("transaction"))?,
        }))
    }
}

fn number(topic: B256) -> Option<u64> {
    quantity::bounded(U256::from_be_bytes(topic.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(chain_id: u64, height: u64) -> ProofLog {
        let topic = |number: u64| B256::from(U256::from(number));
        ProofLog {
            address: Address::ZERO,
            topics: vec![BlockSpecimenQuorum::SIGNATURE_HASH, topic(chain_id), topic(height), B256::ZERO],
            data: vec![0; 64].into(),
            block_number: Some(1),
            block_hash: Some(B256::ZERO),
            transaction_hash: Some(B256::ZERO),
            log_index: Some(0),
            removed: false,
        }
    }

    #[test]
    fn announcement_of_a_number_that_the_journal_could_not_hold_is_malformed() {
        assert!(matches!(log_of(1, quantity::LARGEST).decode(), Decoded::Announcement(_)));
        for (chain_id, height, name) in
            [(1, (1 << 63) + 5, "height"), (1, quantity::LARGEST + 1, "height"), (u64::MAX, 1, "chain id")]
        {
            assert_eq!(log_of(chain_id, height).decode(), Decoded::Malformed(Malformed::Indexed(name)));
        }
    }
}
