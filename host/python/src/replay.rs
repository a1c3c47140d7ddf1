//! A replay into tables in memory.

use std::{
    num::{NonZeroU16, NonZeroUsize},
    ops::ControlFlow,
    path::PathBuf,
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use pyo3::{FromPyObject, PyErr, PyResult, Python, pyfunction};
use refiner_config::{Flags, scope};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_replay::{BlockSelection, ChildProgram, End, Replay, RowReplay, RowTable, SpecimenRows, Style};
use refiner_rule_package::builtin;
use refiner_table::{Arrays, Batch, NoColumn, TableError, WideNumbers, table_names};

use crate::{
    failure,
    interrupt::{self, StopHandle},
    table::Table,
};

/// Lines on missing results that are kept: more are counted, and stand in the table of runs.
const MISSING_KEPT: usize = 20;

/// The arguments of `refiner.replay`, in the form that `refiner/_request.py` has brought them into.
#[derive(FromPyObject)]
pub struct Request {
    specimens: Vec<PathBuf>,
    rules: Vec<PathBuf>,
    columns: Option<Vec<String>>,
    blocks: Vec<String>,
    params: Vec<(String, String)>,
    chain_configs: Vec<PathBuf>,
    block_hashes: Option<PathBuf>,
    isolate: bool,
    threads: Option<NonZeroU16>,
    wide_numbers: String,
    /// The interpreter and its arguments, which children begin with; none where it is inside of another program.
    children: Vec<PathBuf>,
}

/// A request in the library's types.
pub struct Asked {
    replay: Replay,
    pub columns: Option<Vec<String>>,
    wide: WideNumbers,
}

/// Columns of a replay with several tables.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// The columns of which table is not clear.
    #[error("columns were named, and {tables} tables are made; name columns with Table.select()")]
    SeveralTables { tables: usize },
    /// A stream has one table.
    #[error("a stream has one table, and {tables} tables are made; refiner.replay() keeps several")]
    StreamOfSeveral { tables: usize },
    /// The one table lacks a column.
    #[error(transparent)]
    NoColumn(#[from] NoColumn),
    /// The rows are more than an array holds.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Diagnostic for ColumnsError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::SeveralTables { .. } | Self::StreamOfSeveral { .. } | Self::NoColumn(_) => ExitCode::Usage,
            Self::Table(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

impl Request {
    /// The request in the library's types.
    pub fn parse(self, py: Python<'_>) -> PyResult<Asked> {
        let parse = |text: &String| text.parse().map_err(|error| failure::usage(py, &format!("blocks: {error}")));
        let blocks: Vec<BlockSelection> = self.blocks.iter().map(parse).collect::<PyResult<_>>()?;
        let forms = || WideNumbers::ALL.map(WideNumbers::as_str).join(", ");
        let unknown = || failure::usage(py, &format!("wide_numbers: {:?} is none of {}", self.wide_numbers, forms()));
        let wide = WideNumbers::named(&self.wide_numbers).ok_or_else(unknown)?;
        let settings = Flags::<scope::Replay>::default().values().map_err(|error| failure::exception(py, &error))?;
        let rules: Vec<_> = self.rules.into_iter().map(|rule| rule.to_string_lossy().into_owned()).collect();
        let mut children = self.children.into_iter();
        let program = children.next();
        if let (None, Some(rule)) = (&program, rules.iter().find(|rule| builtin::rule(rule).is_none())) {
            return Err(failure::no_interpreter(py, rule));
        }
        let program = program.unwrap_or_default();
        let replay = Replay {
            specimens: self.specimens.into_iter().map(PathBuf::into_os_string).collect(),
            files_from: None,
            blocks,
            rules,
            out: None,
            table: None,
            report_page: None,
            dry_run: false,
            params: self.params,
            chain_configs: self.chain_configs,
            block_hashes: self.block_hashes,
            isolate: self.isolate,
            children: ChildProgram::new(program, children.map(PathBuf::into_os_string).collect()),
            threads: self.threads.map(NonZeroUsize::from),
            style: Style::Summary,
            settings,
        };
        Ok(Asked { replay, columns: self.columns, wide })
    }
}

impl Asked {
    /// The replay with its tables, each with the columns that were asked for.
    pub fn prepare(&self) -> Result<(RowReplay, Vec<RowTable>, Vec<Arrays>), Failure> {
        let replay = RowReplay::prepare(&self.replay, self.wide)?;
        let tables = replay.tables();
        let arrays = match &self.columns {
            Some(columns) => {
                let [table] = tables.as_slice() else {
                    return Err(ColumnsError::SeveralTables { tables: tables.len() }.into());
                };
                vec![Arrays::of_columns(&table.layout, columns).map_err(ColumnsError::from)?]
            }
            None => tables.iter().map(|table| Arrays::of(&table.layout)).collect(),
        };
        Ok((replay, tables, arrays))
    }
}

/// Results that are missing: so many, and the first of them a line each.
#[derive(Default)]
pub struct Missing {
    pub count: usize,
    pub lines: Vec<String>,
}

impl Missing {
    /// Adds results that are missing.
    pub fn add(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.count += 1;
            if self.lines.len() < MISSING_KEPT {
                self.lines.push(line);
            }
        }
    }
}

/// A table whose rows come one after another.
pub struct Growing {
    arrays: Arrays,
    batches: Vec<RecordBatch>,
}

impl Growing {
    /// A table of such columns, without rows.
    pub const fn new(arrays: Arrays) -> Self {
        Self { arrays, batches: Vec::new() }
    }

    /// Schema and rows so far.
    pub fn so_far(&mut self) -> Result<(SchemaRef, Vec<RecordBatch>), TableError> {
        self.batches.extend(self.arrays.rest()?);
        Ok((self.arrays.schema().clone(), self.batches.clone()))
    }

    /// Adds rows.
    pub fn append(&mut self, batch: &Batch) -> Result<(), TableError> {
        self.batches.extend(self.arrays.append(batch)?);
        Ok(())
    }
}

struct Collected {
    tables: Vec<Table>,
    runs: Table,
    missing: Missing,
}

/// Runs rules over specimens. Gives the tables, the table of runs, the number of missing results and the first of them, a line each.
#[pyfunction]
pub fn replay(py: Python<'_>, request: Request) -> PyResult<(Vec<Table>, Table, usize, Vec<String>)> {
    interrupt::replays_here(py)?;
    let asked = request.parse(py)?;
    let collected = interrupt::waiting(py, move |stop| collect(&asked, stop))?;
    let Collected { tables, runs, missing } = raised(py, collected)?;
    Ok((tables, runs, missing.count, missing.lines))
}

/// The value, or the exception of its error.
pub fn raised<T>(py: Python<'_>, result: Result<T, Failure>) -> Result<T, PyErr> {
    result.map_err(|failed| failure::exception(py, failed.diagnostic()))
}

fn collect(asked: &Asked, stop: &StopHandle) -> Result<Collected, Failure> {
    let (replay, tables, arrays) = asked.prepare()?;
    let mut growing: Vec<_> = arrays.into_iter().map(Growing::new).collect();
    let mut runs = Growing::new(Arrays::of(RowReplay::runs_layout()));
    let mut missing = Missing::default();
    missing.add(replay.refused.iter().map(ToString::to_string));
    let each = |SpecimenRows { rows, runs: run, missing: lines }| {
        missing.add(lines);
        let appended =
            runs.append(&run).and_then(|()| rows.iter().try_for_each(|(table, batch)| growing[*table].append(batch)));
        appended.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    };
    match replay.run(|interrupter| stop.begun(interrupter), each)? {
        End::Broken(error) => return Err(ColumnsError::from(error).into()),
        // Of an interrupted one the rows are not waited for.
        End::Complete | End::Interrupted => {}
    }
    let names = names(&tables);
    let mut done = Vec::new();
    for ((table, mut growing), name) in tables.into_iter().zip(growing).zip(names) {
        let (schema, batches) = growing.so_far().map_err(ColumnsError::from)?;
        done.push(Table::new(name, table, schema, batches));
    }
    let (schema, batches) = runs.so_far().map_err(ColumnsError::from)?;
    Ok(Collected { tables: done, runs: Table::of_runs(schema, batches), missing })
}

/// Names of the tables, which SQL takes without quotes.
pub fn names(tables: &[RowTable]) -> Vec<String> {
    let tables: Vec<_> = tables.iter().map(|table| (&*table.rule, &*table.output)).collect();
    table_names(&tables)
}
