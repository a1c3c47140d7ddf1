//! The command line.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use refiner_diagnostics::ExitCode;

use refiner_config::{Flags, scope};
use refiner_specimen::Layout;
use refiner_specimen_files::selection::BlockSelection;
use refiner_table::{Format, WideNumbers};

use crate::{content, devnet, evm, health, journal::JournalCommand, key, rule, session, version};

/// Turns block specimens into data objects by sandboxed rules.
#[derive(Debug, Parser)]
#[command(version, about, after_help = ExitCode::TABLE, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Flags<scope::Program>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs rules over specimens, offline, and writes what they produce.
    Replay(Replay),
    /// Computes a data set that `replay --out` made again, and compares it byte by byte.
    Verify(Verify),
    /// Follows the proof chain: fetches announced specimens, runs rules over them, pins what they produce and proves it.
    Run(Box<Run>),
    /// Runs rules for a coordinator (`refiner run --queue`): workers without key and journal, on any number of hosts.
    #[command(after_help = ExitCode::TABLE)]
    Work {
        #[command(flatten)]
        settings: Box<Flags<scope::Work>>,
    },
    /// Asks NATS about the queue over which worker hosts share the work.
    Queue {
        /// What to ask.
        #[command(subcommand)]
        command: refiner_queue::Command,
    },
    /// Asks the journal of `refiner run` and changes it, also while it runs.
    Journal {
        /// What to ask.
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Asks the proof chain about the sessions in which results are proved.
    Session {
        /// What to ask.
        #[command(subcommand)]
        command: session::Command,
    },
    /// Names, fetches, keeps and serves content by its content id.
    Content {
        /// What to do with it.
        #[command(subcommand)]
        command: content::Command,
    },
    /// Makes and encrypts the operator's key, and prints its address.
    Key {
        /// Ways to make or read a key.
        #[command(subcommand)]
        command: key::Command,
    },
    /// Prints the settings that `refiner run` would use.
    Config {
        /// Parts of the settings to print.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Looks into specimen files.
    Specimen {
        /// What to do with them.
        #[command(subcommand)]
        command: Specimen,
    },
    /// Makes, builds, checks and tries rules.
    Rule {
        /// What to do.
        #[command(subcommand)]
        command: rule::Rule,
    },
    /// Executes blocks for others.
    Evm {
        /// What to do.
        #[command(subcommand)]
        command: evm::Evm,
    },
    /// Asks a running daemon, or another service of this program, whether it is alive; for health checks of containers.
    Health(health::Health),
    /// Checks this machine and, with the settings of `run`, everything that the daemon needs.
    Doctor(Box<Doctor>),
    /// Prints the version, and with `--verbose` what was built from what.
    Version(version::Version),
    /// Prints the completions of a shell.
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Writes a manual page for each command.
    Man {
        /// Directory of the pages.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Runs the whole network on this machine for a look at it: a proof chain, sample specimens, all services and the status page.
    #[command(after_help = ExitCode::TABLE)]
    Devnet(devnet::Devnet),
}

/// `refiner replay`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Replay {
    /// Specimen files, directories of them, patterns, archives (`.tar`, also compressed), or `-` for one specimen or an archive on
    /// standard input. Files may be compressed by gzip or Zstandard. URLs (`s3://BUCKET/PREFIX`, `gs://`, `az://`, `https://`,
    /// `ipfs://CID`) name specimens of other machines.
    #[arg(required_unless_present = "files_from", value_name = "SPECIMEN")]
    pub specimens: Vec<OsString>,
    /// A file with more of them, one a line or separated by NUL; `-` reads the list from standard input.
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<OsString>,
    /// Heights to take: `17000000`, `17000000:17001000` (without the last), `15M:`, `:700`, `15M:+1000`, `-100:`, every tenth by
    /// `100:200:10`, five of them by `100:200/5`; can be repeated.
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub blocks: Vec<BlockSelection>,
    /// A built-in rule's name, a component file, a directory of them, or `https://`, `ipfs://` or `oci://` with its digest;
    /// can be repeated.
    #[arg(long = "rule", value_name = "RULE", default_value = "block-result")]
    pub rules: Vec<String>,
    /// Directory for `<chain>-<height>.<rule>.<artifact>` and `_manifest.json`; without it results are hashed and dropped. A second
    /// run makes what is missing there.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Writes the rows of many blocks into files of this format, `<rule>/<output>/chain-<chain>/blocks_<first>_<last>`, instead of
    /// a file an artifact; a rule's outputs need columns for it.
    #[arg(long, value_name = "FORMAT", requires = "out", value_parser = table_format)]
    pub table: Option<Format>,
    /// Form of 256-bit numbers in tables: decimal digits with a column of doubles beside it, or one of the two, or others that
    /// hold less or are read by fewer programs.
    #[arg(long = "u256", value_name = "FORM", requires = "table", default_value = "string+f64", value_parser = wide_numbers)]
    pub wide_numbers: WideNumbers,
    /// Most blocks of a table's file.
    #[arg(long, value_name = "N", requires = "table", default_value = "1000")]
    pub blocks_per_file: NonZeroUsize,
    /// Runs nothing, and prints what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Format of the block result: `canonical`, or the bytes of the network's evm-server in era `a` to `e`.
    #[arg(long, value_name = "FORMAT", value_parser = ["canonical", "evm-server@a", "evm-server@b", "evm-server@c", "evm-server@d", "evm-server@e"])]
    pub format: Option<String>,
    /// A parameter for the rules, part of their identity; can be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub params: Vec<(String, String)>,
    #[command(flatten)]
    pub chains: ChainConfigs,
    #[command(flatten)]
    pub settings: Flags<scope::Replay>,
    #[command(flatten)]
    pub known: KnownBlockArguments,
    /// Runs rules that are not built in in confined child processes, as `refiner run` does. They are compiled in one always.
    #[arg(long)]
    pub isolate: bool,
    /// Specimens worked on at once [default: as many as there are cores].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// How runs are printed to standard output.
    #[arg(long, value_enum, default_value_t = Style::Table, value_name = "STYLE")]
    report: Style,
    /// Same as `--report json`.
    #[arg(long, conflicts_with = "report")]
    json: bool,
    /// Writes a page with the figures of the replay: time, fuel, output and gas by block, and runs without a result. One HTML file,
    /// which needs no other.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub report_page: Option<PathBuf>,
}

/// `refiner verify`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Verify {
    /// The data set's `_manifest.json`.
    #[arg(value_name = "MANIFEST")]
    pub manifest: PathBuf,
    /// The specimens that it was made of, named as for `replay`.
    #[arg(required_unless_present = "files_from", value_name = "SPECIMEN")]
    pub specimens: Vec<OsString>,
    /// A file with more of them, one a line or separated by NUL; `-` reads the list from standard input.
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<OsString>,
    /// The rules, where one is not built in; can be repeated.
    #[arg(long = "rule", value_name = "RULE")]
    pub rules: Vec<String>,
    #[command(flatten)]
    pub chains: ChainConfigs,
    #[command(flatten)]
    pub settings: Flags<scope::Replay>,
    #[command(flatten)]
    pub known: KnownBlockArguments,
    /// Specimens worked on at once [default: as many as there are cores].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
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

/// `refiner run`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE, args_override_self = true)]
pub struct Run {
    #[command(flatten)]
    pub file: Flags<scope::File>,
    #[command(flatten)]
    pub settings: Flags<scope::Run>,
}

/// `refiner doctor`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Doctor {
    #[command(flatten)]
    pub run: Run,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
    /// Also writes an archive for a bug report (tar): the checks, settings with their origin, counts and failures of the journal,
    /// status and metrics of a running daemon, and facts of kernel and control group; keys, passwords and what follows the host in
    /// an address are left out. Look through it before you publish it.
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// A file with the daemon's log, whose last lines go into the archive.
    #[arg(long, value_name = "FILE", requires = "bundle")]
    pub log_file: Option<PathBuf>,
}

