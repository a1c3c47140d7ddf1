//! Processes that this one starts and ends, each with a log of its own.

use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::DevnetError;

/// Time in which a process ends by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(20);

/// The processes, in the order of their start.
pub struct Children {
    directory: PathBuf,
    is_kept: bool,
    running: Vec<Running>,
}

struct Running {
    name: &'static str,
    child: Child,
}

impl Children {
    /// No processes yet; their logs are in this directory, which is kept at the end or removed.
    pub fn in_directory(directory: &Path, is_kept: bool) -> Self {
        Self { directory: directory.to_owned(), is_kept, running: Vec::new() }
    }

    /// Starts a process with nothing of this one's environment: variables of an operator are not meant for a devnet.
    pub fn start(&mut self, name: &'static str, command: &mut Command) -> Result<(), DevnetError> {
        let log = || File::options().create(true).append(true).open(self.log(name));
        let failed = |source| DevnetError::Start { program: command_path(command), source };
        let (out, err) = (log().map_err(failed)?, log().map_err(failed)?);
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            // Not the terminal's: on ctrl-c they end in order.
            .process_group(0);
        let child = command.spawn();
        let child = child.map_err(|source| DevnetError::Start { program: command_path(command), source })?;
        self.running.push(Running { name, child });
        Ok(())
    }

    /// The file that a process writes its log to.
    pub fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }

    /// The error of a process that gives no sign of life.
    pub fn silent(&self, name: &'static str, patience: Duration) -> DevnetError {
        DevnetError::Silent { name, seconds: patience.as_secs(), log: self.log(name), is_kept: self.is_kept }
    }

    /// An error when any process ended by itself.
    pub fn all_run(&mut self) -> Result<(), DevnetError> {
        for running in &mut self.running {
            if let Ok(Some(status)) = running.child.try_wait() {
                let log = self.directory.join(format!("{}.log", running.name));
                return Err(DevnetError::Ended { name: running.name, status, log, is_kept: self.is_kept });
            }
        }
        Ok(())
    }

    /// Ends one process.
    pub fn stop(&mut self, name: &str) {
        if let Some(position) = self.running.iter().position(|running| running.name == name) {
            self.running.remove(position).end();
        }
    }

    /// Ends all processes, the last one first, so that none misses another.
    pub fn end(&mut self) {
        while let Some(running) = self.running.pop() {
            running.end();
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.end();
    }
}

impl Running {
    fn end(mut self) {
        // Its whole group: a node from npm may be a script that starts the program.
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::TERM);
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < GRACE {
            thread::sleep(LOOK);
        }
        // Nothing is left of it as a rule.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

fn command_path(command: &Command) -> PathBuf {
    command.get_program().into()
}
