//! The columns of a file: those of the rule, and doubles beside wide numbers.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use refiner_manifest::{Column, ColumnType, DOUBLE_SUFFIX, Scalar};
use refiner_rows::RowReader;

use crate::{Options, WideNumbers};

/// Digits of decimals, all of them before the point.
pub(crate) const DECIMAL: DataType = DataType::Decimal128(38, 0);
/// Bytes of a wide number.
pub(crate) const WIDE_BYTES: i32 = 32;
/// Name of the time zone of points in time.
pub(crate) const ZONE: &str = "UTC";
/// Name of an item of a list, as the Parquet specification has it.
const ITEM: &str = "element";
/// Key of a column's description in Arrow files.
const DOC: &str = "doc";

/// The columns of a table: what is read from a row, and what it becomes. Cheap to clone, and shared by threads.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) columns: Vec<Column>,
    pub(crate) options: Options,
    pub(crate) reader: RowReader,
    pub(crate) schema: SchemaRef,
}

impl Layout {
    /// The table of these columns.
    pub fn new(columns: &[Column], options: Options) -> Self {
        let fields: Vec<_> = columns.iter().flat_map(|column| fields(column, options.wide)).collect();
        let metadata: HashMap<_, _> = options.metadata.iter().cloned().collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        let inner = Inner { columns: columns.to_vec(), options, reader: RowReader::new(columns), schema };
        Self { inner: Arc::new(inner) }
    }

    /// Names of the table's columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// The Arrow schema as text: a line a column, of its name, its type and `not null`.
    pub fn arrow_schema(&self) -> String {
        let mut text = String::new();
        for field in self.inner.schema.fields() {
            let null = if field.is_nullable() { "" } else { " not null" };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}: {}{null}", field.name(), field.data_type());
        }
        text
    }
}

/// The fields that a column becomes: itself, and doubles where they were asked for.
fn fields(column: &Column, wide: WideNumbers) -> Vec<Field> {
    let kind = match column.kind {
        ColumnType::One(scalar) => data_type(scalar, wide),
        ColumnType::List(item) => DataType::List(item_field(item, wide)),
    };
    let field = Field::new(&column.name, kind, column.nullable);
    let field = match &column.doc {
        Some(doc) => field.with_metadata(HashMap::from([(DOC.to_owned(), doc.clone())])),
        None => field,
    };
    let mut fields = vec![field];
    if has_doubles(column, wide) {
        fields.push(Field::new(format!("{}{DOUBLE_SUFFIX}", column.name), DataType::Float64, column.nullable));
    }
    fields
}

/// True for a column with doubles beside it.
pub(crate) fn has_doubles(column: &Column, wide: WideNumbers) -> bool {
    wide == WideNumbers::Both && matches!(column.kind, ColumnType::One(scalar) if scalar.is_wide())
}

/// The field of a list's items, which are never null.
pub(crate) fn item_field(item: Scalar, wide: WideNumbers) -> Arc<Field> {
    Arc::new(Field::new(ITEM, data_type(item, wide), false))
}

fn data_type(scalar: Scalar, wide: WideNumbers) -> DataType {
    match scalar {
        Scalar::U8 => DataType::UInt8,
        Scalar::U16 => DataType::UInt16,
        Scalar::U32 => DataType::UInt32,
        Scalar::U64 => DataType::UInt64,
        Scalar::I64 => DataType::Int64,
        Scalar::Bool => DataType::Boolean,
        Scalar::String | Scalar::Bytes | Scalar::Address | Scalar::Hash | Scalar::Json => DataType::Utf8,
        Scalar::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into())),
        Scalar::U256 | Scalar::I256 => match wide {
            WideNumbers::Both | WideNumbers::Text => DataType::Utf8,
            WideNumbers::Double => DataType::Float64,
            WideNumbers::Decimal38 => DECIMAL,
            WideNumbers::Bytes => DataType::FixedSizeBinary(WIDE_BYTES),
        },
    }
}