/// `refiner config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Every setting with its value and where that comes from; takes what `run` takes. What URLs carry and the key are not shown.
    Show {
        #[command(flatten)]
        run: Box<Run>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
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

/// Chains beyond the built-in ones.
#[derive(Debug, Default, Args)]
pub struct ChainConfigs {
    /// A geth-style chain config JSON for a chain that is not built in (mainnet, sepolia, holesky and hoodi are);
    /// can be repeated.
    #[arg(long = "chain-config", value_name = "FILE")]
    pub chain_configs: Vec<PathBuf>,
}

/// Block hashes that are known from elsewhere.
#[derive(Debug, Args)]
pub struct KnownBlockArguments {
    /// A list of known block hashes, one a line: `[CHAIN] HEIGHT HASH` (chain 1 where none is named), also with commas; `#` begins a
    /// comment. A specimen of another block than listed is rejected.
    #[arg(long = "block-hashes", value_name = "FILE")]
    pub block_hashes: Option<PathBuf>,
}

/// `refiner specimen`.
#[derive(Debug, Subcommand)]
pub enum Specimen {
    /// Prints the contents of a specimen.
    Inspect {
        /// Specimen files, directories, patterns, or `-`.
        #[arg(required = true, value_name = "SPECIMEN")]
        specimens: Vec<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Prints a specimen as JSON, field for field as it is on the wire.
    Decode {
        /// A specimen file, or `-`.
        #[arg(value_name = "SPECIMEN")]
        specimen: String,
        /// Only the block (the `data` record), which is what an evm-server takes.
        #[arg(long)]
        data: bool,
    },
    /// Writes the JSON that `decode` prints as a specimen.
    Encode {
        /// A JSON file, or `-`.
        #[arg(value_name = "JSON")]
        json: String,
        /// The Avro layout to write: 0.2, 0.3, or 0.31 to 0.38.
        #[arg(long, value_name = "VERSION", value_parser = layout)]
        layout: Layout,
        /// Where to; standard output without it.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Makes every check of a specimen against itself, and against the block hashes that are known.
    Check(Check),
}

/// `refiner specimen check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Specimen files, directories, patterns, or `-`.
    #[arg(required = true, value_name = "SPECIMEN")]
    pub specimens: Vec<String>,
    /// Also executes the block, and checks gas, logs, receipts and requests.
    #[arg(long)]
    pub execute: bool,
    /// The announced specimen hash, to check one specimen against.
    #[arg(long, value_name = "HASH")]
    pub specimen_hash: Option<alloy_primitives::B256>,
    #[command(flatten)]
    pub chains: ChainConfigs,
    #[command(flatten)]
    pub settings: Flags<scope::SpecimenCheck>,
    #[command(flatten)]
    pub known: KnownBlockArguments,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

pub fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty") } else { Ok((name.to_owned(), value.to_owned())) }
}

fn table_format(text: &str) -> Result<Format, String> {
    Format::named(text).ok_or_else(|| format!("formats are {}", Format::ALL.map(Format::as_str).join(", ")))
}

fn wide_numbers(text: &str) -> Result<WideNumbers, String> {
    WideNumbers::named(text)
        .ok_or_else(|| format!("forms are {}", WideNumbers::ALL.map(WideNumbers::as_str).join(", ")))
}

fn layout(text: &str) -> Result<Layout, String> {
    Layout::from_version(text).ok_or_else(|| {
        let known: Vec<_> = Layout::NEWEST_FIRST.iter().rev().map(|layout| layout.as_str()).collect();
        format!("known layouts are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn parameter_is_split_at_the_first_equals_sign() {
        assert_eq!(parameter("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(parameter("=b").is_err());
        assert!(parameter("a").is_err());
    }
}
