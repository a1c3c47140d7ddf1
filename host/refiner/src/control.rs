//! The socket in the daemon's directory, through which an operator's commands reach the journal that the daemon holds.
//!
//! One request, one reply, each a line of JSON. The socket has mode 0600, so the daemon's user and root alone can use it.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream as BlockingStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use refiner_content::Excerpt;
use refiner_diagnostics::{Diagnostic, ErrorChain, ExitCode, Hint};
use refiner_journal::{Action, Applied, Selection};
use rustix::fs::{Mode, fchmod};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixSocket, UnixStream},
};
use tokio_util::sync::CancellationToken;

/// The socket's name in the directory.
const NAME: &str = "control.sock";
/// Requests that wait to be accepted.
const WAITING_MAX: u32 = 16;
/// Bytes of a request or a reply: a hundred thousand item numbers.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Time limit for a request to arrive, and for its reply to be taken.
const LINE_DEADLINE: Duration = Duration::from_secs(10);
/// Time for which a daemon that has the journal and no socket yet is waited for: it compiles its rules.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// Time limit for the reply: an action on a hundred thousand items takes seconds.
const REPLY_DEADLINE: Duration = Duration::from_secs(120);
/// Pause between two attempts to connect.
const CONNECT_AGAIN: Duration = Duration::from_millis(200);

/// A request to the daemon.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    selection: Selection,
    action: Action,
}

/// The daemon's reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Applied(Applied),
    Error(String),
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
}

impl Diagnostic for ControlError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Socket { .. } => {
                Some("run it as the user of the running refiner, in the same container, or stop that refiner".into())
            }
            Self::Failed(_) => None,
        }
    }
}

/// The socket while a daemon listens on it. Dropping it removes the file.
pub struct ControlSocket {
    listener: UnixListener,
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

/// Answers requests until `stop`, one after the other.
pub async fn serve<E: std::error::Error>(
    socket: ControlSocket,
    stop: CancellationToken,
    apply: impl Fn(&Selection, Action) -> Result<Applied, E>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let answered = match accepted {
            Ok((stream, _)) => tokio::time::timeout(LINE_DEADLINE, answer(stream, &apply)).await,
            Err(error) => Ok(Err(error)),
        };
        if let Ok(Err(error)) = answered {
            tracing::warn!(%error, "control request failed");
        }
    }
}

async fn answer<E: std::error::Error>(
    stream: UnixStream,
    apply: impl Fn(&Selection, Action) -> Result<Applied, E>,
) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    tokio::io::BufReader::new(reader.take(LINE_BYTES_MAX)).read_until(b'\n', &mut line).await?;
    let reply = match serde_json::from_slice::<Request>(&line) {
        Ok(Request { selection, action }) => match apply(&selection, action) {
            Ok(applied) => {
                tracing::info!(
                    ?action,
                    changed = applied.changed,
                    kept = applied.kept,
                    "journal changed by the operator"
                );
                Reply::Applied(applied)
            }
            Err(error) => Reply::Error(ErrorChain(&error).to_string()),
        },
        Err(error) => Reply::Error(format!("unreadable request: {error}")),
    };
    let mut text = serde_json::to_vec(&reply)?;
    text.push(b'\n');
    writer.write_all(&text).await
}

/// Has the daemon that holds the journal in `data` do `action`.
pub fn ask(data: &Path, selection: &Selection, action: Action) -> Result<Applied, ControlError> {
    let path = data.join(NAME);
    let socket = |source| ControlError::Socket { path: path.clone(), source };
    let mut stream = connect(&path).map_err(socket)?;
    match exchange(&mut stream, &Request { selection: selection.clone(), action }).map_err(socket)? {
        Reply::Applied(applied) => Ok(applied),
        Reply::Error(error) => Err(ControlError::Failed(Excerpt::of(error.as_bytes()))),
    }
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

fn exchange(stream: &mut BlockingStream, request: &Request) -> io::Result<Reply> {
    stream.set_read_timeout(Some(REPLY_DEADLINE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut reply)?;
    Ok(serde_json::from_str(&reply)?)
}
