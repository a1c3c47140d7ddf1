//! Frames: what is read and written in one piece.

use std::io::{self, BufWriter, Read, Write};

use super::ProtocolError;

/// Longest payload of a frame. Larger things travel in many: neither side ever holds more than this for a message
/// that it has not looked at.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Bytes carried by one [`Kind::Bytes`] frame: the size that pipes are set to, so that one write fills one.
const CHUNK_BYTES: usize = 256 << 10;
/// Bytes of kind and length.
const HEADER_BYTES: usize = 5;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// The kind of a frame. The high bit is set in frames that come from a child.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Kind {
            const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// The supervisor's first frame.
    Settings = 0x01,
    /// A rule to load.
    Rule = 0x02,
    /// A specimen to run it on.
    Run = 0x03,
    /// A component to compile.
    Compile = 0x04,
    /// Part of the bytes that the frame before announced.
    Bytes = 0x05,
    /// The answer of an evm-server.
    Executed = 0x06,
    /// The child's first frame.
    Hello = 0x81,
    /// The rule is loaded, sealed and described.
    Admitted = 0x82,
    /// The component is not admitted.
    Refused = 0x83,
    /// The run has no verdict: something around the rule failed.
    HostFailure = 0x84,
    /// The bytes are no specimen.
    NoSpecimen = 0x85,
    /// One line of the rule's log.
    Log = 0x86,
    /// An artifact, its bytes to follow.
    Artifact = 0x87,
    /// The end of a run.
    Verdict = 0x88,
    /// Compiled code, its bytes to follow.
    Compiled = 0x89,
    /// Asks the supervisor to have the block executed by an evm-server.
    Execute = 0x8a,
    /// The worker's own result, which is not what the evm-server answered.
    Difference = 0x8b,
    /// The checks behind a run's output.
    Evidence = 0x8c,
    /// The times of a run for which a trace was asked.
    Spans = 0x8d,
    /// The place at which a run was stopped that was to be stopped.
    Sample = 0x8e,
}

/// One frame with its payload.
#[derive(Debug)]
pub struct Frame {
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The payload of a frame that must be of this kind.
    pub fn expect(self, expected: Kind) -> Result<Vec<u8>, ProtocolError> {
        if self.kind == expected { Ok(self.payload) } else { Err(ProtocolError::Unexpected { found: self.kind }) }
    }
}

/// Writes one frame and does not flush.
pub fn write(out: &mut impl Write, kind: Kind, payload: &[u8]) -> Result<(), ProtocolError> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    if payload.len() > FRAME_BYTES_MAX {
        return Err(ProtocolError::FrameTooLong { bytes: length });
    }
    let mut header = [kind as u8; HEADER_BYTES];
    header[1..].copy_from_slice(&length.to_be_bytes());
    out.write_all(&header)?;
    Ok(out.write_all(payload)?)
}

/// Reads one frame. The end of the stream in place of one is [`ProtocolError::Closed`].
pub fn read(input: &mut impl Read) -> Result<Frame, ProtocolError> {
    let (kind, length) = read_header(input)?;
    let mut payload = vec![0; length];
    input.read_exact(&mut payload)?;
    Ok(Frame { kind, payload })
}

fn read_header(input: &mut impl Read) -> Result<(Kind, usize), ProtocolError> {
    let mut header = [0; HEADER_BYTES];
    input.read_exact(&mut header)?;
    let [number, length @ ..] = header;
    let kind = Kind::from_number(number).ok_or(ProtocolError::UnknownKind { found: number })?;
    let bytes = u32::from_be_bytes(length);
    match usize::try_from(bytes) {
        Ok(length) if length <= FRAME_BYTES_MAX => Ok((kind, length)),
        _ => Err(ProtocolError::FrameTooLong { bytes }),
    }
}

/// Writes `bytes` as [`Kind::Bytes`] frames: none when there are none.
pub fn write_bytes(out: &mut impl Write, bytes: &[u8]) -> Result<(), ProtocolError> {
    bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| write(out, Kind::Bytes, chunk))
}

/// Sends what `write` writes, in as few pieces as the pipe allows.
pub fn send<P: Write>(
    pipe: &mut P,
    write: impl FnOnce(&mut BufWriter<&mut P>) -> Result<(), ProtocolError>,
) -> Result<(), ProtocolError> {
    let mut out = BufWriter::new(pipe);
    let written = write(&mut out).and_then(|()| Ok(out.flush()?));
    // What is left after an error would be written when the buffer is dropped, to a pipe that just failed.
    drop(out.into_parts());
    written
}

/// Reads `announced` bytes from [`Kind::Bytes`] frames. The caller has held the number against its limit.
pub fn read_bytes(input: &mut impl Read, announced: u64) -> Result<Vec<u8>, ProtocolError> {
    let announced = usize::try_from(announced).map_err(|_| ProtocolError::TooManyBytes)?;
    let mut bytes = Vec::new();
    while bytes.len() < announced {
        let length = read_bytes_header(input, announced - bytes.len())?;
        if bytes.is_empty() {
            // Announced is not sent: memory is reserved only once something came, and then at once.
            bytes.reserve_exact(announced);
        }
        let start = bytes.len();
        bytes.resize(start + length, 0);
        input.read_exact(&mut bytes[start..])?;
    }
    Ok(bytes)
}

/// The same into a buffer of just this length.
pub fn read_bytes_into(input: &mut impl Read, mut buffer: &mut [u8]) -> Result<(), ProtocolError> {
    while !buffer.is_empty() {
        let length = read_bytes_header(input, buffer.len())?;
        let (now, rest) = buffer.split_at_mut(length);
        input.read_exact(now)?;
        buffer = rest;
    }
    Ok(())
}

/// The length of the next [`Kind::Bytes`] frame, of which there is something and no more than is due.
fn read_bytes_header(input: &mut impl Read, due: usize) -> Result<usize, ProtocolError> {
    match read_header(input)? {
        (Kind::Bytes, length) if length == 0 || length > due => Err(ProtocolError::TooManyBytes),
        (Kind::Bytes, length) => Ok(length),
        (found, _) => Err(ProtocolError::Unexpected { found }),
    }
}

fn closed(error: io::Error) -> ProtocolError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => ProtocolError::Closed,
        _ => ProtocolError::Io(error),
    }
}

impl From<io::Error> for ProtocolError {
    fn from(error: io::Error) -> Self {
        closed(error)
    }
}
