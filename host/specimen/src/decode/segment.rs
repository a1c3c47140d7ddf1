//! The segment record: the envelope around one block.

use alloy_primitives::B256;

use super::{
    block,
    error::{Fault, FieldError, Locate, Read},
    resolve,
    section::Sections,
    wire::Wire,
};
use crate::{Block, Specimen};

/// The least a replica event can take: far below the truth, and enough to make a lying count harmless.
const EVENT_MIN_BYTES: usize = 512;

/// The array may hold more, and did in 2021 and 2022; every layout we read has one block a segment.
const EVENTS_LIMIT: usize = 1;

/// Reads the whole input by the wire's layout.
pub(super) fn read(wire: &mut Wire<'_>, sections: &mut Sections) -> Read<Specimen> {
    let (event_hash, block) = only_event(wire, sections).at("replicaEvent")?;
    let mut specimen = Specimen {
        layout: wire.layout,
        start_block: wire.long().at("startBlock")?,
        end_block: wire.long().at("endBlock")?,
        elements: wire.long().at("elements")?,
        stated_codec_version: wire.double().at("codecVersion")?,
        event_hash,
        block,
    };
    match wire.left_bytes() {
        0 => sections.give_to(&mut specimen.block),
        left => return Err(wire.wrong(FieldError::LeftOver(left))),
    }
    resolve::block(&mut specimen.block, wire.layout);
    Ok(specimen)
}

fn only_event(wire: &mut Wire<'_>, sections: &mut Sections) -> Read<(B256, Block)> {
    let start = wire.offset();
    let event = |wire: &mut Wire<'_>| Ok((wire.hash().at("hash")?, block::read(wire, sections).at("data")?));
    let mut events = wire.limited_array(EVENT_MIN_BYTES, EVENTS_LIMIT, event)?;
    events.pop().ok_or_else(|| Fault::new(start, FieldError::NoBlock))
}
