//! Specimens through `refiner replay`, many a call, one call for each chain config.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::chain::{Case, Prepared};

/// Specimens of one call: enough that starting the program costs little.
const BATCH_SPECIMENS: usize = 1_000;
/// Bytes of specimens of one call.
const BATCH_BYTES: usize = 128 << 20;

/// The end of one replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is a block result.
    Produced,
    /// There is none, for this reason.
    Refused(String),
    /// The program did not come to a verdict, which is a failure whatever the block is.
    NotRun(String),
}

/// A case with its verdict.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The case, without its bytes.
    pub case: Case,
    /// The end of its replay.
    pub verdict: Verdict,
}

/// The reason why a batch was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file or process failed.
    #[error("{path}")]
    Io {
        /// The file or program.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The program left a specimen out.
    #[error("refiner replay printed no line for block {block} of {test}")]
    Unanswered {
        /// Name of the test.
        test: Arc<str>,
        /// Position of the block in it.
        block: usize,
    },
}

/// Collects cases by chain config and replays them in batches.
#[derive(Debug)]
pub struct Replayer {
    program: PathBuf,
    /// Neighbours of one data set are checked against each other, and blocks of two tests are none: so heights of one
    /// call are all even or all odd.
    batches: HashMap<(Arc<str>, bool), Batch>,
}

#[derive(Debug)]
struct Batch {
    directory: TempDir,
    cases: Vec<Case>,
    bytes: usize,
}

impl Replayer {
    /// Replays with this program.
    pub fn new(program: PathBuf) -> Self {
        Self { program, batches: HashMap::new() }
    }

    /// Adds a case; gives the results of its batch when that is full.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn add(&mut self, mut case: Case) -> Result<Vec<Replayed>, ReplayError> {
        let Ok(Prepared { bytes, height, config, .. }) = &mut case.specimen else { return Ok(Vec::new()) };
        let bytes = std::mem::take(bytes);
        let key = (Arc::clone(config), height.is_multiple_of(2));
        if !self.batches.contains_key(&key) {
            self.batches.insert(key.clone(), Batch::new()?);
        }
        let Some(batch) = self.batches.get_mut(&key) else { return Ok(Vec::new()) };
        let path = batch.directory.path().join(format!("{:06}.avro", batch.cases.len()));
        fs::write(&path, &bytes).map_err(|source| ReplayError::Io { path, source })?;
        batch.bytes += bytes.len();
        batch.cases.push(case);
        if batch.cases.len() < BATCH_SPECIMENS && batch.bytes < BATCH_BYTES {
            return Ok(Vec::new());
        }
        self.batches.remove(&key).map_or_else(|| Ok(Vec::new()), |batch| batch.replay(&self.program, &key.0))
    }

    /// Replays what is left.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn finish(self, mut each: impl FnMut(Vec<Replayed>)) -> Result<(), ReplayError> {
        for ((config, _), batch) in self.batches {
            each(batch.replay(&self.program, &config)?);
        }
        Ok(())
    }
}

impl Batch {
    fn new() -> Result<Self, ReplayError> {
        let directory = tempfile::tempdir().map_err(|source| ReplayError::Io { path: std::env::temp_dir(), source })?;
        Ok(Self { directory, cases: Vec::new(), bytes: 0 })
    }

    fn replay(self, program: &Path, config: &str) -> Result<Vec<Replayed>, ReplayError> {
        let Self { directory, cases, .. } = self;
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| ReplayError::Io { path, source }
        };
        let config_path = directory.path().join("chain.json");
        fs::write(&config_path, config).map_err(at(&config_path))?;
        let output = Command::new(program)
            .args(["replay", "--format", "canonical", "--json", "--chain-config"])
            .arg(&config_path)
            .arg(directory.path())
            .stdin(Stdio::null())
            .output()
            .map_err(at(program))?;
        let verdicts = verdicts(&output.stdout);
        if verdicts.is_empty() {
            // A chain config that the program refuses ends the whole call.
            let stderr = String::from_utf8_lossy(&output.stderr);
            let reason = format!("{}: {}", output.status, stderr.lines().next_back().unwrap_or("no reason given"));
            let not_run = |case| Replayed { case, verdict: Verdict::NotRun(reason.clone()) };
            return Ok(cases.into_iter().map(not_run).collect());
        }
        let replayed = cases.into_iter().enumerate().map(|(index, case)| match verdicts.get(&index) {
            Some(verdict) => Ok(Replayed { case, verdict: verdict.clone() }),
            None => Err(ReplayError::Unanswered { test: case.test, block: case.block }),
        });
        replayed.collect()
    }
}

/// Verdicts by position in the batch, out of the lines that the program prints.
fn verdicts(stdout: &[u8]) -> HashMap<usize, Verdict> {
    let lines = stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    lines.filter_map(|line| Some((position(&line)?, verdict(&line)))).collect()
}

fn position(line: &Value) -> Option<usize> {
    Path::new(line["specimen"].as_str()?).file_stem()?.to_str()?.parse().ok()
}

fn verdict(line: &Value) -> Verdict {
    let text = |key: &str| line[key].as_str().unwrap_or("no reason given").to_owned();
    match line["verdict"].as_str() {
        Some("produced") => Verdict::Produced,
        Some(_) => Verdict::Refused(text("message")),
        None => Verdict::NotRun(text("failure")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_by_the_name_of_the_specimen() {
        let lines = br#"{"specimen": "/tmp/x/000003.avro", "verdict": "produced"}
not json
{"specimen": "/tmp/x/000000.avro", "verdict": "rejected", "message": "rejected: gas"}
{"specimen": "/tmp/x/000001.avro", "verdict": "unusable", "message": "not Avro"}
{"specimen": "/tmp/x/000002.avro", "verdict": null, "failure": "a deadline passed"}"#;
        let expected = [
            (0, Verdict::Refused("rejected: gas".to_owned())),
            (1, Verdict::Refused("not Avro".to_owned())),
            (2, Verdict::NotRun("a deadline passed".to_owned())),
            (3, Verdict::Produced),
        ];
        assert_eq!(verdicts(lines), HashMap::from(expected));
    }
}
