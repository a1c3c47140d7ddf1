//! The socket in the daemon's directory, through which an operator's commands reach the journal that the daemon holds.
//!
//! One request and one reply, each a line of JSON; before the reply to a request that takes its time stand lines without one. The socket
//! has mode 0600, so the daemon's user and root alone can use it. The daemon's end is `server.rs`.

mod server;

pub(crate) use self::server::{Operator, Rescan, serve};

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream as BlockingStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use refiner_content::Excerpt;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_journal::{Action, Applied, Backup, Selection};
use rustix::fs::{Mode, fchmod};
use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixSocket};

/// The socket's name in the directory.
const NAME: &str = "control.sock";
/// Requests that wait to be accepted.
const WAITING_MAX: u32 = 16;
/// Bytes of a request or a reply: a hundred thousand item numbers.
pub const LINE_BYTES_MAX: u64 = 1 << 20;
/// Time for which a daemon that has the journal and no socket yet is waited for: it compiles its rules.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// Time limit for a line of the reply: an action on a hundred thousand items takes seconds.
const REPLY_DEADLINE: Duration = Duration::from_secs(120);
/// The part of it after which a command says what it waits for: a daemon that works on a request sends a line sooner.
const SILENT: Duration = Duration::from_secs(8);
/// Pause between two attempts to connect.
const CONNECT_AGAIN: Duration = Duration::from_millis(200);

/// A request to the daemon.
#[derive(Debug, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected an object with `selection` and `action`, with `scan`, or with `backup`, as `refiner journal` of this version sends"
)]
pub enum Request {
    /// A change of the items that are selected.
    Act { selection: Selection, action: Action },
    /// A scan of blocks that were scanned before.
    Scan { scan: Blocks },
    /// A copy of the journal.
    Backup { backup: BackupTo },
}

/// The place of a copy of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTo {
    /// Absolute path of the copy.
    pub to: PathBuf,
    /// Replaces a file that is there.
    pub force: bool,
}

/// Blocks from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    pub from: u64,
    /// `None` for the last that was scanned.
    pub to: Option<u64>,
}

/// The daemon's reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The outcome of an action on items.
    Applied(Applied),
    /// The outcome of a scan of blocks.
    Scanned(ScannedAgain),
    /// The copy that was made.
    BackedUp(Backup),
    /// The request is worked on; another line follows.
    Working,
    /// The request asks for what does not exist.
    Refused(String),
    /// The request could not be carried out.
    Error(String),
}

/// The outcome of scanning blocks once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedAgain {
    pub from: u64,
    pub to: u64,
    /// Announcements in the blocks.
    pub announcements: u64,
    /// Items that were not known.
    pub new: u64,
    /// Items that a reorganisation had withdrawn.
    pub again: u64,
    /// Items that were known and stay as they are.
    pub known: u64,
}

/// A daemon that holds the journal and did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No connection, or it broke.
    #[error("{}: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The daemon's journal refused.
    #[error("the running refiner answers: {0}")]
    Failed(Excerpt),
    /// The request asks for what does not exist.
    #[error("{0}")]
    Refused(Excerpt),
}

impl Diagnostic for ControlError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Socket { .. } | Self::Failed(_) => ExitCode::Host,
            Self::Refused(_) => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Socket { .. } => {
                Some("run it as the user of the running refiner, in the same container, or stop that refiner".into())
            }
            Self::Failed(_) | Self::Refused(_) => None,
        }
    }
}

