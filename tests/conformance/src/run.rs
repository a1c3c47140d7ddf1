//! Every file of a folder, on every core, with no more in memory than a few tests.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    chain::{Case, Skipped, cases},
    format::each_test,
    replay::{ReplayError, Replayer},
    report::Report,
};

/// Cases that wait for the replayer at once.
const WAITING: usize = 256;
/// Time between two lines of progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// The choices of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A folder of tests, or one file.
    pub tests: PathBuf,
    /// Only tests of this network.
    pub fork: Option<String>,
    /// Path of the built `refiner`.
    pub program: PathBuf,
}

/// The reason why a run has no report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder cannot be read.
    #[error("{path}")]
    Tests {
        /// Folder of the tests.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// There is no test in it.
    #[error("{0}: no .json file")]
    NoTests(PathBuf),
    /// A batch was not replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

enum Message {
    Case(Box<Case>),
    /// A worker is through; its counts of what has no case.
    Done(Box<Report>),
}

/// Runs every test.
///
/// # Errors
/// [`RunError`]; a test that fails is in the report.
pub fn run(settings: &Settings, mut progress: impl FnMut(&str)) -> Result<Report, RunError> {
    let files = files(&settings.tests)?;
    let next = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel(WAITING);
    let mut replayer = Replayer::new(settings.program.clone());
    let mut report = Report::default();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (sender, next, files) = (sender.clone(), &next, &files);
            scope.spawn(move || worker(files, next, settings, &sender));
        }
        drop(sender);
        // Without this, a failed batch would leave workers waiting for a receiver that is gone; with it they end.
        let receiver = receiver;
        let (begun, mut printed, mut blocks) = (Instant::now(), Instant::now(), 0_u64);
        for message in &receiver {
            match message {
                Message::Done(other) => report.merge(*other),
                Message::Case(case) => {
                    blocks += 1;
                    for replayed in replayer.add(*case)? {
                        report.replayed(replayed);
                    }
                }
            }
            if printed.elapsed() >= PROGRESS_EVERY {
                printed = Instant::now();
                let read = next.load(Ordering::Relaxed).min(files.len());
                let seconds = begun.elapsed().as_secs();
                progress(&format!("{read} of {} files, {blocks} blocks, {seconds} s", files.len()));
            }
        }
        Ok::<_, RunError>(())
    })?;
    replayer.finish(|batch| batch.into_iter().for_each(|replayed| report.replayed(replayed)))?;
    Ok(report)
}

fn worker(files: &[PathBuf], next: &AtomicUsize, settings: &Settings, sender: &SyncSender<Message>) {
    let mut report = Report::default();
    while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        if let Err(reason) = file(path, settings, sender, &mut report) {
            report.unreadable_file(path.display().to_string(), reason);
        }
    }
    // The receiver is gone when a batch failed, and then the report does not matter.
    let _ = sender.send(Message::Done(Box::new(report)));
}

fn file(path: &Path, settings: &Settings, sender: &SyncSender<Message>, report: &mut Report) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let shown = path.strip_prefix(&settings.tests).unwrap_or(path).display().to_string();
    let tests = each_test(&bytes, |name, test| {
        let skipped = cases(&format!("{shown}: {name}"), &test, settings.fork.as_deref(), |case| {
            if let Err(reason) = &case.specimen {
                let reason = reason.clone();
                report.unwritten(&case, &reason);
            } else {
                let _ = sender.send(Message::Case(Box::new(case)));
            }
        });
        match skipped {
            Ok(()) => {}
            Err(Skipped::OtherKind) => report.other_test(),
            Err(Skipped::Network(network)) => report.unknown_network(network),
        }
    });
    tests.map_err(|error| error.to_string())
}

/// Every `.json` file under a folder, in order of path.
fn files(root: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    if root.is_file() {
        return Ok(folders);
    }
    while let Some(folder) = folders.pop() {
        let unreadable = |source| RunError::Tests { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            // execution-spec-tests keeps an index of everything beside the tests, in a folder that begins with a dot.
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() { Err(RunError::NoTests(root.to_owned())) } else { Ok(files) }
}
