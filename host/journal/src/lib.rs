//! The outcome of every (specimen, rule), kept through crashes in one SQLite file.
//!
//! * **Inputs**: what a stage achieved, with the time.
//! * **Outputs**: due items, nonces, and answers for people.
//! * **Invariants**: runs no stage; reads no clock; holds no key and no bytes of specimens and artifacts (content
//!   ids stand for them).
//!
//! One process writes. Everybody may read while it does, with `sqlite3 -readonly`; the tables and views are described in
//! `schema.sql`. A step is in the file when its call returns, whatever kills the process next. A *signed* transaction is on the
//! disk itself by then, whatever kills the machine; the other steps may be lost with the power, and are then done again.
//!
//! ```
//! use refiner_journal::{Binding, Filter, Journal};
//!
//! let directory = tempfile::tempdir()?;
//! let mut journal = Journal::open(&directory.path().join("journal.sqlite"))?;
//! let binding = Binding { proof_chain: 1284, announcer: [0x11; 20].into(), operator: None };
//! journal.bind(&binding)?;
//! assert_eq!(journal.list(&Filter::default(), 10)?.len(), 0);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod action;
mod announcement;
mod backup;
mod comparison;
mod error;
mod import;
mod item;
mod journal;
mod nonce;
mod open;
mod prune;
mod query;
mod rebuild;
mod scan;
mod schema;
mod session;
mod side;
mod spending;
mod state;
mod step;
mod supersede;
mod tally;
mod tally_table;
mod waiting;
mod whole_from;

pub use action::{Action, Applied, Kept, Selection};
pub use announcement::{Announcement, Checkpoint, Target};
pub use backup::{Backup, BackupError, FileKind};
pub use error::{JournalError, Losses};
pub use import::{EarlierOutcome, Imported};
pub use item::{Artifact, Item, ItemId, JSON_SCHEMA_VERSION, Transaction};
pub use journal::{Binding, Journal, JournalReader};
pub use nonce::KnownNonces;
pub use prune::{PruneStep, Pruned};
pub use query::{Count, Filter};
pub use rebuild::FoundProof;
pub use scan::{CHECKPOINTS_MAX, Rewound, Scanned};
pub use schema::SCHEMA_VERSION;
pub use session::{SessionKey, SessionOutcome};
pub use side::{Holder, Purpose, SideTransaction};
pub use spending::Expense;
pub use state::State;
pub use step::{SignedTransaction, Step};
pub use supersede::Superseded;
pub use waiting::{Waiting, Woken};
