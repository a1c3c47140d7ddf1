//! Versions of the file, and the way from each to the next. Forward only.

use rusqlite::{Connection, TransactionBehavior};

/// Scripts that bring a file of version `n` to `n + 1`, by `n`. What was released is never edited: it is added to.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];

/// Version of the file that this program writes.
#[expect(clippy::cast_possible_wrap, reason = "a handful")]
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// `refi`, in the header of every journal, so that `file` and we know it from other SQLite files.
pub(crate) const APPLICATION_ID: i32 = 0x7265_6669;

/// Brings the file to [`SCHEMA_VERSION`]; each version in a transaction of its own, so a crash in between is no harm.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_by(connection, MIGRATIONS)
}

fn migrate_by(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (from, migration) in (0_i64..).zip(migrations).skip_while(|(from, _)| *from < version) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", from + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [&str; 2] = ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y"];

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn older_file_is_brought_forward_with_what_it_holds() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&mut connection, &TWO[..1]).unwrap();
        connection.execute("INSERT INTO a VALUES (7)", []).unwrap();
        migrate_by(&mut connection, &TWO).unwrap();
        assert_eq!(version(&connection), 2);
        let row = connection.query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(row.unwrap(), (7, None::<i64>));
    }

    #[test]
    fn migration_that_fails_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&mut connection, &[TWO[0], "CREATE TABLE b (x); CREATE TABLE a (x)"]).unwrap_err();
        assert_eq!(version(&connection), 1);
        connection.prepare("SELECT * FROM b").unwrap_err();
    }

    #[test]
    fn file_of_this_version_is_not_touched() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let changes = connection.total_changes();
        migrate(&mut connection).unwrap();
        assert_eq!(connection.total_changes(), changes);
        assert_eq!(version(&connection), SCHEMA_VERSION);
    }
}
