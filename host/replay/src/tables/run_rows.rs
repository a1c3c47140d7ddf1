//! Rows of one run, read while they are checked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refiner_rows::{RowCollector, RowError};
use refiner_table::TableError;

use super::{Rows, Tables};

/// Rows of one run that were read in place of their check. Rows of a run in a worker or on another host are not among them.
pub struct RunRows {
    tables: Arc<Tables>,
    rule: Arc<str>,
    /// With the names of their outputs.
    collected: Mutex<Vec<(String, Rows)>>,
}

impl RunRows {
    pub(super) fn of(tables: Arc<Tables>, rule: Arc<str>) -> Self {
        Self { tables, rule, collected: Mutex::default() }
    }

    /// The rows of an artifact that the run produced, read from its bytes where they were not collected; none where the rule's manifest
    /// does not have the output.
    ///
    /// # Errors
    ///
    /// A row does not fit the form that was chosen.
    pub fn take(&self, artifact: &str, ndjson: &[u8]) -> Result<Option<Rows>, TableError> {
        let mut collected = self.lock();
        match collected.iter().position(|(output, _)| output == artifact) {
            Some(position) => Ok(Some(collected.swap_remove(position).1)),
            None => self.tables.rows(&self.rule, artifact, ndjson),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, Rows)>> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RowCollector for RunRows {
    fn collect(&self, output: &str, ndjson: &[u8]) -> Option<Result<u64, RowError>> {
        let position = self.tables.position(&self.rule, output)?;
        let layout = &self.tables.outputs[position].layout;
        // The run has fuel and time for its bytes, and not for nulls beyond them.
        if layout.is_sparse(ndjson) {
            return None;
        }
        match layout.batch(ndjson) {
            Ok(batch) => {
                let count = batch.rows();
                self.lock().push((output.to_owned(), Rows { output: position, batch }));
                Some(Ok(count))
            }
            Err(TableError::Row(error)) => Some(Err(error)),
            // No fault of the rows, so none of the run: `take` meets it again.
            Err(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use refiner_manifest::{Column, ColumnType, Scalar};
    use refiner_table::{Format, Layout, Options, WideNumbers};

    use super::*;
    use crate::tables::{Output, TableChoice};

    /// Numbers of 256 bits.
    fn column(name: &str, nullable: bool) -> Column {
        let kind = ColumnType::One(Scalar::U256);
        Column { name: name.to_owned(), kind, nullable, key: false, field: None, doc: None }
    }

    /// A run with one output of these columns, whose numbers become decimals of 38 digits.
    fn rows_of(columns: &[Column]) -> RunRows {
        let wide = WideNumbers::Decimal38;
        let layout = Layout::new(columns, Options { wide, ..Options::default() });
        let output =
            Output { rule: "rule".to_owned(), name: "out.ndjson".to_owned(), folder: "rule/out".to_owned(), layout };
        let choice = TableChoice { format: Format::Csv, wide, blocks_per_file: NonZeroUsize::MIN };
        RunRows::of(Arc::new(Tables { choice, outputs: vec![output] }), "rule".into())
    }

    #[test]
    fn collected_rows_are_taken_without_another_reading_and_others_are_read() {
        let rows = rows_of(&[column("x", false)]);
        assert_eq!(rows.collect("out.ndjson", b"{\"x\":1}\n{\"x\":2}\n"), Some(Ok(2)));
        // Bytes that hold no row: nothing reads them.
        assert_eq!(rows.take("out.ndjson", b"not read").unwrap().unwrap().into_parts().1.rows(), 2);
        assert_eq!(rows.take("out.ndjson", b"{\"x\":3}\n").unwrap().unwrap().into_parts().1.rows(), 1);
        assert!(rows.take("other.ndjson", b"not read").unwrap().is_none());
    }

    #[test]
    fn row_that_does_not_fit_ends_the_run_and_a_number_too_large_for_the_table_does_not() {
        let rows = rows_of(&[column("x", false)]);
        let misfit = rows.collect("out.ndjson", b"{\"x\":1}\n{\"x\":-1}\n").unwrap().unwrap_err();
        assert_eq!(misfit.to_string(), "row 2, key \"x\": expected u256, found the number -1");
        let large = format!("{{\"x\":\"1{}\"}}\n", "0".repeat(38));
        assert_eq!(rows.collect("out.ndjson", large.as_bytes()), None);
        assert!(matches!(rows.take("out.ndjson", large.as_bytes()), Err(TableError::MoreDigits { .. })));
        assert_eq!(rows.collect("other.ndjson", b"anything"), None);
    }

    #[test]
    fn rows_with_more_cells_than_bytes_are_left_to_the_check_and_read_after_the_run() {
        let rows = rows_of(&["a", "b", "c", "d"].map(|name| column(name, true)));
        assert_eq!(rows.collect("out.ndjson", b"{}\n{}\n"), None);
        assert_eq!(rows.take("out.ndjson", b"{}\n{}\n").unwrap().unwrap().into_parts().1.rows(), 2);
        assert_eq!(rows.collect("out.ndjson", b"{\"a\":1}\n"), Some(Ok(1)));
    }
}
