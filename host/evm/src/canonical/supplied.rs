//! The part of the document that tells what stood in for dropped fields.

use super::json::Json;
use crate::repair::{Supplied, SupplySource};

/// One dropped field: never its values, which no check covers, but their origin and what proves the rest.
pub(super) fn write_supplied(json: &mut Json, supplied: &Supplied) {
    let Supplied { transaction, field, source } = supplied;
    json.object(|json| {
        json.key("transactionIndex").quantity(*transaction as u64);
        json.key("field").text(field.field());
        let (origin, candidates) = match source {
            SupplySource::StandIns { .. } => ("standIns", None),
            SupplySource::Commitments { candidates, .. } => ("commitmentsInCalldata", Some(*candidates)),
            SupplySource::Authorization { candidates } => ("search", Some(*candidates)),
        };
        json.key("source").text(origin);
        if let Some(candidates) = candidates {
            json.key("candidates").quantity(candidates as u64);
        }
        json.key("provenBy").text(Supplied::PROVEN_BY.as_str());
    });
}
