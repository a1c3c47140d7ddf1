//! A child process and its pipes, seen from the supervisor: every read and write ends in time.

use std::{
    ffi::OsString,
    fmt,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use refiner_rule_model::UntrustedText;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::allowance::Allowance;

/// The command that starts a child: a program whose `main` calls `refiner_worker_child::child_main`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
}

/// The program that children of this process are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildProgram {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl ChildProgram {
    /// This program again, as it runs.
    pub fn this_program() -> Self {
        Self::new(OWN_PROGRAM, Vec::new())
    }

    /// Another program, which ends by calling `refiner_worker_child::serve_child` with the argument after these: an interpreter that loads this library.
    pub fn new(program: impl Into<PathBuf>, arguments: Vec<OsString>) -> Self {
        Self { program: program.into(), arguments }
    }

    /// The command for one of [`crate::WORKER_ARGUMENT`] and [`crate::COMPILE_ARGUMENT`].
    pub fn command(&self, argument: impl Into<OsString>) -> ChildCommand {
        let mut arguments = self.arguments.clone();
        arguments.push(argument.into());
        ChildCommand { program: self.program.clone(), arguments }
    }
}

impl ChildCommand {
    /// `program argument`.
    pub fn new(program: impl Into<PathBuf>, argument: impl Into<OsString>) -> Self {
        Self { program: program.into(), arguments: vec![argument.into()] }
    }

    /// This program again, as it runs: replacing the file on disk does not change it.
    pub fn this_program(argument: impl Into<OsString>) -> Self {
        Self::new(OWN_PROGRAM, argument)
    }
}

/// The program of this process, whatever became of its file.
const OWN_PROGRAM: &str = "/proc/self/exe";
/// Bytes of a child's standard error that are kept. The rest is read and discarded.
const STDERR_BYTES_MAX: usize = 16 << 10;
/// Size of the pipes that carry specimens and artifacts, four times what a frame of bytes holds.
const PIPE_BYTES: usize = 1 << 20;

/// A running child. Dropping it kills and reaps it.
pub(crate) struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    stderr_open: bool,
    output: Vec<u8>,
    allowance: Allowance,
}

/// The exit code or signal that ended a child.
#[derive(Debug)]
pub enum ProcessEnd {
    /// As the system reports it.
    Status(ExitStatus),
    /// The system does not report it.
    Unknown(io::Error),
}

/// The end of a child process.
pub(crate) struct Ended {
    /// Its exit code or signal.
    pub(crate) end: ProcessEnd,
    /// Its output on standard error.
    pub(crate) output: UntrustedText,
}

impl Process {
    /// Starts a child with an empty environment. It dies with the calling *thread*.
    pub(crate) fn spawn(command: &ChildCommand) -> io::Result<Self> {
        let mut child = Command::new(&command.program)
            .args(&command.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A terminal's Ctrl-C is for the supervisor, which ends its children in its own time.
            .process_group(0)
            .spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let allowance = Allowance::begin(child.id(), Duration::ZERO);
        let process = Self { child, stdin, stdout, stderr, stderr_open: true, output: Vec::new(), allowance };
        for pipe in [process.stdin.as_fd(), process.stdout.as_fd(), process.stderr.as_fd()] {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        for pipe in [process.stdin.as_fd(), process.stdout.as_fd()] {
            // Past the user's share of pipe memory the kernel refuses, and the pipe works as it is.
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
        }
        Ok(process)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// From now on, the child may use this much processor time until what is read and written together has passed.
    pub(crate) fn allow(&mut self, time: Duration) {
        self.allowance = Allowance::begin(self.id(), time);
    }

    /// The processor time that it was allowed last.
    pub(crate) const fn allowed(&self) -> Duration {
        self.allowance.allowed()
    }

    /// Bytes of memory that the process holds now. 0 when it is gone.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
        kib.unwrap_or(0u64) << 10
    }

    /// Kills it and returns how it ended, which may have been before.
    pub(crate) fn end(mut self) -> Ended {
        self.kill();
        let end = self.child.wait().into();
        self.drain_stderr();
        Ended { end, output: UntrustedText::new(String::from_utf8_lossy(&self.output).trim_end()) }
    }

    /// Waits a moment for a child that closed its pipes to end by itself, then ends it: its own exit status tells more than
    /// our signal.
    pub(crate) fn end_after_close(mut self) -> Ended {
        let until = Instant::now() + EXIT_GRACE;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(EXIT_POLL);
        }
        self.end()
    }

    fn kill(&mut self) {
        // It may have ended before; there is nothing else to do about a process that cannot be killed.
        let _ = self.child.kill();
    }

    /// Waits until `pipe` of the child is ready, and reads what the child writes to standard error meanwhile.
    fn wait_for(&mut self, which: Which) -> io::Result<()> {
        let left = self.allowance.wait().ok_or(io::ErrorKind::TimedOut)?;
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let (pipe, events): (BorrowedFd<'_>, _) = match which {
            Which::Stdin => (self.stdin.as_fd(), PollFlags::OUT),
            Which::Stdout => (self.stdout.as_fd(), PollFlags::IN),
        };
        let mut polled = [PollFd::from_borrowed_fd(pipe, events), PollFd::new(&self.stderr, PollFlags::IN)];
        let count = if self.stderr_open { 2 } else { 1 };
        match poll(&mut polled[..count], Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !polled[1].revents().is_empty() {
            self.drain_stderr();
        }
        Ok(())
    }

    /// Reads standard error once, without waiting.
    fn drain_stderr(&mut self) {
        let mut chunk = [0; STDERR_BYTES_MAX];
        match self.stderr.read(&mut chunk) {
            Ok(0) => self.stderr_open = false,
            Ok(read) => {
                let room = STDERR_BYTES_MAX - self.output.len();
                self.output.extend_from_slice(&chunk[..read.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.stderr_open = false,
        }
    }
}

/// Time that a child which closed its pipes has to exit.
const EXIT_GRACE: Duration = Duration::from_millis(200);
/// Interval of checks for the exit.
const EXIT_POLL: Duration = Duration::from_millis(2);

#[derive(Clone, Copy)]
enum Which {
    Stdin,
    Stdout,
}

impl Read for Process {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stdout.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for(Which::Stdout)?,
                // A child that never stops sending is in time for every single read.
                Ok(_) if self.allowance.wait().is_none() => return Err(io::ErrorKind::TimedOut.into()),
                answer => return answer,
            }
        }
    }
}

impl Write for Process {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.stdin.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for(Which::Stdin)?,
                answer => return answer,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Reaps it. A process that was killed can always be waited for.
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        match &self.end {
            ProcessEnd::Status(status) => status.signal(),
            ProcessEnd::Unknown(_) => None,
        }
    }
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Unknown(error) => error.fmt(f),
        }
    }
}

impl From<io::Result<ExitStatus>> for ProcessEnd {
    fn from(waited: io::Result<ExitStatus>) -> Self {
        waited.map_or_else(Self::Unknown, Self::Status)
    }
}
