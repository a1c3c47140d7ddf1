//! Numbers of items by state, basis and class of reason, kept while items move, so that no look at them walks over the items.

use rusqlite::params;

use crate::{Journal, JournalError, State};

impl Journal {
    /// The number of items in each state. Costs the same however many items there are, where the journal is open for writing.
    pub fn items_by_state(&self) -> Result<Vec<(State, u64)>, JournalError> {
        if !self.is_writing() {
            return Ok(self.counts()?.into_iter().map(|count| (count.state, count.items)).collect());
        }
        let read = || -> rusqlite::Result<_> {
            let mut query =
                self.connection.prepare_cached("SELECT name, items FROM tally WHERE kind = 'state' AND items > 0")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// The number of items whose result has this basis.
    pub fn count_of_basis(&self, basis: &str) -> Result<u64, JournalError> {
        self.tally("basis", basis)
    }

    /// The number of items that were refused for a reason of this class.
    pub fn count_of_class(&self, class: &str) -> Result<u64, JournalError> {
        self.tally("class", class)
    }

    fn tally(&self, kind: &str, name: &str) -> Result<u64, JournalError> {
        let counted = if self.is_writing() {
            "SELECT coalesce(sum(items), 0) FROM tally WHERE kind = ?1 AND name = ?2"
        } else {
            "SELECT count(*) FROM item WHERE (?1 = 'basis' AND basis = ?2) OR (?1 = 'class' AND reason_class = ?2)"
        };
        self.connection
            .prepare_cached(counted)
            .and_then(|mut query| query.query_row(params![kind, name], |row| row.get(0)))
            .map_err(|error| self.error(error))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// Inserts as many items, in turn in two states and with or without a basis.
    fn fill(journal: &Journal, items: u32) {
        journal
            .connection
            .execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                 INSERT INTO item (chain, height, block_hash, specimen_hash, rule, rule_name, proves, announced_in, announced_ms,
                 state, state_ms, basis)
                 SELECT 1, i, zeroblob(32), unhex(printf('%064x', i)), zeroblob(32), 'rule', 1, 1, 1,
                 CASE i % 2 WHEN 0 THEN 'final' ELSE 'fetched' END, 1, CASE i % 4 WHEN 0 THEN 'execution' END FROM n",
                [items],
            )
            .unwrap();
    }

    fn journal(items: u32) -> (tempfile::TempDir, Journal) {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(&directory.path().join("journal.sqlite")).unwrap();
        fill(&journal, items);
        (directory, journal)
    }

    type Numbers = Vec<(State, u64)>;

    /// The numbers as kept and as a count finds them, in one order.
    fn sorted(journal: &Journal) -> (Numbers, Numbers) {
        let mut kept = journal.items_by_state().unwrap();
        let mut counted: Vec<_> = journal.counts().unwrap().iter().map(|count| (count.state, count.items)).collect();
        kept.sort_by_key(|(state, _)| state.as_str());
        counted.sort_by_key(|(state, _)| state.as_str());
        (kept, counted)
    }

    #[test]
    fn kept_numbers_are_those_that_a_count_finds_after_every_kind_of_change() {
        let (directory, mut journal) = journal(100);
        let check = |journal: &Journal| {
            let (kept, counted) = sorted(journal);
            assert_eq!(kept, counted);
            let basis = "SELECT count(*) FROM item WHERE basis = 'execution'";
            let found: u64 = journal.connection.query_row(basis, [], |row| row.get(0)).unwrap();
            assert_eq!(journal.count_of_basis("execution").unwrap(), found);
            let class = "SELECT count(*) FROM item WHERE reason_class = 'noState'";
            let found: u64 = journal.connection.query_row(class, [], |row| row.get(0)).unwrap();
            assert_eq!(journal.count_of_class("noState").unwrap(), found);
        };
        check(&journal);
        for change in [
            "UPDATE item SET state = 'refused', reason_class = 'noState', basis = NULL WHERE id % 3 = 0",
            "UPDATE item SET state = state, reason_class = reason_class",
            "UPDATE item SET reason_class = NULL WHERE id % 2 = 0",
            "DELETE FROM item WHERE id % 5 = 0",
        ] {
            assert!(journal.connection.execute(change, []).unwrap() > 0);
            check(&journal);
        }
        let undone = journal.write(false, |connection, path| {
            connection.execute("DELETE FROM item", []).map_err(|error| crate::journal::sqlite_error(path, error))?;
            Err::<(), _>(JournalError::DiskFull { path: path.to_owned() })
        });
        assert!(undone.is_err());
        check(&journal);
        let before = sorted(&journal).0;
        drop(journal);
        let journal = Journal::open(&directory.path().join("journal.sqlite")).unwrap();
        assert_eq!(sorted(&journal).0, before, "counted anew");
        check(&journal);
        let reader = crate::JournalReader::open(&directory.path().join("journal.sqlite")).unwrap();
        assert_eq!(reader.count_of_basis("execution").unwrap(), journal.count_of_basis("execution").unwrap());
        assert_eq!(sorted(&reader).0, before);
    }

    #[test]
    fn numbers_of_states_cost_the_same_with_a_thousand_times_as_many_items() {
        let steps = |items| {
            let (_directory, journal) = journal(items);
            let mut query =
                journal.connection.prepare("SELECT name, items FROM tally WHERE kind = 'state' AND items > 0").unwrap();
            let found: u64 = query.query_map([], |row| row.get::<_, u64>(1)).unwrap().map(Result::unwrap).sum();
            assert_eq!(found, u64::from(items));
            query.get_status(StatementStatus::VmStep)
        };
        let few = steps(50);
        assert!(few > 0);
        assert_eq!(steps(50_000), few);
    }
}
