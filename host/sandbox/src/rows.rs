//! The check of rows by the columns that a manifest names.

use refiner_manifest::Manifest;
use refiner_rows::{RowCollector, RowReader};
use refiner_rule_model::{Misuse, UntrustedText};

/// Fuel of a byte in rows that are checked: what it takes where it takes longest, by `cargo bench --bench fuel`.
pub(crate) const ROW_BYTE_FUEL: u64 = 8;

/// The check of each output that has columns.
#[derive(Debug, Default)]
pub(crate) struct RowChecks(Vec<RowCheck>);

/// The check of one output.
#[derive(Debug)]
pub(crate) struct RowCheck {
    output: String,
    reader: RowReader,
}

impl RowChecks {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let typed = manifest.outputs.iter().filter(|output| !output.columns.is_empty());
        let check = |output: &refiner_manifest::Output| RowCheck {
            output: output.name.clone(),
            reader: RowReader::new(&output.columns),
        };
        Self(typed.map(check).collect())
    }

    pub(crate) fn of_output(&self, name: &str) -> Option<&RowCheck> {
        self.0.iter().find(|check| check.output == name)
    }
}

impl RowCheck {
    /// Fuel that the check takes, whatever the bytes are.
    pub(crate) const fn fuel(&self, rows: &[u8]) -> u64 {
        (rows.len() as u64).saturating_mul(ROW_BYTE_FUEL)
    }

    /// Checks every row, by the reading of the collector where there is one.
    pub(crate) fn check(&self, rows: &[u8], collector: Option<&dyn RowCollector>) -> Result<(), Misuse> {
        let misfit = |error| Misuse::Row { misfit: UntrustedText::new(&format!("{}, {error}", self.output)) };
        let collected = collector.and_then(|collector| collector.collect(&self.output, rows));
        collected.unwrap_or_else(|| self.reader.check(rows)).map(drop).map_err(misfit)
    }
}
