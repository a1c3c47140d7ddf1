//! Newline-delimited JSON: a table whose rows are objects, one a line, written as they are made.
//!
//! ```
//! # use refiner_sdk::{Output, RuleError, Specimen, Summary, fixture::Fixture};
//! use refiner_sdk::ndjson::{MEDIA_TYPE, Rows};
//!
//! fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
//!     let mut rows = Rows::of_block(out.artifact("values.ndjson", MEDIA_TYPE), specimen);
//!     for transaction in specimen.transactions() {
//!         rows.row(|row| {
//!             row.field("from", transaction.sender);
//!             row.field("value", transaction.value);
//!         });
//!     }
//!     Ok(Summary::records(rows.finish()))
//! }
//!
//! let run = Fixture::new().transaction(Default::default(), b"").run(refine);
//! assert!(run.artifacts[0].text().ends_with("\"from\":\"0x0000000000000000000000000000000000000000\",\"value\":\"0\"}\n"));
//! ```
//!
//! Where `rule.toml` names the output's columns, a struct that derives [`Row`] is checked against them while the rule compiles, and its
//! fields are written under their keys. The columns `chain_id`, `block_number`, `block_hash` and `block_time` need no field: the specimen's
//! block fills them.
//!
//! ```ignore
//! #[derive(Row)]
//! struct Transfer {
//!     from_address: Address,       // a column of type address
//!     amount: U256,                // u256
//!     token_id: Option<U256>,      // u256 with nullable = true
//! }
//!
//! let mut rows = Rows::of::<Transfer>(out, specimen);
//! rows.push(&Transfer { from_address, amount, token_id: None });
//! Ok(Summary::records(rows.finish()))
//! ```

pub mod column;
mod typed;
mod value;

use crate::{Artifact, Specimen};

pub use refiner_sdk_macros::Row;
pub use typed::{BlockValue, Row, RowOutput};
pub use value::{Hex, Json, Value};

/// The media type of an artifact of rows.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// The rows of an artifact. Only the row under work is in memory, beside the artifact's own buffer.
#[must_use = "rows that are not finished are not part of the output"]
pub struct Rows {
    artifact: Artifact,
    /// The fields that every row starts with, with the brace before them.
    start: Vec<u8>,
    line: Vec<u8>,
    written: u64,
}

/// A row in the making.
pub struct RowWriter<'a> {
    line: &'a mut Vec<u8>,
}

impl Rows {
    /// Rows that hold what is put into each of them and no more.
    pub fn new(artifact: Artifact) -> Self {
        Self { artifact, start: b"{".to_vec(), line: Vec::new(), written: 0 }
    }

    /// Rows that stand for themselves when many blocks are read as one table: each starts with the `chainId`,
    /// `blockNumber`, `blockHash` and `timestamp` (seconds since 1970) of the specimen's block.
    pub fn of_block(artifact: Artifact, specimen: &Specimen) -> Self {
        let (identity, header) = (specimen.identity(), specimen.header());
        let mut rows = Self::new(artifact);
        let mut start = RowWriter { line: &mut rows.start };
        start.field("chainId", identity.chain_id);
        start.field("blockNumber", identity.height);
        start.field("blockHash", identity.block_hash);
        start.field("timestamp", header.timestamp);
        rows
    }

    /// The same in snake case, as tables and SQL have it: `chain_id`, `block_number`, `block_hash` and `block_time`.
    pub fn of_block_in_snake_case(artifact: Artifact, specimen: &Specimen) -> Self {
        let (identity, header) = (specimen.identity(), specimen.header());
        let mut rows = Self::new(artifact);
        let mut start = RowWriter { line: &mut rows.start };
        start.field("chain_id", identity.chain_id);
        start.field("block_number", identity.height);
        start.field("block_hash", identity.block_hash);
        start.field("block_time", header.timestamp);
        rows
    }

    /// Writes a row. Its fields stand in the order in which `fill` names them; a name is used once in a row.
    pub fn row(&mut self, fill: impl FnOnce(&mut RowWriter)) {
        self.line.clear();
        self.line.extend_from_slice(&self.start);
        fill(&mut RowWriter { line: &mut self.line });
        self.line.extend_from_slice(b"}\n");
        self.artifact.append(&self.line);
        self.written += 1;
    }

    /// Closes the artifact and tells how many rows it has.
    pub fn finish(self) -> u64 {
        self.artifact.finish();
        self.written
    }
}

impl RowWriter<'_> {
    /// Appends a field to the row.
    pub fn field(&mut self, name: &str, value: impl Value) {
        if self.line.last() != Some(&b'{') {
            self.line.push(b',');
        }
        name.write(self.line);
        self.line.push(b':');
        value.write(self.line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{B256, Summary, fixture::Fixture};

    fn written(rows: impl Fn(Artifact, &Specimen) -> Rows, fill: impl Fn(&mut Rows)) -> (String, u64) {
        let fixture = Fixture::new()
            .identity(|identity| (identity.chain_id, identity.height, identity.block_hash) = (5, 70, B256::ZERO))
            .header(|header| header.timestamp = 9);
        let run = fixture.run(|specimen, out| {
            let mut rows = rows(out.artifact("rows.ndjson", MEDIA_TYPE), specimen);
            fill(&mut rows);
            Ok(Summary::records(rows.finish()))
        });
        (run.artifacts[0].text().to_owned(), run.result.map_or(u64::MAX, |summary| summary.records))
    }

    #[test]
    fn each_row_is_a_line_with_its_fields_in_the_order_they_were_given() {
        let fill = |rows: &mut Rows| {
            rows.row(|_| {});
            rows.row(|row| row.field("one", 1_u32));
            rows.row(|row| {
                row.field("b", true);
                row.field("a", "text");
                row.field("", ());
            });
        };
        let expected = "{}\n{\"one\":1}\n{\"b\":true,\"a\":\"text\",\"\":null}\n";
        assert_eq!(written(|artifact, _| Rows::new(artifact), fill), (expected.to_owned(), 3));
        assert_eq!(written(|artifact, _| Rows::new(artifact), |_| {}), (String::new(), 0));
    }

    #[test]
    fn rows_of_a_block_start_with_the_block() {
        let fill = |rows: &mut Rows| {
            rows.row(|row| row.field("index", 0_u8));
            rows.row(|_| {});
        };
        let hash = "0x".to_owned() + &"0".repeat(64);
        let block = format!("{{\"chainId\":5,\"blockNumber\":70,\"blockHash\":\"{hash}\",\"timestamp\":9");
        assert_eq!(written(Rows::of_block, fill), (format!("{block},\"index\":0}}\n{block}}}\n"), 2));
    }

    #[test]
    fn text_that_ends_in_a_brace_does_not_swallow_the_comma() {
        let fill = |rows: &mut Rows| {
            rows.row(|row| {
                row.field("{", "{");
                row.field("}", "{");
            });
        };
        assert_eq!(written(|artifact, _| Rows::new(artifact), fill).0, "{\"{\":\"{\",\"}\":\"{\"}\n");
    }
}
