//! Blocks that an evm-server executes: what a worker asks in the middle of a run, and what it is answered.

use std::io::{Read, Write};

use alloy_primitives::Bytes;
use refiner_evm::{
    Answer, BasisPolicy, ExecutedBy, ExecutionPolicy, ExecutionTerms, OnDifference, ResultFormat, SenderPolicy,
};
use refiner_rule_model::UntrustedText;

use super::{
    Kind, ProtocolError,
    message::{at_most, take_guest_text},
    read, read_bytes,
    wire::{Reader, Writer},
    write, write_bytes,
};

/// Most bytes of a block result that travel, either way: what a rule may write by default.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// A worker's request: its run's specimen, executed, in this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The format of the block result.
    pub format: ResultFormat,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executed {
    /// By the evm-server, not yet believed.
    Answer(Answer),
    /// The answer is unavailable.
    Unavailable(UntrustedText),
}

impl Asked {
    /// Sends the request, at once.
    pub fn send(self, out: &mut impl Write) -> Result<(), ProtocolError> {
        let mut payload = Writer::default();
        payload.text(self.format.as_str());
        write(out, Kind::Execute, &payload.finish())?;
        Ok(out.flush()?)
    }

    pub(crate) fn read(payload: &[u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(payload);
        let format = reader.text()?.parse().map_err(|_| ProtocolError::Format)?;
        reader.finish()?;
        Ok(Self { format })
    }
}

impl Executed {
    pub(crate) fn send(&self, out: &mut impl Write) -> Result<(), ProtocolError> {
        let mut payload = Writer::default();
        match self {
            Self::Answer(answer) => put_side(&mut payload, answer),
            Self::Unavailable(reason) => drop(payload.u8(2).text(reason.as_str())),
        }
        write(out, Kind::Executed, &payload.finish())?;
        match self {
            Self::Answer(Answer::Document(document)) => write_bytes(out, document),
            _ => Ok(()),
        }
    }

    /// Waits for the answer, and the bytes that follow it.
    pub fn receive(input: &mut impl Read) -> Result<Self, ProtocolError> {
        let payload = read(input)?.expect(Kind::Executed)?;
        if let Some((2, reason)) = payload.split_first() {
            let mut reader = Reader::new(reason);
            let reason = take_guest_text(&mut reader)?;
            reader.finish()?;
            return Ok(Self::Unavailable(reason));
        }
        read_side(&payload, input).map(Self::Answer)
    }
}

/// Writes a worker's side of a difference.
pub fn write_difference(out: &mut impl Write, embedded: &Answer) -> Result<(), ProtocolError> {
    let mut payload = Writer::default();
    put_side(&mut payload, embedded);
    write(out, Kind::Difference, &payload.finish())?;
    if let Answer::Document(document) = embedded {
        write_bytes(out, document)?;
    }
    Ok(out.flush()?)
}

/// One side: a document with its bytes to follow, or a refusal.
pub fn read_side(payload: &[u8], input: &mut impl Read) -> Result<Answer, ProtocolError> {
    let mut reader = Reader::new(payload);
    match reader.u8()? {
        0 => {
            let bytes = at_most("a block result", reader.u64()?, DOCUMENT_BYTES_MAX)?;
            reader.finish()?;
            Ok(Answer::Document(Bytes::from(read_bytes(input, bytes)?)))
        }
        1 => {
            let message = take_guest_text(&mut reader)?;
            reader.finish()?;
            Ok(Answer::Refusal(message.as_str().to_owned()))
        }
        found => Err(ProtocolError::Tag { of: "side", found }),
    }
}

fn put_side(payload: &mut Writer, answer: &Answer) {
    match answer {
        Answer::Document(document) => payload.u8(0).u64(document.len() as u64),
        Answer::Refusal(message) => payload.u8(1).text(UntrustedText::new(message).as_str()),
    };
}

/// The executor and its policy, as they stand in the settings.
pub(super) fn put_terms(payload: &mut Writer, terms: &ExecutionTerms) {
    let executed_by = match terms.executed_by {
        ExecutedBy::Embedded => 0,
        ExecutedBy::Remote => 1,
        ExecutedBy::Both(OnDifference::PreferEmbedded) => 2,
        ExecutedBy::Both(OnDifference::PreferRemote) => 3,
        ExecutedBy::Both(OnDifference::Hold) => 4,
    };
    let ExecutionPolicy { senders, gas_bound, basis, stateless_eras } = terms.policy;
    let senders = match senders {
        SenderPolicy::Recovered => 0,
        SenderPolicy::Stated => 1,
    };
    let basis = match basis {
        BasisPolicy::Auto => 0,
        BasisPolicy::Execution => 1,
        BasisPolicy::Receipts => 2,
    };
    payload.u8(executed_by).u8(senders).u64(gas_bound).u8(basis).u8(stateless_eras.into());
}

pub(super) fn take_terms(reader: &mut Reader<'_>) -> Result<ExecutionTerms, ProtocolError> {
    let executed_by = match reader.u8()? {
        0 => ExecutedBy::Embedded,
        1 => ExecutedBy::Remote,
        2 => ExecutedBy::Both(OnDifference::PreferEmbedded),
        3 => ExecutedBy::Both(OnDifference::PreferRemote),
        4 => ExecutedBy::Both(OnDifference::Hold),
        found => return Err(ProtocolError::Tag { of: "executor", found }),
    };
    let senders = match reader.u8()? {
        0 => SenderPolicy::Recovered,
        1 => SenderPolicy::Stated,
        found => return Err(ProtocolError::Tag { of: "sender policy", found }),
    };
    let gas_bound = reader.u64()?;
    let basis = match reader.u8()? {
        0 => BasisPolicy::Auto,
        1 => BasisPolicy::Execution,
        2 => BasisPolicy::Receipts,
        found => return Err(ProtocolError::Tag { of: "basis policy", found }),
    };
    let stateless_eras = match reader.u8()? {
        0 => false,
        1 => true,
        found => return Err(ProtocolError::Tag { of: "policy of eras without state", found }),
    };
    Ok(ExecutionTerms { executed_by, policy: ExecutionPolicy { senders, gas_bound, basis, stateless_eras } })
}
