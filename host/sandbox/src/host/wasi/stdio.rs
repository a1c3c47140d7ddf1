//! `wasi:io/streams` and `wasi:cli/std*`: empty input, and output that ends in the rule's log, line by line.

use refiner_rule_model::{LogLevel, Misuse};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult,
    bindings::{
        cli::{exit, stderr, stdin, stdout},
        sync::io::streams,
    },
};

use crate::host::{
    budget::BudgetExceeded,
    state::{
        HostState,
        log::Log,
        wasi::{lines::Stream, times},
    },
};

/// Fuel for a line that a write ends: it is looked at, and kept or counted as lost.
pub(in crate::host) const LINE_FUEL: u64 = 256;
/// Bytes that a guest may write at once. Any length is taken; this is the number that wasmtime-wasi states.
const WRITE_BYTES: u64 = 4096;

impl HostState {
    /// Writes what stands in unfinished lines to the log. To be called once, when the guest has ended.
    pub(crate) fn finish_stdio(&mut self) {
        for (stream, level) in [(Stream::Out, LogLevel::Info), (Stream::Err, LogLevel::Warn)] {
            let Self { wasi, log, budget, .. } = self;
            let Some(line) = wasi.stdio.line(stream).filter(|line| !line.0.is_empty()) else { continue };
            line.finish(|text| log.keep(level, text, budget));
        }
    }

    fn write(&mut self, stream: &Resource<DynOutputStream>, bytes: &[u8]) -> Result<(), BudgetExceeded> {
        self.budget.call("streams.output-stream.write")?;
        self.budget.copy(bytes.len())?;
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.budget.burn(lines.saturating_mul(LINE_FUEL))?;
        let Self { wasi, log, budget, .. } = self;
        let (stream, level) = match Stream::of(stream.rep()) {
            Stream::Err => (Stream::Err, LogLevel::Warn),
            Stream::In | Stream::Out => (Stream::Out, LogLevel::Info),
        };
        let Some(line) = wasi.stdio.line(stream) else { return Ok(()) };
        line.push(bytes, |text| Log::keep(log, level, text, budget));
        Ok(())
    }

    /// Zeros are no text: they are counted like other bytes and thrown away.
    fn write_zeros(&mut self, len: u64) -> Result<(), BudgetExceeded> {
        self.budget.call("streams.output-stream.write-zeroes")?;
        self.budget.copy(usize::try_from(len).unwrap_or(usize::MAX))
    }
}

impl Stream {
    fn of(number: u32) -> Self {
        match number {
            0 => Self::In,
            1 => Self::Out,
            _ => Self::Err,
        }
    }

    fn handle<T: 'static>(self) -> Resource<T> {
        Resource::new_own(self as u32)
    }
}

impl stdin::Host for HostState {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        self.budget.call("stdin.get-stdin")?;
        Ok(Stream::In.handle())
    }
}

impl stdout::Host for HostState {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.budget.call("stdout.get-stdout")?;
        Ok(Stream::Out.handle())
    }
}

impl stderr::Host for HostState {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.budget.call("stderr.get-stderr")?;
        Ok(Stream::Err.handle())
    }
}

/// A rule has to return: a guest that leaves in another way has no summary, so there is no result to keep.
impl exit::Host for HostState {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        self.exit_with_code(u8::from(status.is_err()))
    }

    fn exit_with_code(&mut self, status: u8) -> wasmtime::Result<()> {
        self.budget.call("exit.exit-with-code")?;
        Err(BudgetExceeded::Misuse(Misuse::Exited { status }).into())
    }
}

impl From<BudgetExceeded> for StreamError {
    fn from(stop: BudgetExceeded) -> Self {
        Self::Trap(stop.into())
    }
}

impl streams::Host for HostState {
    fn convert_stream_error(&mut self, error: StreamError) -> wasmtime::Result<streams::StreamError> {
        match error {
            StreamError::Closed => Ok(streams::StreamError::Closed),
            StreamError::LastOperationFailed(error) | StreamError::Trap(error) => Err(error),
        }
    }
}

/// Standard input is at its end.
impl streams::HostInputStream for HostState {
    fn read(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<Vec<u8>> {
        self.budget.call("streams.input-stream.read")?;
        Err(StreamError::Closed)
    }

    fn blocking_read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        streams::HostInputStream::read(self, stream, len)
    }

    fn skip(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        self.budget.call("streams.input-stream.skip")?;
        Err(StreamError::Closed)
    }

    fn blocking_skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        streams::HostInputStream::skip(self, stream, len)
    }

    fn subscribe(&mut self, _: Resource<DynInputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        self.budget.call("streams.input-stream.subscribe")?;
        Ok(times::over())
    }

    fn drop(&mut self, _: Resource<DynInputStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// Standard output and error take everything at once. What the log has no room for is lost, and counted there.
impl streams::HostOutputStream for HostState {
    fn check_write(&mut self, _: Resource<DynOutputStream>) -> StreamResult<u64> {
        self.budget.call("streams.output-stream.check-write")?;
        Ok(WRITE_BYTES)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, contents: Vec<u8>) -> StreamResult<()> {
        Ok(Self::write(self, &stream, &contents)?)
    }

    fn blocking_write_and_flush(&mut self, stream: Resource<DynOutputStream>, contents: Vec<u8>) -> StreamResult<()> {
        Ok(Self::write(self, &stream, &contents)?)
    }

    fn flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(self.budget.call("streams.output-stream.flush")?)
    }

    fn blocking_flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(self.budget.call("streams.output-stream.blocking-flush")?)
    }

    fn subscribe(&mut self, _: Resource<DynOutputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        self.budget.call("streams.output-stream.subscribe")?;
        Ok(times::over())
    }

    fn write_zeroes(&mut self, _: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        Ok(self.write_zeros(len)?)
    }

    fn blocking_write_zeroes_and_flush(&mut self, _: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        Ok(self.write_zeros(len)?)
    }

    /// From standard input, which is at its end.
    fn splice(&mut self, _: Resource<DynOutputStream>, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        self.budget.call("streams.output-stream.splice")?;
        Err(StreamError::Closed)
    }

    fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        streams::HostOutputStream::splice(self, to, from, len)
    }

    fn drop(&mut self, _: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}
