//! Runs the program under test, and gives what it printed and how it ended.

use std::{
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// One finished run of the program.
pub struct Ended {
    /// Exit code of the program.
    pub code: i32,
    /// Text on standard output.
    pub stdout: Vec<u8>,
    /// Text on standard error.
    pub stderr: String,
}

impl Ended {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// Standard output as one JSON value a line.
    pub fn json_lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asserts the exit code, and shows everything when it is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", String::from_utf8_lossy(&self.stdout), self.stderr);
        self
    }
}

/// The program, ready to be run with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
    command.args(arguments).env_remove("REFINER_LOG").env_remove("EVM_SERVER_URL");
    command
}

/// Runs the program with arguments.
pub fn refiner(arguments: &[&str]) -> Ended {
    refiner_reading(arguments, b"")
}

/// Runs the program with `input` on its standard input.
pub fn refiner_reading(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that stops reading early closes the pipe; that is its right.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command that was prepared, with nothing on its standard input.
pub fn ended(mut command: Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The committed samples, by name.
pub fn samples() -> Vec<PathBuf> {
    let mut samples: Vec<_> = std::fs::read_dir(samples_directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension() == Some(OsStr::new("avro")))
        .collect();
    samples.sort();
    assert!(!samples.is_empty());
    samples
}

/// Folder of the sample specimens.
pub fn samples_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
