//! `traces`: the calls of an execution.

use std::sync::Arc;

use refiner_evm::{Frame, RecordingTerms, Recordings};
use wasmtime::component::Resource;

use super::{
    ExecutionHandle, FramesHandle, HostState, Wanted,
    state::{
        frames::{Reader, nothing_there},
        recordings::Position,
    },
};
use crate::bindings::refiner::rule::{recordings::RecordError, traces};

/// Bytes of a frame in the canonical ABI, without its lists and text.
const FRAME_BYTES: usize = 168;

/// The first bytes of a payload, as many as a reader asked for.
fn kept(payload: &[u8], payload_max: u32) -> &[u8] {
    &payload[..payload.len().min(payload_max as usize)]
}

impl traces::Host for HostState {
    fn open(
        &mut self,
        execution: Resource<ExecutionHandle>,
        payload_max: u32,
    ) -> wasmtime::Result<Result<Resource<FramesHandle>, RecordError>> {
        self.budget.call("traces.open")?;
        let bytes_max = self.record_bytes();
        let terms = RecordingTerms { payload_max: Some(payload_max), state: false, gas: false, bytes_max };
        let opened = Wanted { frames: true, ..Wanted::default() };
        let whole = |recordings: &Recordings| recordings.frames.as_ref().is_some_and(|frames| frames.steps.is_whole());
        let recordings = match self.open_recording(&execution, opened, terms, whole)? {
            Ok(recordings) => recordings,
            Err(error) => return Ok(Err(error)),
        };
        let rep = u32::try_from(self.frames.0.len())?;
        self.frames.0.push(Some(Reader { recordings, payload_max, position: Position::default() }));
        Ok(Ok(Resource::new_own(rep)))
    }
}

impl traces::HostFrames for HostState {
    fn next(&mut self, handle: Resource<FramesHandle>) -> wasmtime::Result<Option<u32>> {
        self.budget.call("traces.frames.next")?;
        let reader = self.frames.0.get_mut(handle.rep() as usize).and_then(Option::as_mut).ok_or_else(nothing_there)?;
        let (recordings, payload_max) = (Arc::clone(&reader.recordings), reader.payload_max);
        let frames = recordings.frames.as_ref().ok_or_else(nothing_there)?;
        let bytes_of = |step: &Vec<Frame>| step.iter().map(|frame| frame.bytes_within(payload_max)).sum();
        Ok(reader.position.enter(&frames.steps, &mut self.budget, bytes_of)?)
    }

    fn count(&mut self, handle: Resource<FramesHandle>) -> wasmtime::Result<u32> {
        self.budget.call("traces.frames.count")?;
        Ok(u32::try_from(self.frames.get(&handle)?.step()?.len())?)
    }

    fn page(&mut self, handle: Resource<FramesHandle>, start: u32, count: u32) -> wasmtime::Result<Vec<traces::Frame>> {
        self.budget.call("traces.frames.page")?;
        let reader = self.frames.get(&handle)?;
        let payload_max = reader.payload_max;
        if let Some(view) = &self.specimen {
            let values = reader.step()?.iter().filter_map(|frame| frame.value);
            view.check_exact("page", "the value of a call", values)?;
        }
        let bytes_of = |frame: &Frame| {
            let payload = kept(&frame.input, payload_max).len() + kept(&frame.output, payload_max).len();
            FRAME_BYTES + payload + frame.error.map_or(0, str::len)
        };
        let page = self.budget.page(reader.step()?, start, count, bytes_of, |_, frame| to_frame(frame, payload_max))?;
        Ok(page)
    }

    fn drop(&mut self, handle: Resource<FramesHandle>) -> wasmtime::Result<()> {
        if let Some(reader) = self.frames.0.get_mut(handle.rep() as usize) {
            *reader = None;
        }
        Ok(())
    }
}

fn to_frame(frame: &Frame, payload_max: u32) -> traces::Frame {
    traces::Frame {
        parent: frame.parent,
        depth: frame.depth,
        opcode: frame.opcode,
        sender: frame.sender.into(),
        to: frame.to.map(Into::into),
        value: frame.value.map(Into::into),
        gas_limit: frame.gas_limit,
        gas_used: frame.gas_used,
        input_len: frame.input_len,
        input: kept(&frame.input, payload_max).to_vec(),
        output_len: frame.output_len,
        output: kept(&frame.output, payload_max).to_vec(),
        error: frame.error.map(str::to_owned),
        undone: frame.undone,
    }
}
