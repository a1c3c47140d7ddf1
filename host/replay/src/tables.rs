//! Tables of many blocks, of the rows that rules write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufWriter, Write},
    num::NonZeroUsize,
    sync::Arc,
};

use alloy_primitives::B256;
use refiner_data_set::{ColumnTerms, FileEntry, OutputTerms, Staging};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_rule_model::UntrustedText;
use refiner_rule_session::LoadedRule;
use refiner_table::{Batch, Format, Layout, Options, Table, TableError, WideNumbers};
use refiner_text::OneLine;
use sha2::{Digest as _, Sha256};

mod run_rows;

pub use run_rows::RunRows;

/// The end of an output's name that adds nothing to its media type.
const ROWS_SUFFIX: &str = ".ndjson";
/// Bytes of a table that are written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The form of tables that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableChoice {
    /// Format of the files.
    pub format: Format,
    /// The form of numbers of 256 bits.
    pub wide: WideNumbers,
    /// Most blocks of a file.
    pub blocks_per_file: NonZeroUsize,
}

/// An output that is no table.
#[derive(Debug, thiserror::Error)]
#[error("{rule}: the output {output} has no columns, so it is no table")]
pub struct NoColumns {
    rule: UntrustedText,
    output: UntrustedText,
}

impl Diagnostic for NoColumns {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        Some(
            "`refiner replay` without --table has its artifacts as files; a rule's author adds [[outputs.columns]] to rule.toml"
                .into(),
        )
    }
}

/// A table that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", OneLine(path))]
pub struct TableFailure {
    /// Path below the directory in which files are made.
    path: String,
    /// The reason.
    source: TableError,
}

impl TableFailure {
    fn of(path: &str) -> impl FnOnce(TableError) -> Self {
        |source| Self { path: path.to_owned(), source }
    }
}

impl Diagnostic for TableFailure {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// The tables of a replay.
pub struct Tables {
    choice: TableChoice,
    outputs: Vec<Output>,
}

/// An output of a rule.
struct Output {
    rule: String,
    name: String,
    /// `rule/output` below the data set's directory.
    folder: String,
    layout: Layout,
}

/// Rows of one artifact, ready to be appended.
pub struct Rows {
    output: usize,
    batch: Batch,
}

impl Rows {
    /// Position of the table, and the rows.
    pub fn into_parts(self) -> (usize, Batch) {
        (self.output, self.batch)
    }
}

impl Tables {
    /// The tables of every output of every rule.
    ///
    /// # Errors
    ///
    /// An output has no columns.
    pub fn of(rules: &[LoadedRule], choice: TableChoice) -> Result<Self, NoColumns> {
        let mut outputs = Vec::new();
        let mut folders = BTreeSet::new();
        for rule in rules {
            for output in &rule.place.manifest().outputs {
                if output.columns.is_empty() {
                    let (rule, output) = (UntrustedText::new(&rule.name), UntrustedText::new(&output.name));
                    return Err(NoColumns { rule, output });
                }
                let metadata =
                    [("refiner.rule", rule.name.to_string()), ("refiner.identity", rule.identity.to_string())];
                let metadata = metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                let layout = Layout::new(&output.columns, Options { wide: choice.wide, metadata });
                let mut folder = format!("{}/{}", rule.name, short_name(&output.name));
                if !folders.insert(folder.clone()) {
                    folder = format!("{}/{}", rule.name, output.name);
                    folders.insert(folder.clone());
                }
                outputs.push(Output { rule: rule.name.to_string(), name: output.name.clone(), folder, layout });
            }
        }
        Ok(Self { choice, outputs })
    }

    /// Everything that decides about the bytes of the files.
    pub fn terms(&self) -> OutputTerms {
        let columns = self.outputs.iter().map(|output| (output.folder.clone(), output.columns()));
        OutputTerms::Table {
            format: self.choice.format.as_str().to_owned(),
            blocks_per_file: self.choice.blocks_per_file.get() as u64,
            wide_numbers: self.choice.wide.as_str().to_owned(),
            columns: columns.collect::<BTreeMap<_, _>>(),
        }
    }

    /// Most blocks of a file.
    pub const fn blocks_per_file(&self) -> usize {
        self.choice.blocks_per_file.get()
    }

