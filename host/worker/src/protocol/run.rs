//! The message that has a rule run.

use std::io::{Read, Write};

use alloy_primitives::{B256, Bytes};
use refiner_buffers::Buffers;
use refiner_rule_model::{FuelParts, Limit, Limits, Params};

use super::{
    Kind, ProtocolError,
    message::{at_most, put_limits, take_limits},
    read_bytes_into,
    spans::{put_context, take_context},
    wire::{Reader, Writer},
    write, write_bytes,
};
use crate::trace::TraceContext;

/// A specimen to run the rule on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRequest {
    /// The number of the rule, in the order in which the worker was given them.
    pub rule: u32,
    /// When the supervisor knows it.
    pub specimen_hash: Option<B256>,
    /// Bytes of the specimen.
    pub raw: Bytes,
    /// Parameters that the operator gave the rule.
    pub params: Params,
    /// Limits that the run is granted.
    pub limits: Limits,
    /// Its place in a trace, where times are wanted.
    pub trace: Option<TraceContext>,
    /// The fuel at which it is stopped, where that place is wanted in place of its result.
    pub stop: Option<FuelParts>,
}

impl RunRequest {
    pub(crate) fn send(&self, out: &mut impl Write) -> Result<(), ProtocolError> {
        let mut payload = Writer::default();
        payload.u32(self.rule).optional_b256(self.specimen_hash.as_ref()).u64(self.raw.len() as u64);
        put_limits(&mut payload, self.limits.iter());
        payload.count(self.params.iter().count());
        for (name, value) in self.params.iter() {
            payload.text(name).text(value);
        }
        put_context(&mut payload, self.trace.as_ref());
        match self.stop {
            None => payload.u8(0),
            Some(FuelParts { code, calls }) => payload.u8(1).u64(code).u64(calls),
        };
        write(out, Kind::Run, &payload.finish())?;
        write_bytes(out, &self.raw)
    }

    /// Reads the rest of a run whose first frame this is, the specimen into a reusable buffer.
    pub fn receive(payload: &[u8], input: &mut impl Read, buffers: &Buffers) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(payload);
        let rule = reader.u32()?;
        let specimen_hash = reader.optional_b256()?;
        let specimen_bytes = at_most("a specimen", reader.u64()?, Limit::SpecimenBytes.spec().cap)?;
        let limits = take_limits(&mut reader)?;
        let mut params = Vec::new();
        for _ in 0..reader.count()? {
            params.push((reader.text()?, reader.text()?));
        }
        let trace = take_context(&mut reader)?;
        let stop = match reader.u8()? {
            0 => None,
            1 => Some(FuelParts { code: reader.u64()?, calls: reader.u64()? }),
            found => return Err(ProtocolError::Tag { of: "stop", found }),
        };
        reader.finish()?;
        let length = usize::try_from(specimen_bytes).map_err(|_| ProtocolError::TooManyBytes)?;
        let raw = buffers.bytes(length, |buffer| read_bytes_into(input, buffer).map(|()| length))?.into();
        Ok(Self { rule, specimen_hash, raw, params: params.into_iter().collect(), limits, trace, stop })
    }
}
