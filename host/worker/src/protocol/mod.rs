//! The protocol between supervisor and child, over the child's standard input and output. Version 8.
//!
//! # Frames
//!
//! A frame is its kind (u8), the length of its payload (u32) and the payload, at most 1 MiB. Integers are big-endian. A
//! *text* is its length in bytes (u32) and UTF-8; an *optional text* or *hash* is 0, or 1 and a text or 32 bytes; a *list* is its count (u32) and
//! its entries. A payload must be used up exactly. Bytes too many for a frame are announced by their number and follow in
//! *bytes* frames (0x05), none empty, that sum up to it.
//!
//! # From the supervisor
//!
//! | kind | name | payload |
//! |---|---|---|
//! | 0x01 | settings | version u32 · supervisor's process id u32 · data bytes u64 · address space bytes u64 (0: no limit) · CPU seconds u64 · file bytes u64 · list of texts: chains, each a geth-style chain config · who executes blocks u8: 0 the worker, 1 an evm-server, 2 to 4 both, and of two results the worker's, the server's or none is taken · senders u8: 0 recovered, 1 stated · gas bound of a block u64 · basis of results u8: 0 auto, 1 execution, 2 receipts · documents of eras without state u8: 0 refused, 1 written |
//! | 0x02 | rule | sha256 of the compiled code, 32 bytes · component bytes u64 · code bytes u64 · optional text: the manifest beside the component · limits · list of texts: capabilities granted · 1 where another rule follows, or 0; then the component, then the code |
//! | 0x03 | run | number of the rule u32, in the order in which they came · optional hash: the specimen's, when it is known · specimen bytes u64 · limits · list of parameters, each two texts · trace · stop; then the specimen |
//! | 0x04 | compile | component bytes u64 · optional text: the manifest beside it · limits · list of texts: capabilities granted; then the component |
//! | 0x06 | executed | 0 and bytes u64, then the bytes of a block result; or 1 and text, the evm-server's refusal; or 2 and text: it was not there |
//!
//! *limits* is a list of u64, one for each line of [`refiner_rule_model::LIMITS`], in its order. *trace* is 0, or 1 and the ids of a trace (16 bytes) and of
//! the span in it (8 bytes) that the run belongs to. *stop* is 0, or 1 and the fuel u64 of the rule's own code and that u64 of its calls to the host
//! at which the run is stopped.
//!
//! # From the child
//!
//! | kind | name | payload |
//! |---|---|---|
//! | 0x81 | hello | version u32 · list of measures, each its number (u8), 1 for applied or 0 for unavailable, and a text · compatibility, 32 bytes: names the compiled code that the child's engine makes and loads |
//! | 0x82 | admitted | sha256 of the component, 32 bytes |
//! | 0x83 | refused | number of its kind u8, in the order of [`refiner_rule_model::RefusalKind::ALL`] · text |
//! | 0x84 | host failure | its number (u8) and fields |
//! | 0x85 | no specimen | text |
//! | 0x86 | log | level u8, 0 (debug) to 3 (error) · text |
//! | 0x87 | artifact | name text · media type text · schema optional text · bytes u64; then its bytes |
//! | 0x88 | verdict | asked (as limits) · granted (as limits) · used (as limits) · log lines lost u64 · its number (u8) and fields |
//! | 0x89 | compiled | code bytes u64; then the code |
//! | 0x8a | execute | text, the format |
//! | 0x8b | difference | as executed without 2: the worker's own result of what it asked last |
//! | 0x8c | evidence | list of checks · list of texts: unproven values · list of texts: supplied values · entries left out u64 · without state u8 · class of the reason u8 · basis u8, with a reason (text) after 3; sent when there is any |
//! | 0x8d | spans | trace, as the run's · list of times, each a phase u8 (0 decode, 1 rule, 2 execute), its start and its duration u64, in microseconds since the run came; at most 32, and only for a run with a trace |
//! | 0x8e | sample | fuel used by the rule's code u64 · by its calls to the host u64 · 1 where outermost functions are left out, or 0 · optional text: the function of the host that was called · list of functions, the innermost first, at most 128, each 0 and text: its name, or 1 and its number u32; only for a run with a stop, in place of its answer |
//!
//! # Order
//!
//! A worker: settings → hello; rules, at most 32 → for each in turn admitted, or refused or host failure; then any number of times run → (execute → executed, difference at
//! will)\* spans? log\* artifact\* evidence? verdict, or sample, or host failure, or no specimen. A compiler: settings → hello; compile → compiled, refused or host failure (system memory). Only the supervisor
//! speaks first, so neither ever waits for a side that waits for it. Either ends it by closing its end.
//!
//! *execute* and *executed* are for rules whose blocks an evm-server executes, which a worker cannot reach. A block result has at most
//! 64 MiB, either way. The worker asks at most as often as `evm_executions` grants and names nothing but a format: what is executed
//! is its run's specimen, and the supervisor has that. Once the server was not there, the run has no verdict, whatever follows.
//!
//! # What neither side believes
//!
//! A child may have been taken over by a rule. The supervisor therefore takes no more log lines, artifacts and bytes than the
//! run was granted (and, for the host in the child, a line of the log for each artifact, and one) and no more evidence than [`refiner_rule_model::Evidence`] bounds, checks every label, shortens every text, takes sha256 itself, and sets a time for each frame. It can be
//! lied to about a result; for that a worker serves one rule only, or several that all came with this program, and results that can be checked are.

mod error;
mod evidence;
mod execution;
mod frame;
mod message;
mod outcome;
mod run;
mod sample;
mod spans;
#[cfg(test)]
mod tests;
mod verdict;
mod wire;

pub use error::ProtocolError;
pub(crate) use execution::read_side;
pub use execution::{Asked, Executed, write_difference};
pub use frame::{Frame, Kind, read};
pub(crate) use frame::{read_bytes, read_bytes_into, send, write, write_bytes};
pub use message::{
    CompileRequest, Hello, RuleRequest, Settings, write_announced, write_hash, write_refusal, write_text,
};
pub(crate) use message::{announced_bytes, read_hash, read_refusal};
pub(crate) use outcome::{Answer, read_answer, read_failure};
pub use outcome::{read_report, report_of, write_failure, write_run};
pub use run::RunRequest;
pub use sample::write_sample;
pub(crate) use spans::read_spans;
pub use spans::write_spans;

/// Most rules that one worker serves.
pub const RULES_MAX: usize = 32;
/// The version that both sides must speak.
pub(crate) const VERSION: u32 = 8;
