//! The thread that starts workers.
//!
//! The kernel sends a parent-death signal when the *thread* that started a child ends. Threads that run jobs come and go, so
//! one thread that lives as long as the pool starts them all.

use std::{
    io,
    sync::mpsc::{Sender, SyncSender, channel, sync_channel},
    thread::{self, JoinHandle},
};

use super::WorkerFailure;
use crate::{ChildCommand, process::Process};

type Started = io::Result<Process>;

/// Starts workers. They die when it is dropped, at the latest.
pub(super) struct Spawner {
    /// `None` while it is dropped.
    requests: Option<Sender<SyncSender<Started>>>,
    thread: Option<JoinHandle<()>>,
}

impl Spawner {
    pub(super) fn start(command: ChildCommand) -> io::Result<Self> {
        let (requests, asked) = channel::<SyncSender<Started>>();
        let thread = thread::Builder::new().name("worker-starts".to_owned()).spawn(move || {
            for reply in asked {
                // The caller may have panicked since; then the process is dropped, which ends it.
                let _ = reply.send(Process::spawn(&command));
            }
        })?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    pub(super) fn spawn(&self) -> Result<Process, WorkerFailure> {
        let gone = || WorkerFailure::Spawn(io::ErrorKind::BrokenPipe.into());
        let (reply, started) = sync_channel(1);
        self.requests.as_ref().ok_or_else(gone)?.send(reply).map_err(|_| gone())?;
        started.recv().map_err(|_| gone())?.map_err(WorkerFailure::Spawn)
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}
