//! Errors of opening and using the journal.

use std::{fmt, io, path::PathBuf};

use alloy_primitives::{Address, B256};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use crate::{ItemId, SCHEMA_VERSION, State};

/// Errors of opening and using the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process writes to it.
    #[error("{path}: in use by process {}", Pid(*pid))]
    Locked {
        /// The journal.
        path: PathBuf,
        /// Process id of its holder, where it left one.
        pid: Option<u32>,
    },
    /// The lock beside it, or the directory it is in, cannot be used.
    #[error("{path}: {source}")]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A SQLite file of another program, or another kind of file.
    #[error("{path}: not a journal of refiner")]
    Foreign {
        /// Path of the file.
        path: PathBuf,
    },
    /// A later version of this program wrote it.
    #[error("{path}: written by a later refiner (version {found} of the journal, this one knows {SCHEMA_VERSION})")]
    Newer {
        /// Path of the file.
        path: PathBuf,
        /// Version of its schema.
        found: i64,
    },
    /// An earlier version of this program wrote it, and reading alone cannot bring it forward.
    #[error("{path}: written by an earlier refiner (version {found} of the journal, this one reads {SCHEMA_VERSION})")]
    Older {
        /// Path of the file.
        path: PathBuf,
        /// Version of its schema.
        found: i64,
    },
    /// The output of an export takes no more.
    #[error("cannot write the export: {0}")]
    Export(#[source] io::Error),
    /// Pages of it are damaged. It was not written to.
    #[error("{path}: damaged ({}); {losses}", Findings(findings))]
    Corrupt {
        /// Path of the file.
        path: PathBuf,
        /// The first findings of SQLite.
        findings: Vec<String>,
        /// The contents that can still be read.
        losses: Losses,
    },
    /// It belongs to another proof chain or another announcing contract.
    #[error(
        "the journal belongs to proof chain {found_chain} and contract {found_announcer}, not to {chain} and {announcer}"
    )]
    OtherChain {
        /// The chain it belongs to.
        found_chain: u64,
        /// The contract it belongs to.
        found_announcer: Address,
        /// The chain asked for.
        chain: u64,
        /// The contract asked for.
        announcer: Address,
    },
    /// Another operator's transactions in it are not settled yet, and their nonces are not this one's.
    #[error("{unsettled} transactions of operator {found} are not settled yet, so {operator} cannot take over")]
    OtherOperator {
        /// Whose they are.
        found: Address,
        /// Address of the asking operator.
        operator: Address,
        /// Number of them in the journal.
        unsettled: u64,
    },
    /// No such item.
    #[error("no item {0}")]
    NoItem(ItemId),
    /// The item is not where this step begins. Nothing was written.
    #[error("item {item} is {from}, which is not followed by {to}")]
    Illegal {
        /// Number of the item.
        item: ItemId,
        /// Where it is.
        from: State,
        /// Where it was to go.
        to: State,
    },
    /// Two items would share a nonce. Nothing was written.
    #[error("nonce {nonce} is taken by item {holder}")]
    NonceTaken {
        /// The nonce in question.
        nonce: u64,
        /// The item that holds it.
        holder: ItemId,
    },
    /// A proof would share a nonce with a transaction that is none. Nothing was written.
    #[error("nonce {nonce} is taken by a transaction that is no proof")]
    NonceTakenAside {
        /// The nonce in question.
        nonce: u64,
    },
    /// A transaction with higher fees must use the nonce of the one it replaces. Nothing was written.
    #[error("item {item} holds nonce {held}, so it cannot sign with {nonce}")]
    NonceChanged {
        /// Number of the item.
        item: ItemId,
        /// Its nonce.
        held: u64,
        /// The nonce of the new transaction.
        nonce: u64,
    },
    /// No transaction of the item has this hash.
    #[error("item {item} has no transaction {hash}")]
    NoTransaction {
        /// Number of the item.
        item: ItemId,
        /// The hash asked for.
        hash: B256,
    },
    /// The disk is full.
    #[error("{path}: no room left on the disk")]
    DiskFull {
        /// The journal.
        path: PathBuf,
    },
    /// Another program holds the file, such as one that looks at it. It is no refiner, which would have the lock beside it.
    #[error("{path}: another program has locked it")]
    Held {
        /// The journal.
        path: PathBuf,
    },
    /// The open file is no longer the one at its path. Nothing was written: it would be lost with the open file.
    #[error("{path}: removed or replaced while it was in use")]
    Moved {
        /// Path that led to the journal.
        path: PathBuf,
    },
    /// An error that SQLite reports.
    #[error("{path}: {source}")]
    Sqlite {
        /// The journal.
        path: PathBuf,
        /// The cause of the failure.
        source: rusqlite::Error,
    },
}