    /// The rows of an artifact; none where the rule's manifest does not have the output.
    ///
    /// # Errors
    ///
    /// A row does not fit the form that was chosen.
    pub fn rows(&self, rule: &str, artifact: &str, ndjson: &[u8]) -> Result<Option<Rows>, TableError> {
        let position = self.position(rule, artifact);
        position.map(|output| Ok(Rows { output, batch: self.outputs[output].layout.batch(ndjson)? })).transpose()
    }

    fn position(&self, rule: &str, artifact: &str) -> Option<usize> {
        self.outputs.iter().position(|output| output.rule == rule && output.name == artifact)
    }

    /// A collector of the rows of one run of a rule.
    pub fn collector(self: &Arc<Self>, rule: &Arc<str>) -> RunRows {
        RunRows::of(Arc::clone(self), Arc::clone(rule))
    }

    /// Rule, name and columns of each output.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &str, &Layout)> {
        self.outputs.iter().map(|output| (output.rule.as_str(), short_name(&output.name), &output.layout))
    }

    /// The files of a range of blocks, a file an output.
    pub fn paths(&self, (chain_id, first, last): (u64, u64, u64)) -> Vec<String> {
        self.outputs.iter().map(|output| output.path(self.choice, (chain_id, first, last))).collect()
    }
}

/// The name of an output without the end that adds nothing to its media type.
fn short_name(name: &str) -> &str {
    name.strip_suffix(ROWS_SUFFIX).unwrap_or(name)
}

impl Output {
    fn columns(&self) -> Vec<ColumnTerms> {
        let schema = self.layout.arrow_schema();
        let column = |line: &str| {
            line.split_once(": ").map(|(name, kind)| ColumnTerms { name: name.to_owned(), kind: kind.to_owned() })
        };
        schema.lines().filter_map(column).collect()
    }

    fn path(&self, choice: TableChoice, (chain_id, first, last): (u64, u64, u64)) -> String {
        format!("{}/chain-{chain_id}/blocks_{first:010}_{last:010}.{}", self.folder, choice.format.extension())
    }
}

/// Tables of one range of blocks that are being written.
pub struct OpenTables {
    tables: Vec<OpenTable>,
}

struct OpenTable {
    path: String,
    table: Table<Measured>,
}

impl OpenTables {
    /// Begins a table for each output.
    ///
    /// # Errors
    ///
    /// The operating system refuses a file.
    pub fn begin(tables: &Tables, staging: &Staging, chain_id: u64, number: usize) -> Result<Self, Failure> {
        let begin = |output: &Output| {
            // Under a name of its own until its last block is known.
            let path = format!("{}/chain-{chain_id}/unit_{number}", output.folder);
            let sink = Measured::new(staging.create(&path)?);
            let table = Table::begin(tables.choice.format, &output.layout, sink).map_err(TableFailure::of(&path))?;
            Ok::<_, Failure>(OpenTable { path, table })
        };
        Ok(Self { tables: tables.outputs.iter().map(begin).collect::<Result<_, _>>()? })
    }

    /// Appends rows of the next block.
    ///
    /// # Errors
    ///
    /// The operating system refuses to take them.
    pub fn append(&mut self, rows: &Rows) -> Result<(), TableFailure> {
        let OpenTable { path, table } = &mut self.tables[rows.output];
        table.append(&rows.batch).map_err(TableFailure::of(path))
    }

    /// Completes the files of a range of blocks.
    ///
    /// # Errors
    ///
    /// The operating system refuses.
    pub fn finish(self, tables: &Tables, staging: &Staging, range: (u64, u64, u64)) -> Result<Vec<FileEntry>, Failure> {
        let mut files = Vec::new();
        for (output, OpenTable { path, table }) in tables.outputs.iter().zip(self.tables) {
            let finished = table.finish().map_err(TableFailure::of(&path))?;
            let rows = finished.rows;
            let (bytes, sha256) = finished.sink.finish();
            let name = output.path(tables.choice, range);
            staging.rename(&path, &name)?;
            let (rule, output) = (output.rule.clone(), output.name.clone());
            files.push(FileEntry { path: name, rule, output, rows: Some(rows), bytes, sha256 });
        }
        Ok(files)
    }
}

/// A file whose length and hash are known when it is written.
struct Measured {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Measured {
    fn new(file: File) -> Self {
        Self { file: BufWriter::with_capacity(BUFFER_BYTES, file), hash: Sha256::new(), bytes: 0 }
    }

    /// After the last flush.
    fn finish(self) -> (u64, B256) {
        (self.bytes, B256::from(<[u8; 32]>::from(self.hash.finalize())))
    }
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
