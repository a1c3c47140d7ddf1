//! Rows whose columns `rule.toml` names.

use super::{RowWriter, Rows};
use crate::{Output, Specimen};

/// A row of an output with columns. `#[derive(Row)]` implements it for a struct that has a field for each column.
pub trait Row {
    /// The output that its rows belong to.
    const OUTPUT: RowOutput;

    /// Writes its columns.
    fn write(&self, row: &mut RowWriter<'_>);
}

/// An output of `rule.toml`.
#[derive(Clone, Copy, Debug)]
pub struct RowOutput {
    /// Its name.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its schema.
    pub schema: Option<&'static str>,
    /// Keys that every row starts with, and what of the block stands there.
    pub block: &'static [(&'static str, BlockValue)],
}

/// A value that all rows of a block share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockValue {
    /// The chain's id, as the specimen states it.
    ChainId,
    /// Height of the block.
    Height,
    /// Hash of the block.
    Hash,
    /// Seconds since 1970.
    Time,
}

impl Rows {
    /// Opens the output of `R` for rows of the specimen's block, which [`Rows::push`] writes.
    pub fn of<R: Row>(out: &mut Output, specimen: &Specimen) -> Self {
        let RowOutput { name, media_type, schema, block } = R::OUTPUT;
        let artifact = match schema {
            Some(schema) => out.artifact_with_schema(name, media_type, schema),
            None => out.artifact(name, media_type),
        };
        let mut rows = Self::new(artifact);
        if !block.is_empty() {
            let (identity, header) = (specimen.identity(), specimen.header());
            let mut start = RowWriter { line: &mut rows.start };
            for (key, value) in block {
                match value {
                    BlockValue::ChainId => start.field(key, identity.chain_id),
                    BlockValue::Height => start.field(key, identity.height),
                    BlockValue::Hash => start.field(key, identity.block_hash),
                    BlockValue::Time => start.field(key, header.timestamp),
                }
            }
        }
        rows
    }

    /// Writes a row of the output that was opened for its type.
    pub fn push<R: Row>(&mut self, row: &R) {
        self.row(|writer| row.write(writer));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{MEDIA_TYPE, column},
        *,
    };
    use crate::{B256, Summary, U256, fixture::Fixture};

    struct Amount {
        amount: Option<U256>,
    }

    impl Row for Amount {
        const OUTPUT: RowOutput = RowOutput {
            name: "amounts.ndjson",
            media_type: MEDIA_TYPE,
            schema: None,
            block: &[
                ("time", BlockValue::Time),
                ("hash", BlockValue::Hash),
                ("height", BlockValue::Height),
                ("chain", BlockValue::ChainId),
            ],
        };

        fn write(&self, row: &mut RowWriter<'_>) {
            row.field("amount", column::nullable::<column::U256, _>(&self.amount));
        }
    }

    #[test]
    fn typed_rows_start_with_what_their_output_names_of_the_block() {
        let fixture = Fixture::new()
            .identity(|identity| (identity.chain_id, identity.height, identity.block_hash) = (5, 70, B256::ZERO))
            .header(|header| header.timestamp = 9);
        let run = fixture.run(|specimen, out| {
            let mut rows = Rows::of::<Amount>(out, specimen);
            rows.push(&Amount { amount: Some(U256::from(3_u64)) });
            rows.push(&Amount { amount: None });
            Ok(Summary::records(rows.finish()))
        });
        let block = format!("{{\"time\":9,\"hash\":\"0x{}\",\"height\":70,\"chain\":5", "0".repeat(64));
        let expected = format!("{block},\"amount\":\"3\"}}\n{block},\"amount\":null}}\n");
        let artifact = run.artifact("amounts.ndjson").expect("the output's artifact");
        assert_eq!((artifact.text(), &run.result), (expected.as_str(), &Ok(Summary::records(2_u32))));
    }
}
