//! Resources that a child may use in all its life.

use std::fmt;

/// Resources that a child may use in all its life.
///
/// `data_bytes` counts private writable memory, which is what a process can really hold: a worker's engine reserves four
/// gigabytes of addresses for each memory of a guest and leaves them empty, so that a bound on addresses would mean little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Private writable memory, in bytes.
    pub data_bytes: u64,
    /// Addresses, reserved ones included. `None` for workers.
    pub address_bytes: Option<u64>,
    /// Processor time of all threads.
    pub cpu_seconds: u64,
    /// Size of a file. No file can be opened; the engine keeps initial memories in anonymous ones.
    pub file_bytes: u64,
}

impl fmt::Display for Ceilings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of data", self.data_bytes)?;
        if let Some(bytes) = self.address_bytes {
            write!(f, ", {bytes} bytes of addresses")?;
        }
        write!(f, ", {} s of processor time", self.cpu_seconds)
    }
}
