//! The daemon's end of the control socket: what an operator's commands do to the journal that it holds.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use refiner_diagnostics::{Diagnostic as _, ErrorChain, ExitCode};
use refiner_journal::{BackupError, JournalReader, State};
use refiner_proofchain::ProofChain;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{BackupTo, Blocks, ControlSocket, LINE_BYTES_MAX, Reply, Request, ScannedAgain};
use crate::{
    config::Settings,
    scan::{
        Reorganisations,
        again::{Again, ScanAgainError, blocks},
    },
    state::{journal_handle::JournalHandle, targets::Targets},
};

/// Time limit for a request to arrive, and for a line of its reply to be taken.
const LINE_DEADLINE: Duration = Duration::from_secs(10);
/// Pause between two lines that show a command that its request is worked on.
const WORKING_EVERY: Duration = Duration::from_secs(5);
/// Pause after the system refused a connection, usually for want of descriptors: the next attempt would fail at once as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Requests that are worked on at once.
const REQUESTS_MAX: usize = 16;

/// The parts of the daemon that commands reach.
#[derive(Clone)]
pub struct Operator {
    pub journal: JournalHandle,
    pub settings: Arc<Settings>,
    /// Set once the chain was reached.
    pub rescan: Arc<OnceLock<Rescan>>,
    /// Cancelled when the daemon is to stop.
    pub stop: CancellationToken,
    /// One scan at a time: a second one would ask the nodes for the same.
    scans: Arc<Semaphore>,
}

impl Operator {
    pub fn new(journal: JournalHandle, settings: Arc<Settings>, stop: CancellationToken) -> Self {
        let (rescan, scans) = (Arc::new(OnceLock::new()), Arc::new(Semaphore::new(1)));
        Self { journal, settings, rescan, stop, scans }
    }
}

/// The needs of a scan that an operator asks for.
#[derive(Clone)]
pub struct Rescan {
    pub chain: ProofChain,
    pub targets: Arc<Targets>,
    pub reorganisations: Reorganisations,
}

/// Answers requests until `ended`. Without the socket everything works but an operator's commands on the journal.
pub async fn serve(socket: io::Result<ControlSocket>, operator: Operator, ended: CancellationToken) {
    let socket = match socket {
        Ok(socket) => socket,
        Err(error) => {
            tracing::warn!(%error, hint = "stop refiner to change its journal", "control socket unavailable");
            return;
        }
    };
    let mut answers = JoinSet::new();
    loop {
        if answers.len() >= REQUESTS_MAX {
            answers.join_next().await;
        }
        tokio::select! {
            stream = accept(&socket.listener) => drop(answers.spawn(answer(stream, operator.clone()))),
            Some(_) = answers.join_next() => {}
            () = ended.cancelled() => return,
        }
    }
}

/// The next connection.
async fn accept(listener: &UnixListener) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "control connection not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(stream: UnixStream, operator: Operator) {
    if let Err(error) = converse(stream, &operator).await {
        tracing::warn!(%error, "control request failed");
    }
}

async fn converse(stream: UnixStream, operator: &Operator) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader.take(LINE_BYTES_MAX));
    timeout(LINE_DEADLINE, reader.read_until(b'\n', &mut line)).await.map_err(io::Error::from)??;
    // A command that ended before it asked for anything.
    if line.is_empty() {
        return Ok(());
    }
    let reply = match serde_json::from_slice::<Request>(&line) {
        Ok(Request::Act { selection, action }) => match operator.journal.apply(&selection, action) {
            Ok(applied) => {
                let (changed, kept) = (applied.changed, applied.kept);
                tracing::info!(?action, changed, kept, "journal changed by the operator");
                Reply::Applied(applied)
            }
            Err(error) => Reply::Error(ErrorChain(&error).to_string()),
        },
        Ok(Request::Scan { scan }) => scan_again(operator, scan, &mut writer).await?,
        Ok(Request::Backup { backup }) => back_up(operator, backup, &mut writer).await?,
        Err(error) => Reply::Error(format!("unreadable request: {error}")),
    };
    write(&mut writer, &reply).await
}

async fn write(writer: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut text = serde_json::to_vec(reply)?;
    text.push(b'\n');
    timeout(LINE_DEADLINE, writer.write_all(&text)).await.map_err(io::Error::from)?
}

