//! The context of a trace as bytes, and the times that a worker reports for it.

use std::{io::Write, time::Duration};

use super::{
    Kind, ProtocolError,
    wire::{Reader, Writer},
    write,
};
use crate::trace::{Phase, SPANS_MAX, TraceContext, WorkerSpan};

/// One byte, 0 or 1, and the ids of trace and parent.
pub(super) fn put_context(payload: &mut Writer, context: Option<&TraceContext>) {
    match context {
        None => drop(payload.u8(0)),
        Some(TraceContext { trace, parent }) => {
            payload.u8(1).bytes(trace).bytes(parent);
        }
    }
}

pub(super) fn take_context(reader: &mut Reader<'_>) -> Result<Option<TraceContext>, ProtocolError> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(TraceContext { trace: reader.bytes()?, parent: reader.bytes()? })),
        found => Err(ProtocolError::Tag { of: "trace", found }),
    }
}

/// Writes the times of a run that came with this context.
pub fn write_spans(out: &mut impl Write, context: &TraceContext, spans: &[WorkerSpan]) -> Result<(), ProtocolError> {
    let mut payload = Writer::default();
    put_context(&mut payload, Some(context));
    payload.count(spans.len());
    for WorkerSpan { phase, start, duration } in spans {
        payload.u8(phase.number()).u64(micros(*start)).u64(micros(*duration));
    }
    write(out, Kind::Spans, &payload.finish())
}

/// The times of such a frame, which must be those of the run that was given this context.
pub fn read_spans(payload: &[u8], given: Option<&TraceContext>) -> Result<Vec<WorkerSpan>, ProtocolError> {
    let mut reader = Reader::new(payload);
    let context = take_context(&mut reader)?;
    if context.is_none() || context.as_ref() != given {
        return Err(ProtocolError::Unexpected { found: Kind::Spans });
    }
    let found = reader.count()?;
    if found > SPANS_MAX {
        return Err(ProtocolError::TooMany { what: "spans", found, allowed: SPANS_MAX });
    }
    let mut spans = Vec::with_capacity(found);
    for _ in 0..found {
        let number = reader.u8()?;
        let phase = Phase::of_worker(number).ok_or(ProtocolError::Tag { of: "phase", found: number })?;
        let (start, duration) = (Duration::from_micros(reader.u64()?), Duration::from_micros(reader.u64()?));
        spans.push(WorkerSpan { phase, start, duration });
    }
    reader.finish()?;
    Ok(spans)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::read, *};

    const CONTEXT: TraceContext = TraceContext { trace: [7; 16], parent: [9; 8] };

    fn span(phase: Phase) -> WorkerSpan {
        WorkerSpan { phase, start: Duration::from_micros(1), duration: Duration::from_micros(u64::MAX) }
    }

    fn sent(spans: &[WorkerSpan]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_spans(&mut bytes, &CONTEXT, spans).unwrap();
        read(&mut bytes.as_slice()).unwrap().expect(Kind::Spans).unwrap()
    }

    #[test]
    fn times_arrive_as_they_were_sent_and_only_for_the_trace_of_the_run() {
        let spans = [span(Phase::Decode), span(Phase::Execute), span(Phase::Rule)];
        let payload = sent(&spans);
        assert_eq!(read_spans(&payload, Some(&CONTEXT)).unwrap(), spans);
        let other = TraceContext { trace: [8; 16], ..CONTEXT };
        for given in [None, Some(&other)] {
            assert!(matches!(read_spans(&payload, given), Err(ProtocolError::Unexpected { found: Kind::Spans })));
        }
        for length in 0..payload.len() {
            assert!(read_spans(&payload[..length], Some(&CONTEXT)).is_err());
        }
    }

    #[test]
    fn worker_reports_no_phase_of_the_supervisor_and_no_more_than_its_share() {
        let of_supervisor = sent(&[span(Phase::EvmServer)]);
        assert!(matches!(read_spans(&of_supervisor, Some(&CONTEXT)), Err(ProtocolError::Tag { found: 3, .. })));
        let many = sent(&[span(Phase::Execute); SPANS_MAX + 1]);
        assert!(matches!(read_spans(&many, Some(&CONTEXT)), Err(ProtocolError::TooMany { .. })));
    }
}
