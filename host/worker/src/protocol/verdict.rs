//! Verdicts and host failures as bytes: a number and fields.
//!
//! Verdict: 0 produced (records u64), 1 rejected (text), 2 unsupported (text), 3 trapped (trap), 4 out of fuel (granted u64),
//! 5 out of memory (granted u64), 6 over budget (limit u8, its line in the table; granted u64).
//!
//! Trap: 0 unreachable, 1 stack overflow, 2 memory out of bounds, 3 indirect call, 4 arithmetic, 5 other (text), 6 ABI (text),
//! 7 misuse (misuse).
//!
//! Misuse: 0 artifact name, 1 artifact twice, 2 media type, 3 schema, 4 artifact finished, 5 nothing there, 6 exited (the status in
//! decimal), 7 endless wait (empty), 8 artifact not listed, 9 too many waits (empty), 10 row; each a text.
//!
//! Host failure: 0 deadline (wall ms u64), 1 capability unavailable (text), 3 no room, 4 system memory (error
//! number u32), 5 unknown trap (text), 6 executor
//! unavailable (text).

use std::io;

use alloy_primitives::Bytes;
use refiner_rule_model::{Artifact, HostFailure, LIMITS, Limit, Misuse, Thing, TrapKind, Verdict};

use super::{
    ProtocolError,
    message::take_guest_text,
    wire::{Reader, Writer},
};

/// Puts everything of a verdict but its artifacts.
pub(super) fn put(payload: &mut Writer, verdict: &Verdict) {
    match verdict {
        Verdict::Produced { artifacts: _, records } => payload.u8(0).u64(*records),
        Verdict::Rejected { reason } => payload.u8(1).text(reason.as_str()),
        Verdict::Unsupported { reason } => payload.u8(2).text(reason.as_str()),
        Verdict::Trapped(trap) => put_trap(payload.u8(3), trap),
        Verdict::OutOfFuel { granted } => payload.u8(4).u64(*granted),
        Verdict::OutOfMemory { granted_bytes } => payload.u8(5).u64(*granted_bytes),
        Verdict::OverBudget { limit, granted } => payload.u8(6).u8(limit_number(*limit)).u64(*granted),
    };
}

/// The verdict, with the artifacts that came before it.
pub(super) fn take(reader: &mut Reader<'_>, artifacts: Vec<Artifact>) -> Result<Verdict, ProtocolError> {
    let number = reader.u8()?;
    if number == 0 {
        return Ok(Verdict::Produced { artifacts, records: reader.u64()? });
    }
    let verdict = match number {
        1 => Verdict::Rejected { reason: take_guest_text(reader)? },
        2 => Verdict::Unsupported { reason: take_guest_text(reader)? },
        3 => Verdict::Trapped(take_trap(reader)?),
        4 => Verdict::OutOfFuel { granted: reader.u64()? },
        5 => Verdict::OutOfMemory { granted_bytes: reader.u64()? },
        6 => Verdict::OverBudget { limit: take_limit(reader)?, granted: reader.u64()? },
        found => return Err(ProtocolError::Tag { of: "verdict", found }),
    };
    if artifacts.is_empty() { Ok(verdict) } else { Err(ProtocolError::Artifacts { verdict: verdict.kind() }) }
}

/// Puts a host failure.
pub(super) fn put_failure(payload: &mut Writer, failure: &HostFailure) {
    match failure {
        HostFailure::Deadline { wall_ms } => payload.u8(0).u64(*wall_ms),
        HostFailure::CapabilityUnavailable { reason } => payload.u8(1).text(reason.as_str()),
        HostFailure::NoRoom => payload.u8(3),
        HostFailure::SystemMemory(error) => payload.u8(4).u32(error.raw_os_error().map_or(0, i32::cast_unsigned)),
        HostFailure::UnknownTrap { message } => payload.u8(5).text(message.as_str()),
        HostFailure::ExecutorUnavailable { reason } => payload.u8(6).text(reason.as_str()),
    };
}

/// Reads a host failure from a frame.
pub(super) fn take_failure(reader: &mut Reader<'_>) -> Result<HostFailure, ProtocolError> {
    Ok(match reader.u8()? {
        0 => HostFailure::Deadline { wall_ms: reader.u64()? },
        1 => HostFailure::CapabilityUnavailable { reason: take_guest_text(reader)? },
        3 => HostFailure::NoRoom,
        4 => HostFailure::SystemMemory(match reader.u32()? {
            0 => io::ErrorKind::OutOfMemory.into(),
            number => io::Error::from_raw_os_error(number.cast_signed()),
        }),
        5 => HostFailure::UnknownTrap { message: take_guest_text(reader)? },
        6 => HostFailure::ExecutorUnavailable { reason: take_guest_text(reader)? },
        found => return Err(ProtocolError::Tag { of: "host failure", found }),
    })
}

