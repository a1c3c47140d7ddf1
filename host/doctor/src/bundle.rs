//! `refiner doctor --bundle`: an archive for a report of a fault, without secrets.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use refiner_arguments::Run;
use refiner_config::{Environment, Values, table};
use refiner_diagnostics::{Diagnostic, ErrorChain, ExitCode, Hint};
use refiner_environment::machine;
use refiner_journal::{Item, JournalError, JournalReader};
use refiner_proofchain::Secret;
use refiner_redaction::Redaction;
use refiner_rule_model::engine::WASMTIME_VERSION;
use refiner_text::OneLine;
use serde_json::{Value, json};

use crate::{health, settings as config};

/// Version of what is in an archive.
const SCHEMA_VERSION: u32 = 1;
/// The directory in the archive.
const DIRECTORY: &str = "refiner-bundle";
/// Most items of the journal whose last failure is included.
const FAILURES_MAX: usize = 100;
/// Bytes from the end of a log.
const LOG_BYTES_MAX: u64 = 1 << 20;
/// Most bytes of an answer of the daemon; thousands of metrics have some 200 KiB.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Most bytes of a file with a secret that are searched for.
const SECRET_BYTES_MAX: usize = 16 << 10;

/// Reasons for which there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file of this name is there.
    #[error("{}: exists already, and no file is overwritten", OneLine(.path.display()))]
    Exists {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file with the log cannot be read.
    #[error("{}: cannot read the log", OneLine(.path.display()))]
    Log {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The archive cannot be written.
    #[error("{}: cannot write the archive", OneLine(.path.display()))]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

impl Diagnostic for BundleError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Exists { .. } | Self::Log { .. } => ExitCode::Usage,
            Self::Write { .. } => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// The secrets of this process and its settings. The key of the environment is taken out of it before the checks are made.
pub fn redaction(arguments: &Run, key: Option<&Secret>) -> Redaction {
    let mut redaction = Redaction::default();
    Environment::of_process().all().for_each(|(name, value)| redaction.add_variable(name, value));
    if let Some(key) = key {
        redaction.add(key.expose());
    }
    let values = config::values(arguments);
    for row in table::rows() {
        let (texts, _) = values.shown(row);
        texts.into_iter().flatten().for_each(|text| redaction.add_addresses(&text));
    }
    let files = [&table::KEY_FILE, &table::KEYSTORE, &table::PASSWORD_FILE];
    for path in files.into_iter().filter_map(|setting| values.get(setting)) {
        match read_secret(&path) {
            Some(text) => redaction.add_file(text.expose()),
            // A password that was given in the place of its file.
            None if path.components().count() == 1 && !path.exists() => redaction.add(&path.to_string_lossy()),
            None => {}
        }
    }
    redaction
}

fn read_secret(path: &Path) -> Option<Secret> {
    let mut secret = Secret::new(String::new());
    secret.read_from(&mut File::open(path).ok()?, SECRET_BYTES_MAX).ok()?;
    Some(secret)
}

/// Inputs of the archive beside the report.
pub struct Bundle<'a> {
    pub arguments: &'a Run,
    pub path: &'a Path,
    /// A file with the daemon's log.
    pub log: Option<&'a Path>,
    pub redaction: Redaction,
}

impl Bundle<'_> {
    /// Writes the archive, with this report of the checks. Returns the names of its files and their bytes.
    ///
    /// # Errors
    ///
    /// [`BundleError`]
    pub fn write(&self, report: Value) -> Result<Vec<(String, usize)>, BundleError> {
        let values = config::values(self.arguments);
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let about = json!({
            "schemaVersion": SCHEMA_VERSION,
            "program": env!("CARGO_PKG_VERSION"),
            "wasmtime": WASMTIME_VERSION,
            "built": { "debug": cfg!(debug_assertions), "target": std::env::consts::ARCH },
            "createdS": now_s,
        });
        let mut files = vec![
            ("about.json", self.json(about)),
            ("doctor.json", self.json(report)),
            ("settings.json", self.json(settings(&values))),
            ("journal.json", self.json(journal(&values.get(&table::DATA).join("journal.sqlite")))),
            ("machine.txt", self.redaction.redacted(&machine::facts())),
        ];
        let address = health::local(values.get(&table::HEALTH));
        for (name, path) in [("ready.txt", "/readyz"), ("status.json", "/status"), ("metrics.txt", "/metrics")] {
            files.push((name, self.answer(address, path)));
        }
        if let Some(path) = self.log {
            let log = end_of(path).map_err(|source| BundleError::Log { path: path.to_owned(), source })?;
            files.push(("log.txt", self.redaction.redacted(&log)));
        }
        let archive =
            archive(&files, now_s).map_err(|source| BundleError::Write { path: self.path.to_owned(), source })?;
        create(self.path, &archive)?;
        Ok(files.into_iter().map(|(name, text)| (name.to_owned(), text.len())).collect())
    }

    fn json(&self, value: Value) -> String {
        format!("{:#}\n", self.redaction.redacted_json(value))
    }

    /// What the daemon answers, or the reason for which it does not.
    fn answer(&self, address: SocketAddr, path: &str) -> String {
        match health::ask(address, path, ANSWER_BYTES_MAX) {
            Ok((_, body)) => match serde_json::from_str(&body) {
                Ok(value) => self.json(value),
                Err(_) => self.redaction.redacted(&body),
            },
            Err(error) => self.redaction.redacted(&format!("no answer of {address}{path}: {}\n", ErrorChain(&error))),
        }
    }
}

/// Every setting with its value, redacted, and its origin.
fn settings(values: &Values) -> Value {
    let shown = refiner_daemon::config::given(values).into_iter();
    shown.map(|shown| (shown.key.to_owned(), json!({ "value": shown.value, "origin": shown.origin }))).collect()
}

/// The number of items in each state, and the newest failures.
fn journal(path: &Path) -> Value {
    let read = || -> Result<Value, JournalError> {
        let journal = JournalReader::open(path)?;
        let failure = |item: Item| {
            json!({
                "item": item.id, "chain": item.chain, "height": item.height, "rule": item.rule_name, "state": item.state,
                "stateMs": item.state_ms, "attempts": item.attempts, "reason": item.reason, "lastError": item.last_error,
                "awaits": item.awaits,
            })
        };
        let failures = journal.failures(FAILURES_MAX)?.into_iter().map(failure);
        Ok(json!({ "counts": journal.counts()?, "failures": failures.collect::<Vec<_>>() }))
    };
    read().unwrap_or_else(|error| json!({ "unreadable": ErrorChain(&error).to_string() }))
}

/// The last lines of a file.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(LOG_BYTES_MAX);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // A part of a line could be a part of a secret, which nothing would know.
    let whole = if skipped == 0 { &*text } else { text.split_once('\n').map_or("", |(_, whole)| whole) };
    Ok(whole.to_owned())
}

/// The archive, whose files their owner alone may read.
fn archive(files: &[(&str, String)], modified_s: u64) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(modified_s);
        archive.append_data(&mut header, format!("{DIRECTORY}/{name}"), text.as_bytes())?;
    }
    archive.into_inner()
}

/// Writes a new file of mode 0600.
fn create(path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => BundleError::Exists { path: path.to_owned() },
        _ => BundleError::Write { path: path.to_owned(), source },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}
