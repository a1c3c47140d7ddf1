//! The lease by which one coordinator alone works on a queue: a key that is written by compare-and-set on its revision.
//!
//! No clock is compared with another's: a coordinator that finds the key watches whether it changes for as long as a lease lasts, by its own
//! monotonic clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use refiner_text::UntrustedText;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::{
    QueueError,
    limits::{AGAIN, LEASE},
    names::QueueId,
};

/// Key of the lease.
const LEADER: &str = "leader";
/// Bytes of a holder that are read.
const HOLDER_BYTES_MAX: usize = 4_096;
/// The last second of the year 9999, the last that can be written.
const SINCE_MAX: u64 = 253_402_300_799;
/// Looks at the key while a lease that was found lasts.
const LOOKS: u32 = 20;

/// The holder, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Holder {
    id: String,
    pub host: String,
    pub pid: u32,
    /// Seconds since 1970 by its clock, for people alone.
    pub since: u64,
}

impl Holder {
    /// This process.
    pub fn this() -> Self {
        let (host, pid) = (host_name(), std::process::id());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = Sha256::digest(format!("{host} {pid} {now:?}"));
        Self { id: const_hex::encode(&id[..8]), host, pid, since: now.as_secs() }
    }

    /// The holder in a value of the key.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes.get(..bytes.len().min(HOLDER_BYTES_MAX))?).ok()
    }

    /// For a person.
    pub fn who(&self) -> UntrustedText {
        UntrustedText::at_most(&format!("{} (process {})", self.host, self.pid), 200)
    }

    /// Time of its start, for a person.
    pub fn since(&self) -> UntrustedText {
        UntrustedText::new(&format!(
            "{} by its clock",
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.since.min(SINCE_MAX)))
        ))
    }

    fn bytes(&self) -> bytes::Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The key as it stands: its holder, and the revision that a write must name.
pub(crate) async fn look(store: &Store) -> Result<Option<(u64, Option<Holder>)>, QueueError> {
    let entry = store.entry(LEADER).await.map_err(QueueError::of("looking at the lease"))?;
    let held = entry.filter(|entry| entry.operation == Operation::Put);
    Ok(held.map(|entry| (entry.revision, Holder::read(&entry.value))))
}

/// A lease that is held.
#[derive(Debug)]
pub(crate) struct Lease {
    holder: Holder,
    revision: u64,
}

impl Lease {
    /// Takes the lease, where no other holds it or the other is gone. Takes as long as a lease lasts where one died.
    pub async fn take(store: &Store, queue: QueueId) -> Result<Self, QueueError> {
        let holder = Holder::this();
        let mut found: Option<(u64, Instant)> = None;
        loop {
            match look(store).await? {
                None => {
                    if let Some(revision) = create(store, &holder).await? {
                        return Ok(Self { holder, revision });
                    }
                }
                Some((revision, other)) => match found {
                    Some((before, _)) if before != revision => {
                        let (by, since) = other.map_or_else(Default::default, |other| (other.who(), other.since()));
                        return Err(QueueError::Held { queue, by, since });
                    }
                    Some((_, since)) if since.elapsed() >= LEASE => {
                        if let Some(revision) = update(store, &holder, revision).await? {
                            return Ok(Self { holder, revision });
                        }
                        found = None;
                    }
                    Some(_) => {}
                    None => {
                        let by = other.map(|other| other.who()).unwrap_or_default();
                        tracing::info!(%by, wait = ?LEASE, "lease found, waiting whether it is renewed");
                        found = Some((revision, Instant::now()));
                    }
                },
            }
            sleep(LEASE / LOOKS).await;
        }
    }

    /// Takes the lease also from another holder, for a caller that knows that no other coordinator of the queue lives.
    pub async fn take_over(store: &Store) -> Result<Self, QueueError> {
        let holder = Holder::this();
        loop {
            let taken = match look(store).await? {
                None => create(store, &holder).await?,
                Some((revision, _)) => update(store, &holder, revision).await?,
            };
            match taken {
                Some(revision) => return Ok(Self { holder, revision }),
                None => sleep(LEASE / LOOKS).await,
            }
        }
    }

    /// The holder's own name, unlike that of any other process.
    pub fn holder(&self) -> &str {
        &self.holder.id
    }

    /// Renews it. A bucket that lost its keys gets this one again.
    pub async fn renew(&mut self, store: &Store, queue: QueueId) -> Result<(), QueueError> {
        if let Some(revision) = update(store, &self.holder, self.revision).await? {
            self.revision = revision;
            return Ok(());
        }
        // An answer may have been lost: then the key is ours at another revision.
        match look(store).await? {
            Some((revision, Some(holder))) if holder == self.holder => self.revision = revision,
            Some(_) => return Err(QueueError::Lost { queue }),
            None => match create(store, &self.holder).await? {
                Some(revision) => self.revision = revision,
                None => sleep(AGAIN).await,
            },
        }
        Ok(())
    }

    /// Gives it back, so that a restart need not wait.
    pub async fn give_back(self, store: &Store) {
        let deleted =
            tokio::time::timeout(Duration::from_secs(1), store.delete_expect_revision(LEADER, Some(self.revision)));
        if !matches!(deleted.await, Ok(Ok(()))) {
            tracing::debug!("lease not given back, it ends by itself");
        }
    }
}

/// The revision of a key that was made, or `None` where it is there.
async fn create(store: &Store, holder: &Holder) -> Result<Option<u64>, QueueError> {
    match store.create(LEADER, holder.bytes()).await {
        Ok(revision) => Ok(Some(revision)),
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(QueueError::of("taking the lease")(error)),
    }
}

/// The new revision, or `None` where the key is at another than this.
async fn update(store: &Store, holder: &Holder, revision: u64) -> Result<Option<u64>, QueueError> {
    match store.update(LEADER, holder.bytes(), revision).await {
        Ok(revision) => Ok(Some(revision)),
        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
        Err(error) => Err(QueueError::of("renewing the lease")(error)),
    }
}
