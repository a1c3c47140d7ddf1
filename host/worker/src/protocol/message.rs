//! The messages around a run: settings and hello, rules, requests.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    sync::Arc,
};

use alloy_primitives::{B256, Bytes};
use refiner_evm::ExecutionTerms;
use refiner_rule_model::{
    AdmissionError, COMPONENT_BYTES_WITH_WASI, Capability, Grants, LIMITS, Limit, Limits, PerLimit, RefusalKind,
    UntrustedText,
};
use sha2::{Digest, Sha256};

use super::{
    Kind, ProtocolError, RULES_MAX, VERSION,
    execution::{put_terms, take_terms},
    read, read_bytes,
    wire::{Reader, Writer},
    write, write_bytes,
};
use crate::{
    CODE_BYTES_MAX,
    confinement::{Ceilings, Confinement, Measure, Outcome},
};

/// The supervisor's first words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Process id of the supervisor: a child with another parent has lost it.
    pub supervisor: u32,
    /// Resources that the child may use in all its life.
    pub ceilings: Ceilings,
    /// Chains beside the built-in ones, each a geth-style chain config.
    pub chains: Vec<String>,
    /// The executor of blocks, and its terms.
    pub terms: ExecutionTerms,
}

impl Settings {
    pub(crate) fn send(&self, out: &mut impl Write) -> Result<(), ProtocolError> {
        let Ceilings { data_bytes, address_bytes, cpu_seconds, file_bytes } = self.ceilings;
        let mut payload = Writer::default();
        payload.u32(VERSION).u32(self.supervisor).u64(data_bytes).u64(address_bytes.unwrap_or(0)).u64(cpu_seconds);
        payload.u64(file_bytes).count(self.chains.len());
        for chain in &self.chains {
            payload.text(chain);
        }
        put_terms(&mut payload, &self.terms);
        write(out, Kind::Settings, &payload.finish())
    }

    /// Waits for the first words of a supervisor that speaks this version.
    pub fn receive(input: &mut impl Read) -> Result<Self, ProtocolError> {
        let payload = read(input)?.expect(Kind::Settings)?;
        let mut reader = Reader::new(&payload);
        version(&mut reader)?;
        let supervisor = reader.u32()?;
        let ceilings = Ceilings {
            data_bytes: reader.u64()?,
            address_bytes: Some(reader.u64()?).filter(|bytes| *bytes != 0),
            cpu_seconds: reader.u64()?,
            file_bytes: reader.u64()?,
        };
        let chains = texts(&mut reader)?.into_iter().map(str::to_owned).collect();
        let terms = take_terms(&mut reader)?;
        reader.finish()?;
        Ok(Self { supervisor, ceilings, chains, terms })
    }
}

/// The child's first words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The measures that the child applied to itself.
    pub confinement: Confinement,
    /// Names the compiled code that the child's engine makes and loads.
    pub compatibility: B256,
}

impl Hello {
    /// Greets the supervisor, once nothing more is taken away.
    pub fn send(&self, out: &mut impl Write) -> Result<(), ProtocolError> {
        let mut payload = Writer::default();
        payload.u32(VERSION).count(self.confinement.iter().count());
        for (measure, outcome) in self.confinement.iter() {
            let (applied, text) = match outcome {
                Outcome::Applied { detail } => (1, detail),
                Outcome::Unavailable { reason } => (0, reason),
            };
            payload.u8(measure.number()).u8(applied).text(text.as_str());
        }
        payload.b256(&self.compatibility);
        write(out, Kind::Hello, &payload.finish())
    }

    pub(crate) fn receive(input: &mut impl Read) -> Result<Self, ProtocolError> {
        let payload = read(input)?.expect(Kind::Hello)?;
        let mut reader = Reader::new(&payload);
        version(&mut reader)?;
        let mut confinement = Confinement::default();
        for _ in 0..reader.count()? {
            let number = reader.u8()?;
            let measure = Measure::from_number(number).ok_or(ProtocolError::Tag { of: "measure", found: number })?;
            let applied = reader.u8()?;
            let text = UntrustedText::new(reader.text()?);
            confinement.add(
                measure,
                match applied {
                    0 => Outcome::Unavailable { reason: text },
                    1 => Outcome::Applied { detail: text },
                    found => return Err(ProtocolError::Tag { of: "outcome of a measure", found }),
                },
            );
        }
        let compatibility = reader.b256()?;
        reader.finish()?;
        Ok(Self { confinement, compatibility })
    }
}

