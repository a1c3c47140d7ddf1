//! Faults of an evm-server's answer.

use refiner_specimen::check::Check;

use crate::{error::ExecuteError, format::ResultFormat};

/// The fault of an evm-server's answer.
#[derive(Debug, thiserror::Error)]
pub enum UnverifiedAnswer {
    /// It is no block result.
    #[error("it is no block result")]
    Unreadable(#[source] serde_json::Error),
    /// A receipt without a transaction.
    #[error("its receipt {position} is of no transaction of the block, or out of order")]
    Receipt {
        /// Position among the receipts.
        position: usize,
    },
    /// Gas that does not add up.
    #[error("the gas of its receipt {position} does not add up")]
    Gas {
        /// Position among the receipts.
        position: usize,
    },
    /// Log data that is no base64.
    #[error("its receipt {position} has log data that is no base64")]
    Data {
        /// Position among the receipts.
        position: usize,
    },
    /// Repeated transactions whose receipts would have too many logs to be written again.
    #[error("what it states of repeated transactions cannot be written again")]
    TooLarge(#[source] Box<ExecuteError>),
    /// Another document than the era's.
    #[error(
        "from byte {offset} on it is not what {format} writes of this block: another block, or a server of another era"
    )]
    Document {
        /// Where the two part.
        offset: usize,
        /// The format asked for.
        format: ResultFormat,
    },
    /// The block's own header differs, and so does the era's executor.
    #[error("it contradicts the block's header ({check}), and no fault of {format} explains that")]
    Header {
        /// The first check that failed.
        check: Box<Check>,
        /// The format asked for.
        format: ResultFormat,
    },
}
