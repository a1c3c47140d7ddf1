//! Proofs that are on chain and not in the journal, because it was lost.

use alloy_primitives::B256;
use rusqlite::params;

use crate::{Journal, JournalError, State, journal::sqlite_error};

/// Reason of an item whose proof was found on chain.
const REASON: &str = "found on chain when the journal was rebuilt";

/// A proof of the operator that is on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundProof {
    /// Chain the specimen is of.
    pub chain: u64,
    /// Hash of the specimen.
    pub specimen_hash: B256,
    /// Block of the proof chain with the transaction.
    pub block: u64,
    /// Hash of the transaction.
    pub transaction: B256,
}

impl Journal {
    /// Makes the items final whose proofs were found, unless a transaction of theirs is known here. Returns how many.
    ///
    /// # Errors
    ///
    /// The file's.
    pub fn found_proofs(&mut self, proofs: &[FoundProof], now_ms: u64) -> Result<u64, JournalError> {
        // Those of which no transaction was ever signed, and those that were skipped because the contract had their proof.
        let states = State::ALL.into_iter().filter(|state| state.can_be_withdrawn() || *state == State::Skipped);
        let states = states.map(|state| format!("'{state}'")).collect::<Vec<_>>().join(", ");
        let update = format!(
            "UPDATE item SET state = 'final', state_ms = ?5, reason = '{REASON}', reason_class = NULL, attempts = 0, due_ms = 0,
             last_error = NULL, awaits = NULL, mined_block = ?3, mined_tx = ?4
             WHERE chain = ?1 AND specimen_hash = ?2 AND proves = 1 AND state IN ({states})
             AND NOT EXISTS (SELECT 1 FROM proof_transaction WHERE proof_transaction.item = item.id)"
        );
        self.write(true, |connection, path| {
            let write = || -> rusqlite::Result<u64> {
                let mut update = connection.prepare_cached(&update)?;
                let mut found = 0;
                for FoundProof { chain, specimen_hash, block, transaction } in proofs {
                    let changed = update.execute(params![
                        chain,
                        specimen_hash.as_slice(),
                        block,
                        transaction.as_slice(),
                        now_ms
                    ])?;
                    found += changed as u64;
                }
                Ok(found)
            };
            write().map_err(|error| sqlite_error(path, error))
        })
    }
}
