//! The answer to a run: log lines, artifacts and the verdict.

use std::io::{Read, Write};

use refiner_rule_model::{
    Artifact, Evidence, FuelSample, HostFailure, Limit, Limits, LogLevel, LogLine, Misuse, Run, UntrustedText, Usage,
    Verdict,
};

use super::{
    Frame, Kind, ProtocolError, evidence,
    message::{put_limits, read_text, take_guest_text, take_per_limit},
    read, read_bytes,
    sample::read_sample,
    verdict,
    wire::{Reader, Writer},
    write, write_bytes,
};

/// A worker's answer to a specimen.
#[derive(Debug)]
pub enum Answer {
    /// The run ended with a verdict.
    Run(Box<Run>),
    /// The run was stopped on the way, as it was to be.
    Sample(FuelSample),
    /// The run has no verdict.
    HostFailure(HostFailure),
    /// There was nothing to run on.
    NoSpecimen(UntrustedText),
}

/// Writes everything about a run.
pub fn write_run(out: &mut impl Write, run: &Run) -> Result<(), ProtocolError> {
    write_log(out, &run.log)?;
    if let Verdict::Produced { artifacts, .. } = &run.verdict {
        for artifact in artifacts {
            let mut payload = Writer::default();
            verdict::put_artifact(&mut payload, artifact);
            write(out, Kind::Artifact, &payload.finish())?;
            write_bytes(out, &artifact.bytes)?;
        }
    }
    write_end(out, run)
}

/// Everything about a run but its artifacts, as a worker writes it: for another machine, to which artifacts go by another way.
///
/// # Errors
///
/// A log or evidence that no frame takes.
pub fn report_of(run: &Run) -> Result<Vec<u8>, ProtocolError> {
    let mut out = Vec::new();
    write_log(&mut out, &run.log)?;
    write_end(&mut out, run)?;
    Ok(out)
}

/// Reads a report, and of it no more than `limits` grant. A run that produced has no artifacts here.
///
/// # Errors
///
/// The bytes are no report of a run.
pub fn read_report(mut bytes: &[u8], limits: &Limits) -> Result<Run, ProtocolError> {
    let mut frame = read(&mut bytes)?;
    let mut collected = Collected::of(limits);
    loop {
        match frame.kind {
            Kind::Log => collected.log(&frame.payload)?,
            Kind::Evidence => collected.evidence(&frame.payload)?,
            Kind::Verdict => break,
            found => return Err(ProtocolError::Unexpected { found }),
        }
        frame = read(&mut bytes)?;
    }
    if bytes.is_empty() {
        collected.verdict(&frame.payload)
    } else {
        Err(ProtocolError::Trailing { bytes: bytes.len() })
    }
}

fn write_log(out: &mut impl Write, log: &[LogLine]) -> Result<(), ProtocolError> {
    for LogLine { level, message } in log {
        let mut payload = Writer::default();
        payload.u8(level_number(*level)).text(message.as_str());
        write(out, Kind::Log, &payload.finish())?;
    }
    Ok(())
}

fn write_end(out: &mut impl Write, run: &Run) -> Result<(), ProtocolError> {
    if !run.evidence.is_empty() {
        evidence::write_evidence(out, &run.evidence)?;
    }
    let mut payload = Writer::default();
    put_limits(&mut payload, run.usage.asked.iter());
    put_limits(&mut payload, run.usage.granted.iter());
    put_limits(&mut payload, run.usage.used.iter());
    payload.u64(run.usage.log_lines_lost);
    verdict::put(&mut payload, &run.verdict);
    write(out, Kind::Verdict, &payload.finish())
}

/// Writes a host failure.
pub fn write_failure(out: &mut impl Write, failure: &HostFailure) -> Result<(), ProtocolError> {
    let mut payload = Writer::default();
    verdict::put_failure(&mut payload, failure);
    write(out, Kind::HostFailure, &payload.finish())
}

/// The host failure of such a frame.
pub fn read_failure(payload: &[u8]) -> Result<HostFailure, ProtocolError> {
    let mut reader = Reader::new(payload);
    let failure = verdict::take_failure(&mut reader)?;
    reader.finish()?;
    Ok(failure)
}