/// The socket while a daemon listens on it. Dropping it removes the file.
pub struct ControlSocket {
    pub listener: UnixListener,
    path: PathBuf,
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next daemon.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Listens in the daemon's directory. The caller holds the journal, so a socket that is there is of a daemon that ended.
pub fn bind(data: &Path) -> io::Result<ControlSocket> {
    let path = data.join(NAME);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixSocket::new_stream()?;
    // Before it has a name, so that at no time another user can connect.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(&path)?;
    Ok(ControlSocket { listener: socket.listen(WAITING_MAX)?, path })
}

/// Has the daemon that holds the journal in `data` do `action`.
pub fn ask(data: &Path, selection: &Selection, action: Action) -> Result<Applied, ControlError> {
    match request(data, &Request::Act { selection: selection.clone(), action })? {
        Reply::Applied(applied) => Ok(applied),
        other => Err(unexpected(data, &other)),
    }
}

/// Has the daemon that holds the journal in `data` scan blocks again, however long that takes.
pub fn scan(data: &Path, blocks: Blocks) -> Result<ScannedAgain, ControlError> {
    match request(data, &Request::Scan { scan: blocks })? {
        Reply::Scanned(scanned) => Ok(scanned),
        other => Err(unexpected(data, &other)),
    }
}

/// Has the daemon that answers in `data` copy its journal; `None` where none does.
pub fn backup(data: &Path, to: BackupTo) -> Result<Option<Backup>, ControlError> {
    // One that is bound and does not listen yet has no connection either: a copy then needs no daemon.
    let Ok(mut stream) = BlockingStream::connect(data.join(NAME)) else { return Ok(None) };
    match reply(data, &mut stream, &Request::Backup { backup: to })? {
        Reply::BackedUp(backup) => Ok(Some(backup)),
        other => Err(unexpected(data, &other)),
    }
}

fn request(data: &Path, request: &Request) -> Result<Reply, ControlError> {
    let path = data.join(NAME);
    let mut stream = connect(&path).map_err(|source| ControlError::Socket { path, source })?;
    reply(data, &mut stream, request)
}

fn reply(data: &Path, stream: &mut BlockingStream, request: &Request) -> Result<Reply, ControlError> {
    let exchanged = exchange(stream, request, Deadline { silent: SILENT, whole: REPLY_DEADLINE });
    match exchanged.map_err(|source| ControlError::Socket { path: data.join(NAME), source })? {
        Reply::Error(error) => Err(ControlError::Failed(Excerpt::of(error.as_bytes()))),
        Reply::Refused(reason) => Err(ControlError::Refused(Excerpt::of(reason.as_bytes()))),
        reply => Ok(reply),
    }
}

fn unexpected(data: &Path, reply: &Reply) -> ControlError {
    let source = io::Error::new(io::ErrorKind::InvalidData, format!("unexpected reply {reply:?}"));
    ControlError::Socket { path: data.join(NAME), source }
}

fn connect(path: &Path) -> io::Result<BlockingStream> {
    let begun = Instant::now();
    loop {
        match BlockingStream::connect(path) {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
                    && begun.elapsed() < START_DEADLINE =>
            {
                thread::sleep(CONNECT_AGAIN);
            }
            connected => return connected,
        }
    }
}

fn exchange(stream: &mut BlockingStream, request: &Request, deadline: Deadline) -> io::Result<Reply> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reader = BufReader::new(stream);
    loop {
        match serde_json::from_slice(&read_line(&mut reader, deadline)?)? {
            Reply::Working => {}
            reply => return Ok(reply),
        }
    }
}

/// Time limit for a line, and the part of it after which the wait is in the log.
#[derive(Clone, Copy)]
struct Deadline {
    silent: Duration,
    whole: Duration,
}

fn read_line(reader: &mut BufReader<&mut BlockingStream>, deadline: Deadline) -> io::Result<Vec<u8>> {
    let Deadline { silent, whole } = deadline;
    let mut line = Vec::new();
    for (wait, is_first) in [(silent, true), (whole.saturating_sub(silent), false)] {
        reader.get_ref().set_read_timeout(Some(wait))?;
        let room = LINE_BYTES_MAX.saturating_sub(line.len() as u64);
        match reader.by_ref().take(room).read_until(b'\n', &mut line) {
            // What was read of the line is kept.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            read => return read.map(|_| line),
        }
        if is_first {
            tracing::warn!(
                silent_s = silent.as_secs(),
                at_most_s = whole.as_secs(),
                hint = "a process that was stopped (SIGSTOP, a paused container) answers when it goes on",
                "running refiner does not answer, waiting"
            );
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", whole.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(deadline: Deadline, after: Duration) -> io::Result<Reply> {
        let (mut ours, mut theirs) = BlockingStream::pair().unwrap();
        let peer = thread::spawn(move || {
            theirs.write_all(b"\"working\"\n{\"refus").unwrap();
            thread::sleep(after);
            // One that was given up has closed its end.
            let _ = theirs.write_all(b"ed\":\"no\"}\n");
        });
        let reply = exchange(&mut ours, &Request::Scan { scan: Blocks { from: 1, to: None } }, deadline);
        drop(ours);
        peer.join().unwrap();
        reply
    }

    #[test]
    fn daemon_that_is_silent_for_long_is_waited_for_up_to_the_time_limit() {
        let [short, long] = [20, 60_000].map(Duration::from_millis);
        let reply = answered(Deadline { silent: short, whole: long }, 5 * short).unwrap();
        assert!(matches!(&reply, Reply::Refused(reason) if reason == "no"), "{reply:?}");
        let error = answered(Deadline { silent: short, whole: 2 * short }, 20 * short).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::TimedOut, "no answer within 0 s"));
    }

    #[test]
    fn request_of_no_known_form_is_answered_with_the_forms_that_are() {
        for text in ["{}", "{\"scan\":7}"] {
            let error = serde_json::from_str::<Request>(text).unwrap_err().to_string();
            assert!(error.starts_with("expected an object with `selection` and `action`"), "{error}");
        }
    }
}
