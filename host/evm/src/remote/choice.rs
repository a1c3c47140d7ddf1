//! Who executes blocks, as far as results depend on it.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

use super::OnDifference;

/// Goes up when the same block in the same format can give another execution than before: by the embedded executor, or by what is
/// believed of an evm-server.
const REVISION: u32 = 1;

/// Who executes blocks.
///
/// The era is not here: it is the format that a rule asks for, and every answer is held against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutedBy {
    /// The executor of this program.
    Embedded,
    /// An evm-server.
    Remote,
    /// The two, compared; a difference ends so.
    Both(OnDifference),
}

impl ExecutedBy {
    /// Names executor and revision: sha256 of `embedded 1`, `remote 1`, or `both 1 hold` with its policy.
    pub fn digest(self) -> B256 {
        let text = match self {
            Self::Embedded => format!("embedded {REVISION}"),
            Self::Remote => format!("remote {REVISION}"),
            Self::Both(policy) => format!("both {REVISION} {policy}"),
        };
        B256::from(<[u8; 32]>::from(Sha256::digest(text)))
    }
}