fn version(reader: &mut Reader<'_>) -> Result<(), ProtocolError> {
    match reader.u32()? {
        VERSION => Ok(()),
        found => Err(ProtocolError::Version { found }),
    }
}

/// A rule to load, compiled before.
#[derive(Clone, Debug)]
pub struct RuleRequest {
    /// Bytes of the component.
    pub component: Bytes,
    /// Compiled code, with the stated hash.
    pub code: Bytes,
    pub(crate) code_sha256: B256,
    /// The manifest that came beside the component.
    pub beside: Option<Arc<str>>,
    /// The operator's terms for the rule.
    pub grants: Grants,
}

impl RuleRequest {
    /// Sends the rule; `more` where another one follows.
    pub(crate) fn send(&self, out: &mut impl Write, more: bool) -> Result<(), ProtocolError> {
        let mut payload = Writer::default();
        payload.b256(&self.code_sha256).u64(self.component.len() as u64).u64(self.code.len() as u64);
        payload.optional_text(self.beside.as_deref());
        put_grants(&mut payload, &self.grants);
        payload.u8(more.into());
        write(out, Kind::Rule, &payload.finish())?;
        write_bytes(out, &self.component)?;
        write_bytes(out, &self.code)
    }

    /// Waits for all rules that a worker is to serve, the code of each checked against its hash.
    pub fn receive_all(input: &mut impl Read) -> Result<Vec<Self>, ProtocolError> {
        let mut rules = Vec::new();
        loop {
            let payload = read(input)?.expect(Kind::Rule)?;
            let (rule, more) = Self::receive(&payload, input)?;
            rules.push(rule);
            if !more {
                return Ok(rules);
            }
            if rules.len() == RULES_MAX {
                return Err(ProtocolError::TooMany { what: "rules", found: RULES_MAX + 1, allowed: RULES_MAX });
            }
        }
    }

    /// One rule, and whether another one follows.
    pub(crate) fn receive(payload: &[u8], input: &mut impl Read) -> Result<(Self, bool), ProtocolError> {
        let mut reader = Reader::new(payload);
        let code_sha256 = reader.b256()?;
        let component_bytes = at_most("a component", reader.u64()?, COMPONENT_BYTES_WITH_WASI)?;
        let code_bytes = at_most("compiled code", reader.u64()?, CODE_BYTES_MAX)?;
        let beside = reader.optional_text()?.map(Arc::from);
        let grants = take_grants(&mut reader)?;
        let more = match reader.u8()? {
            0 => false,
            1 => true,
            found => return Err(ProtocolError::Tag { of: "another rule", found }),
        };
        reader.finish()?;
        let component = read_bytes(input, component_bytes)?.into();
        let code = read_bytes(input, code_bytes)?;
        if Sha256::digest(&code)[..] != code_sha256[..] {
            return Err(ProtocolError::CodeHash);
        }
        Ok((Self { component, code: code.into(), code_sha256, beside, grants }, more))
    }
}

/// A component to compile.
#[derive(Clone, Debug)]
pub struct CompileRequest {
    /// Bytes of the component.
    pub component: Bytes,
    /// The manifest that came beside it.
    pub beside: Option<Arc<str>>,
    /// The operator's terms for the rule.
    pub grants: Grants,
}

impl CompileRequest {
    pub(crate) fn send(&self, out: &mut impl Write) -> Result<(), ProtocolError> {
        let mut payload = Writer::default();
        payload.u64(self.component.len() as u64).optional_text(self.beside.as_deref());
        put_grants(&mut payload, &self.grants);
        write(out, Kind::Compile, &payload.finish())?;
        write_bytes(out, &self.component)
    }

    /// Waits for a component within the bounds of the protocol.
    pub fn receive(input: &mut impl Read) -> Result<Self, ProtocolError> {
        let payload = read(input)?.expect(Kind::Compile)?;
        let mut reader = Reader::new(&payload);
        let component_bytes = at_most("a component", reader.u64()?, COMPONENT_BYTES_WITH_WASI)?;
        let beside = reader.optional_text()?.map(Arc::from);
        let grants = take_grants(&mut reader)?;
        reader.finish()?;
        Ok(Self { component: read_bytes(input, component_bytes)?.into(), beside, grants })
    }
}

/// The number of bytes that a frame announces, checked against what is allowed.
pub fn announced_bytes(what: &'static str, payload: &[u8], allowed: u64) -> Result<u64, ProtocolError> {
    let mut reader = Reader::new(payload);
    let bytes = reader.u64()?;
    reader.finish()?;
    at_most(what, bytes, allowed)
}

