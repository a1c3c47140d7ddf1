//! The command lines of `refiner replay` and `refiner verify`.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf};

use clap::{
    Args, ValueEnum,
    builder::{PathBufValueParser, TypedValueParser as _},
};
use refiner_arguments::{ChainConfigs, KnownBlockArguments, parameter};
use refiner_config::{Flags, scope};
use refiner_diagnostics::ExitCode;
use refiner_specimen_files::selection::BlockSelection;
use refiner_table::{Format, WideNumbers};

/// `refiner replay`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Replay {
    /// Specimen files, directories of them, patterns, archives (`.tar`, also compressed), or `-` for one specimen or an archive on
    /// standard input. Files may be compressed by gzip or Zstandard. URLs (`s3://BUCKET/PREFIX`, `gs://`, `az://`, `https://`,
    /// `ipfs://CID`) name specimens of other machines.
    #[arg(required_unless_present = "files_from", value_name = "SPECIMEN")]
    pub(crate) specimens: Vec<OsString>,
    /// A file with more of them, one a line or separated by NUL; `-` reads the list from standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<OsString>,
    /// Heights to take: `17000000`, `17000000:17001000` (without the last), `15M:`, `:700`, `15M:+1000`, `-100:`, every tenth by
    /// `100:200:10`, five of them by `100:200/5`; can be repeated.
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub(crate) blocks: Vec<BlockSelection>,
    /// A built-in rule's name, a component file, a directory of them, or `https://`, `ipfs://` or `oci://` with its digest;
    /// can be repeated.
    #[arg(long = "rule", value_name = "RULE", default_value = "block-result")]
    pub(crate) rules: Vec<String>,
    /// Directory for `<chain>-<height>.<rule>.<artifact>` and `_manifest.json`, or a prefix of an object store (`s3://BUCKET/PREFIX`,
    /// `gs://`, `az://`); without it results are hashed and dropped. A second run makes what is missing there.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Writes the rows of many blocks into files of this format (`parquet`, `csv`, `arrow` or `arrow-stream`), `<rule>/<output>/chain-<chain>/blocks_<first>_<last>`, instead of
    /// a file an artifact; a rule's outputs need columns for it.
    #[arg(long, value_name = "FORMAT", requires = "out", value_parser = table_format)]
    pub(crate) table: Option<Format>,
    /// Form of 256-bit numbers in tables: decimal digits with a column of doubles beside it (`string+f64`), one of the two (`string`,
    /// `f64`), decimals of 38 digits (`decimal38`), or 32 bytes (`bytes`).
    #[arg(long = "u256", value_name = "FORM", requires = "table", default_value = "string+f64", value_parser = wide_numbers)]
    pub(crate) wide_numbers: WideNumbers,
    /// Most blocks of a table's file.
    #[arg(long, value_name = "N", requires = "table", default_value = "1000", value_parser = from_one)]
    pub(crate) blocks_per_file: NonZeroUsize,
    /// Runs nothing, and prints what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Format of the block result: `canonical`, or the bytes of the network's evm-server in era `a` to `e`.
    #[arg(long, value_name = "FORMAT", value_parser = ["canonical", "evm-server@a", "evm-server@b", "evm-server@c", "evm-server@d", "evm-server@e"])]
    pub(crate) format: Option<String>,
    /// A parameter for the rules, part of their identity, or `RULE:NAME=VALUE` for one of them; can be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) params: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) chains: ChainConfigs,
    #[command(flatten)]
    pub(crate) settings: Flags<scope::Replay>,
    #[command(flatten)]
    pub(crate) hosts: Flags<scope::ReplayHosts>,
    #[command(flatten)]
    pub(crate) known: KnownBlockArguments,
    /// Runs rules that are not built in in confined child processes, as `refiner run` does. They are compiled in one always.
    #[arg(long)]
    pub(crate) isolate: bool,
    /// Specimens worked on at once [default: as many as there are cores; with `--queue` 256].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// How runs are printed to standard output.
    #[arg(long, value_enum, default_value_t = Style::Table, value_name = "STYLE")]
    report: Style,
    /// Same as `--report json`.
    #[arg(long, conflicts_with = "report")]
    json: bool,
    /// Writes a page with the figures of the replay: time, fuel, output and gas by block, and runs without a result. One HTML file,
    /// which needs no other.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run", value_parser = PathBufValueParser::new().try_map(file_here))]
    pub(crate) report_page: Option<PathBuf>,
}

/// `refiner verify`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Verify {
    /// The data set's directory or `_manifest.json`, or its URL in an object store.
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// The specimens that it was made of, named as for `replay`.
    #[arg(required_unless_present = "files_from", value_name = "SPECIMEN")]
    pub(crate) specimens: Vec<OsString>,
    /// A file with more of them, one a line or separated by NUL; `-` reads the list from standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<OsString>,
    /// The rules, where one is not built in; can be repeated.
    #[arg(long = "rule", value_name = "RULE")]
    pub(crate) rules: Vec<String>,
    #[command(flatten)]
    pub(crate) chains: ChainConfigs,
    #[command(flatten)]
    pub(crate) settings: Flags<scope::Replay>,
    #[command(flatten)]
    pub(crate) known: KnownBlockArguments,
    /// Specimens worked on at once [default: as many as there are cores].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl Replay {
    /// Every parameter for the rules; `--format` is the parameter `format`.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        let format = self.format.iter().map(|format| ("format".to_owned(), format.clone()));
        format.chain(self.params.iter().cloned())
    }

    /// How runs are printed.
    pub const fn style(&self) -> Style {
        if self.json { Style::Json } else { self.report }
    }
}

/// How runs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// A line for each artifact, for people.
    Table,
    /// A JSON object for each run, one a line.
    Json,
    /// Only the closing line.
    Summary,
}

/// A path, where a URL is easily taken for a directory called `s3:`.
fn file_here(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.to_string_lossy().contains("://") { Err("a file of this machine is expected") } else { Ok(path) }
}

fn table_format(text: &str) -> Result<Format, String> {
    Format::named(text).ok_or_else(|| format!("formats are {}", Format::ALL.map(Format::as_str).join(", ")))
}

fn from_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a number from 1 is expected")
}

fn wide_numbers(text: &str) -> Result<WideNumbers, String> {
    WideNumbers::named(text)
        .ok_or_else(|| format!("forms are {}", WideNumbers::ALL.map(WideNumbers::as_str).join(", ")))
}
