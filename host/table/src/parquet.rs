//! Parquet files.

use std::io::Write;

use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
    schema::types::ColumnPath,
};
use refiner_manifest::{Column, ColumnType, Scalar};

use crate::{Layout, ROW_GROUP_BYTES_MAX, ROW_GROUP_ROWS_MAX, TableError, layout::Inner, sink::Sink};

/// Writer of the file, as it names itself. Without a version: the same rows are the same bytes in the next release, unless the encoder changes.
const CREATED_BY: &str = "refiner";
/// Key of the description of the columns in the file's metadata.
const COLUMNS: &str = "refiner.columns";
/// Effort of the compressor. Level 9 takes three times as long for a twentieth less.
const ZSTD_LEVEL: i32 = 3;

pub(crate) fn begin<W: Write + Send>(layout: &Layout, sink: Sink<W>) -> Result<ArrowWriter<Sink<W>>, TableError> {
    let properties = properties(&layout.inner).map_err(TableError::Parquet)?;
    // The file's own schema says everything, and is the same whatever version of Arrow wrote it.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let schema = layout.inner.schema.clone();
    ArrowWriter::try_new_with_options(sink, schema, options).map_err(TableError::Parquet)
}

fn properties(layout: &Inner) -> parquet::errors::Result<WriterProperties> {
    let mut metadata = vec![KeyValue::new(COLUMNS.to_owned(), refiner_rows::described(&layout.columns).to_string())];
    metadata.extend(layout.options.metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())));
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES_MAX))
        .set_statistics_enabled(EnabledStatistics::Page)
        // A dictionary answers what a filter would.
        .set_bloom_filter_for_dictionary_encoded_chunks(false)
        .set_key_value_metadata(Some(metadata));
    for column in layout.columns.iter().filter(|column| is_looked_up(column)) {
        let path = ColumnPath::from(column.name.as_str());
        properties = properties.set_column_bloom_filter_enabled(path, true);
    }
    Ok(properties.build())
}

/// True for a column that rows are looked up by, whose least and largest value say little.
fn is_looked_up(column: &Column) -> bool {
    let ColumnType::One(scalar) = column.kind else { return false };
    match scalar {
        Scalar::Address | Scalar::Hash => true,
        Scalar::String | Scalar::Bytes => column.key,
        // Numbers that are keys come in order, or nearly.
        _ => false,
    }
}
