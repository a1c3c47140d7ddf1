//! Erlang's external term format and the files of its `disk_log`, as the reference refiner's journal is written.
//!
//! * **Inputs**: the bytes of a file, which may be damaged, half-written or of another program.
//! * **Outputs**: terms that borrow from the bytes, and the extent of the damage.
//! * **Invariants**: depth, elements and memory are bounded whatever a length in the file claims; nothing is decompressed; atoms
//!   stay bytes; no IO.
//!
//! The format of terms is described at <https://www.erlang.org/doc/apps/erts/erl_ext_dist>; that of the log has no description but
//! its program, `lib/kernel/src/disk_log_1.erl` of Erlang/OTP.
//!
//! ```
//! use refiner_erlang_terms::{Term, TermError, decode};
//!
//! // The version, the tag of a small integer, and the integer.
//! assert_eq!(decode(&[131, 97, 5]), Ok(Term::Integer(5)));
//! assert_eq!(decode(&[131, 97]), Err(TermError::Truncated));
//! ```

mod log;
mod term;

pub use log::{Entry, Log, NotALog};
pub use term::{DEPTH_MAX, ELEMENTS_MAX, Term, TermError, decode};