/// Reads an answer that begins with this frame, and of it no more than `limits` grant.
pub fn read_answer(first: Frame, input: &mut impl Read, limits: &Limits) -> Result<Answer, ProtocolError> {
    let mut collected = Collected::of(limits);
    let mut frame = first;
    loop {
        match frame.kind {
            Kind::Log => collected.log(&frame.payload)?,
            Kind::Artifact => collected.artifact(&frame.payload, input)?,
            Kind::Evidence => collected.evidence(&frame.payload)?,
            Kind::Verdict => return collected.verdict(&frame.payload).map(|run| Answer::Run(Box::new(run))),
            Kind::Sample => return read_sample(&frame.payload).map(Answer::Sample),
            Kind::HostFailure => return read_failure(&frame.payload).map(Answer::HostFailure),
            Kind::NoSpecimen => return read_text(&frame.payload).map(Answer::NoSpecimen),
            found => return Err(ProtocolError::Unexpected { found }),
        }
        frame = read(input)?;
    }
}

struct Collected<'l> {
    limits: &'l Limits,
    log: Vec<LogLine>,
    log_bytes: u64,
    artifacts: Vec<Artifact>,
    output_bytes: u64,
    evidence: Option<Evidence>,
}

impl<'l> Collected<'l> {
    const fn of(limits: &'l Limits) -> Self {
        Self { limits, log: Vec::new(), log_bytes: 0, artifacts: Vec::new(), output_bytes: 0, evidence: None }
    }

    fn log(&mut self, payload: &[u8]) -> Result<(), ProtocolError> {
        let mut reader = Reader::new(payload);
        let level = take_level(&mut reader)?;
        let message = take_guest_text(&mut reader)?;
        reader.finish()?;
        // The last line may have been cut to what was left, and then ends with an ellipsis past it.
        let bytes = message.as_str().len().saturating_sub('…'.len_utf8()) as u64;
        // Beside the rule's lines stand those of the child's host: one for each artifact at most, and one for a trap.
        let of_host = self.limits.get(Limit::Artifacts).saturating_add(1);
        self.within_beside(Limit::LogLines, self.log.len() as u64 + 1, of_host)?;
        self.log_bytes += bytes;
        let bytes_of_host = of_host.saturating_mul(UntrustedText::BYTES_MAX as u64);
        self.within_beside(Limit::LogBytes, self.log_bytes, bytes_of_host)?;
        self.log.push(LogLine { level, message });
        Ok(())
    }

    fn artifact(&mut self, payload: &[u8], input: &mut impl Read) -> Result<(), ProtocolError> {
        self.within(Limit::Artifacts, self.artifacts.len() as u64 + 1)?;
        let labels = verdict::take_artifact(payload)?;
        let (name, .., bytes) = labels;
        if self.artifacts.iter().any(|other| other.name == name) {
            return Err(Misuse::ArtifactTwice { name: UntrustedText::new(name) }.into());
        }
        self.output_bytes = self.output_bytes.saturating_add(bytes);
        self.within(Limit::OutputBytes, self.output_bytes)?;
        self.artifacts.push(verdict::artifact(labels, read_bytes(input, bytes)?));
        Ok(())
    }

    /// One for a run, within the bounds of the type.
    fn evidence(&mut self, payload: &[u8]) -> Result<(), ProtocolError> {
        match self.evidence.replace(evidence::read_evidence(payload)?) {
            None => Ok(()),
            Some(_) => Err(ProtocolError::Unexpected { found: Kind::Evidence }),
        }
    }

    fn verdict(self, payload: &[u8]) -> Result<Run, ProtocolError> {
        let mut reader = Reader::new(payload);
        let asked = take_per_limit(&mut reader)?;
        let granted = take_per_limit(&mut reader)?;
        let used = take_per_limit(&mut reader)?;
        let usage = Usage { asked, granted, used, log_lines_lost: reader.u64()? };
        let verdict = verdict::take(&mut reader, self.artifacts)?;
        reader.finish()?;
        Ok(Run { verdict, usage, log: self.log, evidence: self.evidence.unwrap_or_default() })
    }

    fn within(&self, limit: Limit, sent: u64) -> Result<(), ProtocolError> {
        self.within_beside(limit, sent, 0)
    }

    fn within_beside(&self, limit: Limit, sent: u64, beside: u64) -> Result<(), ProtocolError> {
        let granted = self.limits.get(limit).saturating_add(beside);
        if sent > granted { Err(ProtocolError::OverGrant { limit, sent, granted }) } else { Ok(()) }
    }
}

const fn level_number(level: LogLevel) -> u8 {
    match level {
        LogLevel::Debug => 0,
        LogLevel::Info => 1,
        LogLevel::Warn => 2,
        LogLevel::Error => 3,
    }
}

fn take_level(reader: &mut Reader<'_>) -> Result<LogLevel, ProtocolError> {
    Ok(match reader.u8()? {
        0 => LogLevel::Debug,
        1 => LogLevel::Info,
        2 => LogLevel::Warn,
        3 => LogLevel::Error,
        found => return Err(ProtocolError::Tag { of: "log level", found }),
    })
}