fn put_trap<'w>(payload: &'w mut Writer, trap: &TrapKind) -> &'w mut Writer {
    match trap {
        TrapKind::Unreachable => payload.u8(0),
        TrapKind::StackOverflow => payload.u8(1),
        TrapKind::MemoryOutOfBounds => payload.u8(2),
        TrapKind::IndirectCall => payload.u8(3),
        TrapKind::Arithmetic => payload.u8(4),
        TrapKind::Other(text) => payload.u8(5).text(text.as_str()),
        TrapKind::Abi(text) => payload.u8(6).text(text.as_str()),
        TrapKind::Misuse(misuse) => {
            let exit_status;
            let (number, text) = match misuse {
                Misuse::ArtifactName { name } => (0, name.as_str()),
                Misuse::ArtifactTwice { name } => (1, name.as_str()),
                Misuse::MediaType { media_type } => (2, media_type.as_str()),
                Misuse::Schema { schema } => (3, schema.as_str()),
                Misuse::ArtifactFinished { name } => (4, name.as_str()),
                Misuse::NothingThere { what } => (5, what.as_str()),
                Misuse::Exited { status } => {
                    exit_status = status.to_string();
                    (6, exit_status.as_str())
                }
                Misuse::EmptyWait => (7, ""),
                Misuse::ArtifactUnlisted { artifact } => (8, artifact.as_str()),
                Misuse::TooManyWaits => (9, ""),
                Misuse::Row { misfit } => (10, misfit.as_str()),
            };
            payload.u8(7).u8(number).text(text)
        }
    }
}

fn take_trap(reader: &mut Reader<'_>) -> Result<TrapKind, ProtocolError> {
    Ok(match reader.u8()? {
        0 => TrapKind::Unreachable,
        1 => TrapKind::StackOverflow,
        2 => TrapKind::MemoryOutOfBounds,
        3 => TrapKind::IndirectCall,
        4 => TrapKind::Arithmetic,
        5 => TrapKind::Other(take_guest_text(reader)?),
        6 => TrapKind::Abi(take_guest_text(reader)?),
        7 => TrapKind::Misuse(take_misuse(reader)?),
        found => return Err(ProtocolError::Tag { of: "trap", found }),
    })
}

fn take_misuse(reader: &mut Reader<'_>) -> Result<Misuse, ProtocolError> {
    let number = reader.u8()?;
    let text = take_guest_text(reader)?;
    Ok(match number {
        0 => Misuse::ArtifactName { name: text },
        1 => Misuse::ArtifactTwice { name: text },
        2 => Misuse::MediaType { media_type: text },
        3 => Misuse::Schema { schema: text },
        4 => Misuse::ArtifactFinished { name: text },
        5 => {
            // Anything else from a worker is not the sandbox's doing.
            let known = Thing::ALL.iter().copied().find(|thing| thing.as_str() == text.as_str());
            Misuse::NothingThere { what: known.ok_or(ProtocolError::Tag { of: "missing thing", found: number })? }
        }
        6 => {
            let status = text.as_str().parse();
            Misuse::Exited { status: status.map_err(|_| ProtocolError::Tag { of: "exit status", found: number })? }
        }
        7 => Misuse::EmptyWait,
        8 => Misuse::ArtifactUnlisted { artifact: text },
        9 => Misuse::TooManyWaits,
        10 => Misuse::Row { misfit: text },
        found => return Err(ProtocolError::Tag { of: "misuse", found }),
    })
}

/// Its line in the table, which has far fewer than 256.
fn limit_number(limit: Limit) -> u8 {
    u8::try_from(limit as usize).unwrap_or(u8::MAX)
}

fn take_limit(reader: &mut Reader<'_>) -> Result<Limit, ProtocolError> {
    let found = reader.u8()?;
    LIMITS.get(usize::from(found)).map(|spec| spec.limit).ok_or(ProtocolError::Tag { of: "limit", found })
}

/// The description of an artifact in a frame: name, media type, schema, bytes.
pub(super) type Labels<'a> = (&'a str, &'a str, Option<&'a str>, u64);

pub(super) fn put_artifact(payload: &mut Writer, artifact: &Artifact) {
    let Artifact { name, media_type, schema, bytes } = artifact;
    payload.text(name).text(media_type).optional_text(schema.as_deref()).u64(bytes.len() as u64);
}

pub(super) fn take_artifact<'a>(payload: &'a [u8]) -> Result<Labels<'a>, ProtocolError> {
    let mut reader = Reader::new(payload);
    let labels = (reader.text()?, reader.text()?, reader.optional_text()?, reader.u64()?);
    reader.finish()?;
    Artifact::check_labels(labels.0, labels.1, labels.2)?;
    Ok(labels)
}

/// An artifact of these labels and bytes.
pub(super) fn artifact((name, media_type, schema, _): Labels<'_>, bytes: Vec<u8>) -> Artifact {
    Artifact {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        schema: schema.map(str::to_owned),
        bytes: Bytes::from(bytes),
    }
}