impl Diagnostic for JournalError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Export(error) => ExitCode::of_unwritten_output(error),
            Self::Locked { .. }
            | Self::File { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Corrupt { .. }
            | Self::OtherChain { .. }
            | Self::OtherOperator { .. }
            | Self::NoItem(_)
            | Self::Illegal { .. }
            | Self::NonceTaken { .. }
            | Self::NonceTakenAside { .. }
            | Self::NonceChanged { .. }
            | Self::NoTransaction { .. }
            | Self::DiskFull { .. }
            | Self::Held { .. }
            | Self::Moved { .. }
            | Self::Sqlite { .. } => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Locked { .. } => {
                "one journal serves one running refiner; stop the other or give this one its own --data directory"
                    .into()
            }
            Self::Newer { .. } => "use the refiner that wrote it, or a later one; going back is not possible".into(),
            Self::Older { .. } => "start `refiner run` once, which brings it forward".into(),
            Self::Foreign { path } => format!("move {} away, or name another --data directory", path.display()).into(),
            Self::Corrupt { path, .. } => format!(
                "stop refiner and keep a copy of {0}; then `sqlite3 {0} .recover | sqlite3 recovered.sqlite` and put recovered.sqlite in its place, \
                 or move it away to scan anew: proofs already on chain are recognised and not sent again",
                path.display()
            )
            .into(),
            Self::OtherChain { .. } => "give every network its own --data directory".into(),
            Self::OtherOperator { .. } => {
                "run once with the former key until `refiner journal list --state broadcast` is empty".into()
            }
            Self::DiskFull { .. } => "make room there; a running refiner continues by itself, and loses nothing".into(),
            Self::Held { path } => {
                let path = path.display();
                format!("end that program (`fuser {path}` names it), or name another --data directory").into()
            }
            Self::Moved { path } => format!(
                "end what removes it, and put {} back where there is a copy; without one `refiner journal rebuild` makes it again from the chain",
                path.display()
            )
            .into(),
            Self::File { .. }
            | Self::Export(_)
            | Self::NoItem(_)
            | Self::Illegal { .. }
            | Self::NonceTaken { .. }
            | Self::NonceTakenAside { .. }
            | Self::NonceChanged { .. }
            | Self::NoTransaction { .. }
            | Self::Sqlite { .. } => return None,
        })
    }
}

impl JournalError {
    /// Whether an item was not where it was believed to be: a reorganisation or a person moved it in the meantime.
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::Illegal { .. } | Self::NoItem(_))
    }
}

/// The contents of a damaged journal that can still be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Losses {
    /// Items that can be read, or `None` where reading them stops at the damage.
    pub items: Option<u64>,
    /// Transactions that can be read, likewise.
    pub transactions: Option<u64>,
    /// Whether the scanning position can be read.
    pub cursor: bool,
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut part = |what: &str, readable: Option<u64>| match readable {
            Some(count) => write!(f, "{count} {what} can be read, "),
            None => write!(f, "not all {what} can be read, "),
        };
        part("items", self.items)?;
        part("transactions", self.transactions)?;
        f.write_str(if self.cursor { "the scanning position too" } else { "the scanning position is lost" })
    }
}

struct Pid(Option<u32>);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "{pid}"),
            None => f.write_str("unknown"),
        }
    }
}

struct Findings<'a>(&'a [String]);

impl fmt::Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.first().map_or("no detail", String::as_str))?;
        match self.0.len() {
            0 | 1 => Ok(()),
            several => write!(f, " and {} more", several - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use refiner_diagnostics::ErrorChain;
    use rusqlite::ffi;

    use super::*;
    use crate::journal::sqlite_error;

    #[test]
    fn journal_that_another_program_holds_is_named_once_with_a_remedy() {
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED] {
            let locked = rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("database is locked".to_owned()));
            let error = sqlite_error("/data/journal.sqlite".as_ref(), locked);
            assert_eq!(ErrorChain(&error).to_string(), "/data/journal.sqlite: another program has locked it");
            let hint = error.hint().unwrap().to_string();
            assert!(hint.contains("end that program") && hint.contains("--data"), "{hint}");
        }
    }
}
