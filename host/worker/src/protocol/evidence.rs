//! The checks behind a run's output as bytes.
//!
//! A list of checks, each its name (text), then 0 passed, 1 failed (subject, stated and computed, three texts), 2 not applicable (text)
//! or 3 not checkable (text); a list of texts, the unproven values; a list of texts, the supplied values; entries left out u64;
//! 1 where the producer exported no state, or 0; class of the reason: 0 none, 1 no state; the basis: 0 none, 1 execution, 2 receipts, or 3 receipts with the reason (text).

use std::io::Write;

use refiner_rule_model::{BasisReport, CheckOutcome, CheckReport, Evidence, ReasonClass};

use super::{
    Kind, ProtocolError,
    message::take_guest_text,
    wire::{Reader, Writer},
    write,
};

/// Writes the evidence of a run, whose bounds keep it within a frame.
pub(super) fn write_evidence(out: &mut impl Write, evidence: &Evidence) -> Result<(), ProtocolError> {
    let Evidence { checks, basis, without_state, reason_class, unproven, supplied, left_out } = evidence;
    let mut payload = Writer::default();
    payload.count(checks.len());
    for CheckReport { name, outcome } in checks {
        payload.text(name.as_str());
        match outcome {
            CheckOutcome::Passed => payload.u8(0),
            CheckOutcome::Failed { subject, stated, computed } => {
                payload.u8(1).text(subject.as_str()).text(stated.as_str()).text(computed.as_str())
            }
            CheckOutcome::NotApplicable { reason } => payload.u8(2).text(reason.as_str()),
            CheckOutcome::NotCheckable { reason } => payload.u8(3).text(reason.as_str()),
        };
    }
    for entries in [unproven, supplied] {
        payload.count(entries.len());
        for entry in entries {
            payload.text(entry.as_str());
        }
    }
    let class = match reason_class {
        None => 0,
        Some(ReasonClass::NoState) => 1,
    };
    payload.u64(*left_out).u8((*without_state).into()).u8(class);
    match basis {
        None => payload.u8(0),
        Some(BasisReport::Execution) => payload.u8(1),
        Some(BasisReport::Receipts { reason: None }) => payload.u8(2),
        Some(BasisReport::Receipts { reason: Some(reason) }) => payload.u8(3).text(reason.as_str()),
    };
    write(out, Kind::Evidence, &payload.finish())
}

/// The evidence of such a frame.
pub(super) fn read_evidence(payload: &[u8]) -> Result<Evidence, ProtocolError> {
    let mut reader = Reader::new(payload);
    let mut evidence = Evidence::default();
    for _ in 0..at_most("checks", reader.count()?, Evidence::CHECKS_MAX)? {
        let name = take_guest_text(&mut reader)?;
        evidence.checks.push(CheckReport { name, outcome: take_outcome(&mut reader)? });
    }
    for (what, entries) in [("unproven values", &mut evidence.unproven), ("supplied values", &mut evidence.supplied)] {
        for _ in 0..at_most(what, reader.count()?, Evidence::ENTRIES_MAX)? {
            entries.push(take_guest_text(&mut reader)?);
        }
    }
    evidence.left_out = reader.u64()?;
    evidence.without_state = match reader.u8()? {
        0 => false,
        1 => true,
        found => return Err(ProtocolError::Tag { of: "export of state", found }),
    };
    evidence.reason_class = match reader.u8()? {
        0 => None,
        1 => Some(ReasonClass::NoState),
        found => return Err(ProtocolError::Tag { of: "class of a reason", found }),
    };
    evidence.basis = match reader.u8()? {
        0 => None,
        1 => Some(BasisReport::Execution),
        2 => Some(BasisReport::Receipts { reason: None }),
        3 => Some(BasisReport::Receipts { reason: Some(take_guest_text(&mut reader)?) }),
        found => return Err(ProtocolError::Tag { of: "basis", found }),
    };
    reader.finish()?;
    Ok(evidence)
}

fn take_outcome(reader: &mut Reader<'_>) -> Result<CheckOutcome, ProtocolError> {
    Ok(match reader.u8()? {
        0 => CheckOutcome::Passed,
        1 => CheckOutcome::Failed {
            subject: take_guest_text(reader)?,
            stated: take_guest_text(reader)?,
            computed: take_guest_text(reader)?,
        },
        2 => CheckOutcome::NotApplicable { reason: take_guest_text(reader)? },
        3 => CheckOutcome::NotCheckable { reason: take_guest_text(reader)? },
        found => return Err(ProtocolError::Tag { of: "outcome of a check", found }),
    })
}

const fn at_most(what: &'static str, found: usize, allowed: usize) -> Result<usize, ProtocolError> {
    if found > allowed { Err(ProtocolError::TooMany { what, found, allowed }) } else { Ok(found) }
}
