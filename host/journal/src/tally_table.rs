//! The table in which numbers of items are kept.

use rusqlite::Connection;

/// The numbers, in a table of the connection that writes: they are part of each transaction and of no file, and a journal that
/// another program changed is counted anew when it is opened.
const TABLE: &str = "
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE tally (kind TEXT NOT NULL, name TEXT NOT NULL, items INTEGER NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
INSERT INTO tally SELECT 'state', state, count(*) FROM item GROUP BY state;
INSERT INTO tally SELECT 'basis', basis, count(*) FROM item WHERE basis IS NOT NULL GROUP BY basis;
INSERT INTO tally SELECT 'class', reason_class, count(*) FROM item WHERE reason_class IS NOT NULL GROUP BY reason_class;
";

/// Columns of an item that are counted, each with the name of its kind.
const KINDS: [(&str, &str); 3] = [("state", "state"), ("basis", "basis"), ("class", "reason_class")];

/// Counts what is there and, from then on, what changes.
pub(crate) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLE)?;
    for (kind, column) in KINDS {
        let add = format!(
            "INSERT INTO tally SELECT '{kind}', new.{column}, 1 WHERE new.{column} IS NOT NULL
             ON CONFLICT DO UPDATE SET items = items + 1"
        );
        let take = format!("UPDATE tally SET items = items - 1 WHERE kind = '{kind}' AND name = old.{column}");
        connection.execute_batch(&format!(
            "CREATE TEMP TRIGGER tally_{kind}_new AFTER INSERT ON main.item BEGIN {add}; END;
             CREATE TEMP TRIGGER tally_{kind}_gone AFTER DELETE ON main.item BEGIN {take}; END;
             CREATE TEMP TRIGGER tally_{kind}_other AFTER UPDATE OF {column} ON main.item
             WHEN old.{column} IS NOT new.{column} BEGIN {take}; {add}; END;"
        ))?;
    }
    Ok(())
}
