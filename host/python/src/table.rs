//! A table in memory that hands its arrays on through Arrow's C interface.

use std::{ffi::CStr, sync::Arc};

use arrow_array::{
    RecordBatch, RecordBatchIterator, RecordBatchReader, ffi::FFI_ArrowSchema, ffi_stream::FFI_ArrowArrayStream,
};
use arrow_schema::SchemaRef;
use pyo3::{
    Bound, PyAny, PyResult, Python, pyclass, pymethods,
    types::{PyAnyMethods as _, PyCapsule, PyString},
};
use refiner_replay::RowTable;

use crate::failure;

/// Name of a capsule with a schema, by Arrow's PyCapsule interface.
const SCHEMA_CAPSULE: &CStr = c"arrow_schema";
/// Name of a capsule with a stream of arrays.
const STREAM_CAPSULE: &CStr = c"arrow_array_stream";

/// Rows in memory.
///
/// DuckDB, Polars, pandas, PyArrow and everything else that knows Arrow's PyCapsule interface reads it without a copy.
#[pyclass(frozen, module = "refiner")]
pub struct Table {
    /// Name of the table, which SQL takes without quotes.
    #[pyo3(get)]
    name: String,
    /// Name of the rule that wrote the rows.
    #[pyo3(get)]
    rule: String,
    /// Name of the rule's output.
    #[pyo3(get)]
    output: String,
    /// Identity of rule, parameters, limits and engine.
    #[pyo3(get)]
    identity: String,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// The rows of an output.
    pub fn new(name: String, of: RowTable, schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        let RowTable { rule, output, identity, .. } = of;
        Self { name, rule, output, identity, schema, batches }
    }

    /// The table of runs.
    pub fn of_runs(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        let (rule, output, identity) = (String::new(), String::new(), String::new());
        Self { name: "runs".to_owned(), rule, output, identity, schema, batches }
    }
}

#[pymethods]
impl Table {
    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Bytes that the arrays hold.
    #[getter]
    fn nbytes(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    /// Some of the columns, without a copy.
    fn select(&self, py: Python<'_>, columns: &Bound<'_, PyAny>) -> PyResult<Self> {
        let columns = names_of_columns(columns)?;
        let position = |name: String| {
            let missing = || {
                let message = format!("no column {name:?}; there are: {}", self.columns().join(", "));
                failure::usage(py, &message)
            };
            self.schema.index_of(&name).map_err(|_| missing())
        };
        let positions: Vec<_> = columns.into_iter().map(position).collect::<PyResult<_>>()?;
        let refuse = |error| failure::internal(py, &format!("{error}"));
        let schema = Arc::new(self.schema.project(&positions).map_err(refuse)?);
        let batches = self.batches.iter().map(|batch| batch.project(&positions)).collect::<Result<_, _>>();
        let Self { name, rule, output, identity, .. } = self;
        let (name, rule, output, identity) = (name.clone(), rule.clone(), output.clone(), identity.clone());
        Ok(Self { name, rule, output, identity, schema, batches: batches.map_err(refuse)? })
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        format!("<refiner.Table {} with {} rows of {} columns>", self.name, self.__len__(), self.schema.fields().len())
    }

    /// The schema, as Arrow's PyCapsule interface has it.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    /// The rows, as Arrow's PyCapsule interface has them. Any number of streams may be taken; the arrays are shared. Another schema than
    /// the table's is not made.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches = self.batches.clone().into_iter().map(Ok);
        stream_capsule(py, Box::new(RecordBatchIterator::new(batches, Arc::clone(&self.schema))))
    }
}

/// Names from whatever Python goes through, but for text, which it would go through letter by letter.
fn names_of_columns(columns: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let py = columns.py();
    let wrong = |expected: &str, found: &Bound<'_, PyAny>| {
        let found = found.repr().map_or_else(|_| "something else".to_owned(), |found| found.to_string());
        failure::usage(py, &format!("columns: expected {expected}, found {found}"))
    };
    let list = || wrong("a list of names", columns);
    if columns.is_instance_of::<PyString>() {
        return Err(list());
    }
    let names = columns.try_iter().map_err(|_| list())?;
    names
        .map(|name| {
            let name = name?;
            name.extract().map_err(|_| wrong("a name", &name))
        })
        .collect()
}

/// A schema for another library of the interpreter.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref());
    let schema = schema.map_err(|error| failure::internal(py, &format!("{error}")))?;
    PyCapsule::new_with_value(py, schema, SCHEMA_CAPSULE)
}

/// Batches for another library of the interpreter. Who takes the stream out of the capsule releases it; else the capsule does.
pub fn stream_capsule(py: Python<'_>, batches: Box<dyn RecordBatchReader + Send>) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(batches), STREAM_CAPSULE)
}