/// Writes a frame that announces bytes, and the bytes.
pub fn write_announced(out: &mut impl Write, kind: Kind, bytes: &[u8]) -> Result<(), ProtocolError> {
    let mut payload = Writer::default();
    payload.u64(bytes.len() as u64);
    write(out, kind, &payload.finish())?;
    write_bytes(out, bytes)
}

/// Writes a frame that is one text.
pub fn write_text(out: &mut impl Write, kind: Kind, text: &UntrustedText) -> Result<(), ProtocolError> {
    let mut payload = Writer::default();
    payload.text(text.as_str());
    write(out, kind, &payload.finish())
}

/// The text of such a frame.
pub(super) fn read_text(payload: &[u8]) -> Result<UntrustedText, ProtocolError> {
    let mut reader = Reader::new(payload);
    let text = take_guest_text(&mut reader)?;
    reader.finish()?;
    Ok(text)
}

/// Writes why a rule is not admitted.
pub fn write_refusal(out: &mut impl Write, refusal: &AdmissionError) -> Result<(), ProtocolError> {
    let mut payload = Writer::default();
    payload.u8(refusal.kind() as u8).text(UntrustedText::new(&refusal.to_string()).as_str());
    write(out, Kind::Refused, &payload.finish())
}

/// Kind and words of such a frame.
pub fn read_refusal(payload: &[u8]) -> Result<(RefusalKind, UntrustedText), ProtocolError> {
    let mut reader = Reader::new(payload);
    let found = reader.u8()?;
    let kind = RefusalKind::ALL.get(usize::from(found)).ok_or(ProtocolError::Tag { of: "refusal", found })?;
    let reason = take_guest_text(&mut reader)?;
    reader.finish()?;
    Ok((*kind, reason))
}

/// Writes a frame that is one hash.
pub fn write_hash(out: &mut impl Write, kind: Kind, hash: &B256) -> Result<(), ProtocolError> {
    write(out, kind, hash.as_slice())
}

/// The hash of such a frame.
pub fn read_hash(payload: &[u8]) -> Result<B256, ProtocolError> {
    let mut reader = Reader::new(payload);
    let hash = reader.b256()?;
    reader.finish()?;
    Ok(hash)
}

/// Reads a text as the sandbox left it. One that was cut there ends with an ellipsis past the limit, and must not be cut
/// again: the same run in two processes gives the same verdict.
pub(super) fn take_guest_text(reader: &mut Reader<'_>) -> Result<UntrustedText, ProtocolError> {
    Ok(UntrustedText::at_most(reader.text()?, UntrustedText::BYTES_MAX + '…'.len_utf8()))
}

pub(super) fn put_limits(payload: &mut Writer, limits: impl Iterator<Item = (Limit, u64)>) {
    payload.count(Limit::COUNT);
    for (_, value) in limits {
        payload.u64(value);
    }
}

pub(super) fn take_per_limit(reader: &mut Reader<'_>) -> Result<PerLimit, ProtocolError> {
    let found = reader.count()?;
    if found != Limit::COUNT {
        return Err(ProtocolError::LimitCount { found });
    }
    let mut numbers = PerLimit::ZERO;
    for spec in &LIMITS {
        numbers.set(spec.limit, reader.u64()?);
    }
    Ok(numbers)
}

pub(super) fn take_limits(reader: &mut Reader<'_>) -> Result<Limits, ProtocolError> {
    let asked = take_per_limit(reader)?;
    Ok(asked.iter().try_fold(Limits::default(), |limits, (limit, value)| limits.with(limit, value))?)
}

fn put_grants(payload: &mut Writer, grants: &Grants) {
    put_limits(payload, grants.limits.iter());
    payload.count(grants.capabilities.len());
    for capability in &grants.capabilities {
        payload.text(capability.as_str());
    }
}

/// A capability that is not known here is one that cannot be granted here.
fn take_grants(reader: &mut Reader<'_>) -> Result<Grants, ProtocolError> {
    let limits = take_limits(reader)?;
    let capabilities: BTreeSet<_> = texts(reader)?.into_iter().filter_map(Capability::from_name).collect();
    Ok(Grants { capabilities, limits })
}

fn texts<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, ProtocolError> {
    let mut texts = Vec::new();
    for _ in 0..reader.count()? {
        texts.push(reader.text()?);
    }
    Ok(texts)
}

pub(super) fn at_most(what: &'static str, bytes: u64, allowed: u64) -> Result<u64, ProtocolError> {
    if bytes > allowed { Err(ProtocolError::TooLarge { what, bytes, allowed }) } else { Ok(bytes) }
}
