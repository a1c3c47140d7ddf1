//! Standard input and output without the buffers that std puts around them.

use std::{
    io::{self, Read, Write},
    os::fd::AsFd,
};

/// Standard input, read as it comes.
pub(crate) struct Input;

/// Standard output, written at once. std's own looks for line ends in every byte.
pub(crate) struct Output;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(io::stdin().as_fd(), &mut *buffer))?)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::write(io::stdout().as_fd(), bytes))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
