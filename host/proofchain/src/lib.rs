//! The proof chain: announcements of specimens come out, proofs of results go in.
//!
//! * **Inputs**: RPC nodes, two contract addresses, a key.
//! * **Outputs**: announcements in block order, and the progress of each proof, one step at a time, so that the
//!   caller can write its journal between two steps.
//! * **Invariants**: the only home of keys. Reads no file but the key's; knows no rule or specimen; has no loop and
//!   logs nothing. No node is asked before it was checked.
//!
//! ```text
//! ProofChain::connect ──► Scanner::next(cursor, checkpoints) ──► ScanStep::{Advanced, Reorganised, UpToDate, Behind}
//!                    └──► Prover: prepare ──► sign ──► (journal) ──► send ──► settlement ──► bump, sign again
//! ```

mod announcement;
mod bindings;
mod bounds;
mod chain;
mod fees;
#[doc(hidden)]
pub mod fuzz;
mod interface;
mod key;
mod network;
mod peers;
mod proofs;
mod prover;
mod quantity;
mod recent;
mod revert;
mod rpc;
mod scan;
mod session;

pub use announcement::{Announcement, BlockRef, Decoded, Malformed, ProofLog};
pub use bindings::{
    BlockResultProductionProofSubmitted, BlockResultQuorum, BlockSpecimenProductionProofSubmitted, BlockSpecimenQuorum,
    BlockSpecimenRewardAwarded, ChainData, Metadata,
};
pub use bounds::{LiveSync, Side};
pub use chain::{ChainError, ProofChain, Session};
pub use fees::{FeePolicy, FeeQuote, Fees};
pub use interface::Interfaces;
pub use key::{KeyError, KeySource, KeystoreError, LocalKey, Secret, SecretFile, SignError, Signer};
pub use network::Network;
pub use peers::PeerProofs;
pub use proofs::SubmittedProof;
pub use prover::{
    ChainSnapshot, NonceAt, Preparation, Prepared, Proof, Prover, Sent, Settlement, Signed, UnreadableTransaction,
};
pub use revert::{Reaction, Revert};
pub use rpc::{Endpoint, LeastSpeed, NodeError, NodeFailure, NodeReport, Rpc, RpcError, RpcLimits, SetAside};
pub use scan::{
    Checkpoints, Lack, ScanConfig, ScanError, ScanProgress, ScanStep, Scanned, Scanner, Skipped, StartBlock,
    UnknownStartBlock,
};
pub use session::{OpenedSession, OpenedSessions, SessionPhase, SessionView};
