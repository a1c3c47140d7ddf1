//! The place at which a run was stopped. Functions: a list of 0 and text: a name, or 1 and number u32.

use std::io::Write;

use refiner_rule_model::{FUNCTION_NAME_BYTES_MAX, FuelParts, FuelSample, Function, SAMPLE_FRAMES_MAX, UntrustedText};

use super::{
    Kind, ProtocolError,
    wire::{Reader, Writer},
    write,
};

/// Writes a sample of a run's fuel.
pub fn write_sample(out: &mut impl Write, sample: &FuelSample) -> Result<(), ProtocolError> {
    let FuelSample { used, functions, is_cut, call } = sample;
    let mut payload = Writer::default();
    payload.u64(used.code).u64(used.calls).u8((*is_cut).into()).optional_text(call.as_ref().map(UntrustedText::as_str));
    payload.count(functions.len());
    for function in functions {
        match function {
            Function::Named(name) => payload.u8(0).text(name.as_str()),
            Function::Numbered(number) => payload.u8(1).u32(*number),
        };
    }
    write(out, Kind::Sample, &payload.finish())
}

/// The sample of such a frame, with no more functions than a sample has.
pub(crate) fn read_sample(payload: &[u8]) -> Result<FuelSample, ProtocolError> {
    let mut reader = Reader::new(payload);
    let used = FuelParts { code: reader.u64()?, calls: reader.u64()? };
    let is_cut = match reader.u8()? {
        0 => false,
        1 => true,
        found => return Err(ProtocolError::Tag { of: "cut of a stack", found }),
    };
    let call = reader.optional_text()?.map(name);
    let found = reader.count()?;
    if found > SAMPLE_FRAMES_MAX {
        return Err(ProtocolError::TooMany { what: "functions of a stack", found, allowed: SAMPLE_FRAMES_MAX });
    }
    let functions = (0..found).map(|_| function(&mut reader)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(FuelSample { used, functions, is_cut, call })
}

fn function(reader: &mut Reader<'_>) -> Result<Function, ProtocolError> {
    match reader.u8()? {
        0 => Ok(Function::Named(name(reader.text()?))),
        1 => Ok(Function::Numbered(reader.u32()?)),
        found => Err(ProtocolError::Tag { of: "function", found }),
    }
}

/// A name as the sandbox left it: one that was cut there ends with an ellipsis past the limit.
fn name(text: &str) -> UntrustedText {
    UntrustedText::at_most(text, FUNCTION_NAME_BYTES_MAX + '…'.len_utf8())
}
