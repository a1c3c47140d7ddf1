//! Rows that are made while another library takes them, with a bounded number of them in memory.

use std::{
    mem,
    ops::ControlFlow,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::{Bound, PyAny, PyResult, Python, pyclass, pyfunction, pymethods, types::PyCapsule};
use refiner_diagnostics::{ErrorChain, Failure};
use refiner_replay::{End, RowReplay, SpecimenRows};
use refiner_table::{Arrays, Batch, TableError};

use crate::{
    failure,
    interrupt::{self, StopHandle},
    replay::{Asked, ColumnsError, Growing, Missing, Request, names, raised},
    table::{Table, schema_capsule, stream_capsule},
};

/// Batches that wait for the one who takes them.
const BATCHES_AHEAD: usize = 2;

/// Rows that are made while they are taken, once.
#[pyclass(frozen, module = "refiner")]
pub struct Stream {
    /// Name of the table, which SQL takes without quotes.
    #[pyo3(get)]
    name: String,
    /// Name of the rule that writes the rows.
    #[pyo3(get)]
    rule: String,
    /// Identity of rule, parameters, limits and engine.
    #[pyo3(get)]
    identity: String,
    schema: SchemaRef,
    ended: Arc<Mutex<Ended>>,
    /// What is left to do; none where the stream was taken.
    ready: Mutex<Option<Ready>>,
}

struct Ready {
    replay: RowReplay,
    arrays: Arrays,
}

/// Runs that ended.
struct Ended {
    runs: Growing,
    missing: Missing,
}

type Sent = Result<RecordBatch, Failure>;

/// Batches from a thread of their own. Dropping it ends the replay.
struct Batches {
    schema: SchemaRef,
    receiver: Receiver<Sent>,
    stop: StopHandle,
}

/// Makes rules ready for a replay whose rows are taken as a stream.
#[pyfunction]
pub fn stream(py: Python<'_>, request: Request) -> PyResult<Stream> {
    interrupt::replays_here(py)?;
    let asked = request.parse(py)?;
    let prepared = interrupt::waiting(py, move |_| prepare(&asked))?;
    raised(py, prepared)
}

fn prepare(asked: &Asked) -> Result<Stream, Failure> {
    let (replay, mut tables, mut arrays) = asked.prepare()?;
    let mut names = names(&tables);
    let (1, Some(table), Some(arrays), Some(name)) = (tables.len(), tables.pop(), arrays.pop(), names.pop()) else {
        return Err(ColumnsError::StreamOfSeveral { tables: replay.tables().len() }.into());
    };
    let schema = arrays.schema().clone();
    let (rule, identity) = (table.rule, table.identity);
    let mut missing = Missing::default();
    missing.add(replay.refused.iter().map(ToString::to_string));
    let ended = Arc::new(Mutex::new(Ended { runs: Growing::new(Arrays::of(RowReplay::runs_layout())), missing }));
    Ok(Stream { name, rule, identity, schema, ended, ready: Mutex::new(Some(Ready { replay, arrays })) })
}

#[pymethods]
impl Stream {
    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Number of results that are missing so far: runs with another verdict than `produced`, and unusable specimens.
    #[getter]
    fn missing(&self) -> usize {
        lock(&self.ended).missing.count
    }

    /// The table of runs that ended so far: all, where the stream was read to its end.
    #[getter]
    fn runs(&self, py: Python<'_>) -> PyResult<Table> {
        let so_far = lock(&self.ended).runs.so_far();
        let (schema, batches) = so_far.map_err(|error| failure::exception(py, &ColumnsError::from(error)))?;
        Ok(Table::of_runs(schema, batches))
    }

    fn __repr__(&self) -> String {
        format!("<refiner.Stream {} of {} columns>", self.name, self.schema.fields().len())
    }

    /// The schema, as Arrow's PyCapsule interface has it.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    /// The rows, as Arrow's PyCapsule interface has them. Rules begin to run here.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        interrupt::replays_here(py)?;
        let ready = lock(&self.ready).take();
        let taken = || failure::usage(py, "the stream was taken before; call refiner.stream() again");
        let Ready { replay, arrays } = ready.ok_or_else(taken)?;
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        let stop = StopHandle::default();
        let theirs = stop.clone();
        let ended = Arc::clone(&self.ended);
        let work = move || send(Ready { replay, arrays }, &ended, &theirs, &sender);
        let begun = thread::Builder::new().name("refiner".to_owned()).spawn(work);
        begun.map_err(|error| failure::internal(py, &format!("cannot start a thread: {error}")))?;
        let schema = self.schema.clone();
        stream_capsule(py, Box::new(Batches { schema, receiver, stop }))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if interrupt::is_forked() {
            // The engine's end waits for its threads.
            mem::forget(lock(&self.ready).take());
        }
    }
}

/// Runs the rules, and sends each batch when there are enough rows for one.
fn send(Ready { replay, mut arrays }: Ready, ended: &Mutex<Ended>, stop: &StopHandle, sender: &SyncSender<Sent>) {
    let each = |SpecimenRows { rows, runs, missing }| {
        let appended = note(ended, &runs, missing).and_then(|()| {
            let complete = rows.iter().filter_map(|(_, batch)| arrays.append(batch).transpose());
            complete.collect::<Result<Vec<_>, _>>()
        });
        let sent = match appended {
            Ok(batches) => batches.into_iter().try_for_each(|batch| sender.send(Ok(batch))),
            Err(error) => {
                // Whether or not it is received, nothing follows.
                let _ = sender.send(Err(ColumnsError::from(error).into()));
                return ControlFlow::Break(());
            }
        };
        if sent.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let last = match replay.run(|interrupter| stop.begun(interrupter), each) {
        Ok(End::Complete) => arrays.rest().map_err(|error| ColumnsError::from(error).into()).transpose(),
        // The error was sent, or the receiver is gone.
        Ok(End::Broken(()) | End::Interrupted) => None,
        Err(error) => Some(Err(error.into())),
    };
    if let Some(last) = last {
        // Without a receiver there is nobody to miss it.
        let _ = sender.send(last);
    }
}

fn note(ended: &Mutex<Ended>, runs: &Batch, missing: Vec<String>) -> Result<(), TableError> {
    let mut ended = lock(ended);
    ended.missing.add(missing);
    ended.runs.append(runs)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if interrupt::is_forked() {
            return Some(Err(ArrowError::ExternalError(failure::FORKED.into())));
        }
        // The sender is gone after the last one.
        let received = self.receiver.recv().ok()?;
        Some(
            received
                .map_err(|failed| ArrowError::from_external_error(ErrorChain(failed.diagnostic()).to_string().into())),
        )
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        // A fork does not have the thread that is to be stopped, and its channel may be locked for ever.
        if !interrupt::is_forked() {
            self.stop.stop();
        }
    }
}
