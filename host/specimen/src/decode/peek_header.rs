//! The first fields of a specimen: chain, block hash and header.

use alloy_consensus::Header;
use alloy_primitives::{B256, U256};

use super::{
    error::{Fault, FieldError, LayoutMismatch, Locate, Read},
    header, resolve,
    wire::Wire,
};

/// The identity of a specimen's block, by its first fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderPeek {
    /// Chain id of the block, `NetworkId`.
    pub network_id: u64,
    /// The block hash it states.
    pub hash: B256,
    /// The block's header, with what its layout cannot express as the block hash has it.
    pub header: Header,
    /// keccak256 of the header's RLP, which is `hash` unless one of the two is wrong.
    pub header_hash: B256,
}

/// The fields of the `data` record that come before the transactions.
pub(super) struct Front {
    pub(super) kind: String,
    pub(super) network_id: u64,
    pub(super) hash: B256,
    pub(super) total_difficulty: U256,
    pub(super) header: Header,
}

impl Front {
    pub(super) fn read(wire: &mut Wire<'_>) -> Read<Self> {
        Ok(Self {
            kind: wire.string().at("Type")?,
            network_id: wire.long().at("NetworkId")?,
            hash: wire.hash().at("Hash")?,
            total_difficulty: wire.u256_or_double().at("TotalDifficulty")?,
            header: header::read(wire).at("Header")?,
        })
    }
}

/// Reads the heading by the wire's layout, and nothing after it.
pub(super) fn read(mut wire: Wire<'_>) -> Result<HeaderPeek, LayoutMismatch> {
    let mut front = front(&mut wire).at("replicaEvent").map_err(|fault| fault.into_misfit(wire.layout))?;
    resolve::header(&mut front.header, front.hash, wire.layout);
    let header_hash = front.header.hash_slow();
    Ok(HeaderPeek { network_id: front.network_id, hash: front.hash, header: front.header, header_hash })
}

fn front(wire: &mut Wire<'_>) -> Read<Front> {
    let start = wire.offset();
    if !wire.enters_array()? {
        return Err(Fault::new(start, FieldError::NoBlock));
    }
    wire.hash().at("hash")?;
    Front::read(wire).at("data")
}
