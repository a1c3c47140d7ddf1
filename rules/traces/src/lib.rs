//! The calls of every transaction of a block, one row a call, creation or self-destruction, as `debug_traceBlockByHash` of a node gives
//! them with its callTracer.
//!
//! The parameter `payload` is `all` (the default), `selector` or `none`: the bytes of inputs and outputs that stand in a row. Their
//! lengths always do. With `system = true` there are rows for the calls before the first transaction and after the last one, whose
//! `transaction_index` is null.
//!
//! Inner calls rest on the specimen's state, which no root proves; only what reaches the receipts is checked.

mod reason;

use refiner_sdk::{
    Evm, Frame, FrameStep, Output, Payload, RuleError, RuleWithEvm, Specimen, Summary, export_transform_with_evm,
    ndjson::{Hex, MEDIA_TYPE, Rows},
    params,
};

const NAME: &str = "traces.ndjson";
const SCHEMA: &str = "schemas/traces/v1.schema.json";
/// Bytes of a method's selector.
const SELECTOR_BYTES: usize = 4;

struct Traces;

impl RuleWithEvm for Traces {
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError> {
        let payload = payload()?;
        let system = system()?;
        let execution = evm.execute(specimen, "canonical")?;
        let coverage = execution.coverage(specimen);
        let hashes: Vec<_> = execution
            .receipts()
            .map(|receipt| coverage.covers(receipt.tx_type).then_some(receipt.transaction_hash))
            .collect();
        let mut rows = Rows::of_block_in_snake_case(out.artifact_with_schema(NAME, MEDIA_TYPE, SCHEMA), specimen);
        let mut frames = execution.frames(payload)?;
        while let Some(step) = frames.next_step() {
            if !system && step.transaction_index.is_none() {
                continue;
            }
            let hash = step.transaction_index.and_then(|index| hashes.get(index as usize).copied().flatten());
            write(&mut rows, &step, hash, payload);
        }
        Ok(Summary::records(rows.finish()))
    }
}

export_transform_with_evm!(Traces);

fn payload() -> Result<Payload, RuleError> {
    match params::get("payload").as_deref() {
        None | Some("all") => Ok(Payload::All),
        Some("selector") => Ok(Payload::Selector),
        Some("none") => Ok(Payload::Nothing),
        Some(other) => Err(RuleError::Unsupported(format!("payload is {other:?}; expected all, selector or none"))),
    }
}

fn system() -> Result<bool, RuleError> {
    match params::get("system").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(RuleError::Unsupported(format!("system is {other:?}; expected true or false"))),
    }
}

fn write(rows: &mut Rows, step: &FrameStep<'_>, hash: Option<refiner_sdk::B256>, payload: Payload) {
    for (frame_index, frame) in (0_u32..).zip(step.frames()) {
        rows.row(|row| {
            row.field("transaction_index", step.transaction_index);
            row.field("transaction_hash", hash);
            row.field("frame_index", frame_index);
            row.field("parent_index", frame.parent);
            row.field("depth", frame.depth);
            row.field("call_type", frame.call_type());
            row.field("from_address", frame.sender);
            row.field("to_address", frame.to);
            row.field("value", frame.value);
            row.field("gas_limit", frame.gas_limit);
            row.field("gas_used", frame.gas_used);
            row.field("selector", selector(&frame).map(Hex));
            row.field("input", (payload == Payload::All).then_some(Hex(&frame.input)));
            row.field("input_length", frame.input_len);
            row.field("output", (payload == Payload::All).then_some(Hex(&frame.output)));
            row.field("output_length", frame.output_len);
            row.field("error", frame.error.as_deref());
            row.field("revert_reason", reason::of(&frame));
            row.field("undone", frame.undone);
        });
    }
}

/// The selector of a method that is called; `None` for a creation, which has none.
fn selector(frame: &Frame) -> Option<&[u8]> {
    let calls = !matches!(frame.call_type(), "CREATE" | "CREATE2" | "SELFDESTRUCT");
    frame.input.get(..SELECTOR_BYTES).filter(|_| calls)
}

#[cfg(test)]
mod tests;