/// Copies the journal through a connection of its own, so that no stage waits. A copy that was begun is finished, also when its command is gone.
async fn back_up(
    operator: &Operator,
    BackupTo { to, force }: BackupTo,
    writer: &mut OwnedWriteHalf,
) -> io::Result<Reply> {
    let journal = operator.settings.data.join("journal.sqlite");
    let copied_to = to.clone();
    let mut copy = spawn_blocking(move || JournalReader::open(&journal)?.backup(&copied_to, force));
    loop {
        tokio::select! {
            copied = &mut copy => return Ok(match copied? {
                Ok(backup) => {
                    tracing::info!(to = %to.display(), items = backup.items, bytes = backup.bytes, "journal copied for the operator");
                    Reply::BackedUp(backup)
                }
                Err(error) => refusal_of_copy(&error),
            }),
            () = sleep(WORKING_EVERY) => write(writer, &Reply::Working).await?,
        }
    }
}

fn refusal_of_copy(error: &BackupError) -> Reply {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    let text = format!("{}{hint}", ErrorChain(error));
    if error.exit_code() == ExitCode::Usage { Reply::Refused(text) } else { Reply::Error(text) }
}

/// Scans blocks again beside the daemon's own scan. A command that was interrupted takes no more lines, which ends its scan.
async fn scan_again(operator: &Operator, asked: Blocks, writer: &mut OwnedWriteHalf) -> io::Result<Reply> {
    let Some(rescan) = operator.rescan.get() else {
        return Ok(Reply::Error(
            "the proof chain was not reached yet; `waitsFor` in /status names the cause".to_owned(),
        ));
    };
    let Ok(_permit) = operator.scans.try_acquire() else {
        return Ok(Reply::Error("another scan is under way".to_owned()));
    };
    let scan = scan(operator, rescan, asked);
    tokio::pin!(scan);
    loop {
        tokio::select! {
            scanned = &mut scan => return Ok(match scanned {
                Ok(scanned) => Reply::Scanned(scanned),
                Err(error) if error.exit_code() == ExitCode::Usage => Reply::Refused(ErrorChain(&error).to_string()),
                Err(error) => Reply::Error(ErrorChain(&error).to_string()),
            }),
            () = sleep(WORKING_EVERY) => write(writer, &Reply::Working).await?,
            () = operator.stop.cancelled() => return Ok(Reply::Error("refiner is shutting down".to_owned())),
        }
    }
}

async fn scan(operator: &Operator, rescan: &Rescan, asked: Blocks) -> Result<ScannedAgain, ScanAgainError> {
    let journal = &operator.journal;
    let blocks = blocks(asked.from, asked.to, journal.with(|journal| journal.cursor())?)?;
    let Rescan { chain, targets, reorganisations } = rescan;
    let (seen, targets) = (reorganisations.count(), targets.all());
    let Settings { scan: config, retry, .. } = &*operator.settings;
    let again = Again { chain, config, targets: &targets, retry: *retry };
    let scanned = again.scan(blocks, |announcements, targets, now_ms| {
        let scanned = journal.with(|journal| {
            // What was read before a reorganisation may be announced no more.
            let is_of_the_chain = seen == reorganisations.count();
            is_of_the_chain.then(|| journal.scanned_again(announcements, targets, now_ms)).transpose()
        })?;
        let scanned = scanned.ok_or(ScanAgainError::Reorganised)?;
        let items = scanned.new + scanned.again;
        journal.metrics.announced(items);
        if items > 0 {
            journal.notify(State::Announced);
        }
        Ok(scanned)
    });
    scanned.await
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use rustix::time::{ClockId, clock_gettime};

    use super::*;

    fn processor_time() -> Duration {
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
    }

    #[tokio::test]
    async fn socket_that_gives_no_connection_is_asked_again_after_a_pause() {
        // A socket that does not listen and is readable: `accept` fails at once, as for want of descriptors.
        let (socket, other) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(other);
        socket.set_nonblocking(true).unwrap();
        let listener = UnixListener::from_std(OwnedFd::from(socket).into()).unwrap();
        timeout(LINE_DEADLINE, listener.accept()).await.unwrap().unwrap_err();
        let before = processor_time();
        timeout(Duration::from_secs(1), accept(&listener)).await.unwrap_err();
        let taken = processor_time().saturating_sub(before);
        assert!(taken < Duration::from_millis(100), "{taken:?} of one second");
    }
}
