//! Items of rules that are served no longer, or under another identity: run again under the rules of today, and not proved.

use rusqlite::{Connection, params, params_from_iter, types::Value};

use crate::{Journal, JournalError, Target, journal::sqlite_error};

/// The class of the reason of a superseded item.
const CLASS: &str = "superseded";
/// States in which no transaction can be on chain. A result that is not proved is finished when it is pinned.
const UNDECIDED: &str =
    "(state IN ('announced', 'waiting', 'fetched', 'produced', 'proof_intent') OR (state = 'pinned' AND proves = 1))";

/// States that an item leaves only when an operator asks for it or its specimen is announced again. It is proved then as its rule is.
const AT_REST: &str = "state IN ('refused', 'skipped', 'quarantined', 'withdrawn')";

/// The outcome of a change of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Superseded {
    /// Items of former rules that end here.
    pub ended: u64,
    /// Items for today's rules that begin instead, or begin once more.
    pub begun: u64,
}

impl Journal {
    /// Ends what is under way for rules other than `targets`, and begins an item for each of `targets` instead. What is under way for
    /// these, or may be again, is proved from now on exactly where its target is.
    pub fn supersede(&mut self, targets: &[Target], now_ms: u64) -> Result<Superseded, JournalError> {
        self.write(false, |connection, path| {
            let write = || -> rusqlite::Result<_> {
                let mut superseded = Superseded::default();
                for target in targets {
                    superseded.begun += begin(connection, target, targets, now_ms)?;
                }
                superseded.ended = end(connection, targets, now_ms)?;
                let any_proves = targets.iter().any(|target| target.proves);
                targets.iter().filter(|_| any_proves).try_for_each(|target| set_proves(connection, target))?;
                Ok(superseded)
            };
            write().map_err(|error| sqlite_error(path, error))
        })
    }
}

/// `?` for each target, for a list of their rules.
fn marks(targets: &[Target]) -> String {
    vec!["?"; targets.len()].join(", ")
}

fn rules(targets: &[Target]) -> impl Iterator<Item = Value> {
    targets.iter().map(|target| Value::Blob(target.rule.to_vec()))
}

/// What no source had is waited for as before. An item that an earlier change of rules ended begins once more.
fn begin(connection: &Connection, target: &Target, targets: &[Target], now_ms: u64) -> rusqlite::Result<u64> {
    let insert = format!(
        "INSERT INTO item (rule, rule_name, proves, chain, height, block_hash, specimen_hash, announced_in, announced_ms,
           state, state_ms, reason, attempts, last_error, due_ms, awaits)
         SELECT ?, ?, ?, chain, height, block_hash, specimen_hash, announced_in, announced_ms,
           CASE WHEN state = 'waiting' THEN 'waiting' ELSE 'announced' END,
           CASE WHEN state = 'waiting' THEN state_ms ELSE ? END,
           CASE WHEN state = 'waiting' THEN reason END, CASE WHEN state = 'waiting' THEN attempts ELSE 0 END,
           CASE WHEN state = 'waiting' THEN last_error END, CASE WHEN state = 'waiting' THEN due_ms ELSE 0 END, awaits
         FROM item WHERE {UNDECIDED} AND rule NOT IN ({}) ORDER BY id
         ON CONFLICT (chain, specimen_hash, rule) DO UPDATE SET
           state = excluded.state, state_ms = excluded.state_ms, reason = excluded.reason, reason_class = NULL,
           attempts = excluded.attempts, last_error = excluded.last_error, due_ms = excluded.due_ms, awaits = excluded.awaits,
           proves = excluded.proves, basis = NULL
           WHERE item.state = 'skipped' AND item.reason_class = '{CLASS}'",
        marks(targets)
    );
    let values = [
        Value::Blob(target.rule.to_vec()),
        Value::Text(target.name.clone()),
        Value::Integer(target.proves.into()),
        Value::Integer(i64::try_from(now_ms).unwrap_or(i64::MAX)),
    ];
    let changed = connection.execute(&insert, params_from_iter(values.into_iter().chain(rules(targets))))?;
    Ok(changed as u64)
}

fn end(connection: &Connection, targets: &[Target], now_ms: u64) -> rusqlite::Result<u64> {
    let names = targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ");
    let reason = format!("superseded: the rule, its format, parameters or engine changed; run again as {names}");
    let update = format!(
        "UPDATE item SET state = 'skipped', state_ms = ?, reason = ?, reason_class = '{CLASS}', attempts = 0, due_ms = 0,
         last_error = NULL, awaits = NULL WHERE {UNDECIDED} AND rule NOT IN ({})",
        marks(targets)
    );
    let values = [Value::Integer(i64::try_from(now_ms).unwrap_or(i64::MAX)), Value::Text(reason)];
    Ok(connection.execute(&update, params_from_iter(values.into_iter().chain(rules(targets))))? as u64)
}

/// A result that is finished unproved stays so; one that would have been proved is not any more.
fn set_proves(connection: &Connection, target: &Target) -> rusqlite::Result<()> {
    let rule = target.rule.as_slice();
    if target.proves {
        connection.execute(
            &format!(
                "UPDATE item SET proves = 1 WHERE rule = ?1 AND proves = 0
                 AND (state IN ('announced', 'waiting', 'fetched', 'produced') OR {AT_REST})"
            ),
            [rule],
        )?;
        return Ok(());
    }
    connection.execute(
        &format!(
            "UPDATE item SET proves = 0, state = CASE WHEN state = 'proof_intent' THEN 'pinned' ELSE state END
             WHERE rule = ?1 AND proves = 1 AND ({UNDECIDED} OR {AT_REST})"
        ),
        params![rule],
    )?;
    Ok(())
}
