//! A prefix of an object store, into which files are written.

use std::{
    fmt,
    path::{Path as LocalPath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{
    MultipartUpload as _, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion, path::Path,
};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Semaphore,
    task::JoinHandle,
};

use crate::{
    error::{ReadFault, RemoteError},
    kind::StoreKind,
    limits::REQUESTS_MAX,
    network::Network,
    objects::Objects,
};

/// Bytes of a part of a file that is not sent at once. Stores take at most 10,000 parts.
const PART_BYTES: usize = 16 << 20;

/// A prefix of an object store, into which files are written.
#[derive(Clone)]
pub struct StoreFolder {
    pub(crate) name: String,
    pub(crate) kind: StoreKind,
    pub(crate) prefix: Path,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) network: Arc<Network>,
    /// Requests with a body, of which each has a part of a file in memory.
    pub(crate) sending: Arc<Semaphore>,
}

/// The state of an object when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(UpdateVersion);

/// The condition for writing an object.
#[derive(Clone, Debug)]
pub enum Condition {
    /// None.
    Always,
    /// There is no object of the name.
    New,
    /// The object is the one that was read.
    Unchanged(Mark),
}

/// Files that are on their way into a store.
#[derive(Debug)]
pub struct Sending(JoinHandle<Result<(), RemoteError>>);

impl StoreFolder {
    /// The folder that is open for a URL, at most so many requests with a body at once.
    pub(crate) fn new(
        name: String,
        kind: StoreKind,
        key: &str,
        store: Arc<dyn ObjectStore>,
        network: Arc<Network>,
    ) -> Result<Self, RemoteError> {
        let prefix = Path::parse(key.trim_end_matches('/')).map_err(|source| RemoteError::Store {
            name: name.clone(),
            kind: Some(kind),
            fault: ReadFault::of(&object_store::Error::InvalidPath { source }),
        })?;
        Ok(Self { name, kind, prefix, store, network, sending: Arc::new(Semaphore::new(REQUESTS_MAX)) })
    }

    /// The URL, without anything secret.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The files in it with their lengths, by their paths below it.
    ///
    /// # Errors
    ///
    /// The store does not answer or refuses, or has more than [`OBJECTS_MAX`](crate::OBJECTS_MAX) objects there.
    pub fn list(&self) -> Result<Vec<(String, u64)>, RemoteError> {
        self.network.runtime.block_on(async {
            let mut files = Vec::new();
            let mut listed = Objects::below(&*self.store, &self.prefix, &self.name, self.kind, self.network.listing);
            while let Some(object) = listed.next().await? {
                if let Some(parts) = object.location.prefix_match(&self.prefix) {
                    let path = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
                    files.push((path, object.size));
                }
            }
            Ok(files)
        })
    }

    /// Reads a file of at most so many bytes; none where there is none.
    ///
    /// # Errors
    ///
    /// The store does not answer or refuses, or the file is longer.
    pub fn read(&self, path: &str, bytes_max: u64) -> Result<Option<(Bytes, Mark)>, RemoteError> {
        self.network.runtime.block_on(self.get(path, bytes_max))
    }

    /// Reads many files of at most so many bytes each, without those that are not there, in the order of their paths.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_all(&self, paths: &[String], bytes_max: u64) -> Result<Vec<Bytes>, RemoteError> {
        let reading = stream::iter(paths).map(|path| self.get(path, bytes_max)).buffered(REQUESTS_MAX);
        let read = self.network.runtime.block_on(reading.try_collect::<Vec<_>>())?;
        Ok(read.into_iter().flatten().map(|(bytes, _)| bytes).collect())
    }

    /// Copies a file to this machine. Returns false where there is none.
    ///
    /// # Errors
    ///
    /// The store does not answer or refuses, or the operating system refuses the copy.
    pub fn fetch(&self, path: &str, to: &LocalPath) -> Result<bool, RemoteError> {
        let local = |source| RemoteError::Local { path: to.to_owned(), source };
        self.network.runtime.block_on(async {
            let answer = match self.store.get(&self.location(path)).await {
                Ok(answer) => answer,
                Err(object_store::Error::NotFound { .. }) => return Ok(false),
                Err(error) => return Err(self.refused(path, &error)),
            };
            let mut pieces = answer.into_stream();
            let mut copy = File::create(to).await.map_err(local)?;
            while let Some(piece) = pieces.try_next().await.map_err(|error| self.refused(path, &error))? {
                copy.write_all(&piece).await.map_err(local)?;
            }
            copy.flush().await.map_err(local)?;
            Ok(true)
        })
    }

    /// Writes a file as a whole. Returns false where the condition does not hold. A store that knows no conditions writes always.
    ///
    /// # Errors
    ///
    /// The store does not answer, or refuses.
    pub fn write(&self, path: &str, bytes: &Bytes, condition: &Condition) -> Result<bool, RemoteError> {
        let mode = match condition {
            Condition::Always => PutMode::Overwrite,
            Condition::New => PutMode::Create,
            Condition::Unchanged(Mark(version)) => PutMode::Update(version.clone()),
        };
        let put = |mode: PutMode| {
            let options = PutOptions { mode, ..PutOptions::default() };
            let location = self.location(path);
            let bytes = bytes.clone();
            self.network.runtime.block_on(async move { self.store.put_opts(&location, bytes.into(), options).await })
        };
        match put(mode) {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. }
                | object_store::Error::NotModified { .. },
            ) => Ok(false),
            Err(object_store::Error::NotImplemented { .. }) => {
                put(PutMode::Overwrite).map(|_| true).map_err(|error| self.refused(path, &error))
            }
            Err(error) => Err(self.refused(path, &error)),
        }
    }

    /// Sends files of this machine, each with its path in the store, and when all are there writes the last one. The files are
    /// removed here once they are there.
    pub fn send(&self, files: Vec<(PathBuf, String)>, last: (String, Bytes)) -> Sending {
        let folder = self.clone();
        Sending(self.network.runtime.spawn(async move {
            let sent = stream::iter(files.clone()).map(|(file, path)| {
                let folder = folder.clone();
                async move { folder.put_file(&file, &path).await }
            });
            sent.buffer_unordered(REQUESTS_MAX).try_collect::<()>().await?;
            folder.put(&last.0, last.1).await?;
            for (file, _) in &files {
                // What stays is removed with its directory.
                let _ = tokio::fs::remove_file(file).await;
            }
            Ok(())
        }))
    }

    /// Waits until files are there.
    ///
    /// # Errors
    ///
    /// The store does not answer or refuses, or a file of this machine cannot be read.
    pub fn wait(&self, Sending(sending): Sending) -> Result<(), RemoteError> {
        let ended = self.network.runtime.block_on(sending);
        ended.map_err(|_| self.fault("", ReadFault::Ended))?
    }

    /// Removes files, whether they are there or not.
    ///
    /// # Errors
    ///
    /// The store does not answer, or refuses.
    pub fn remove(&self, paths: &[String]) -> Result<(), RemoteError> {
        let removed = stream::iter(paths).map(|path| async move {
            match self.store.delete(&self.location(path)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.refused(path, &error)),
            }
        });
        self.network.runtime.block_on(removed.buffer_unordered(REQUESTS_MAX).try_collect())
    }

    async fn get(&self, path: &str, bytes_max: u64) -> Result<Option<(Bytes, Mark)>, RemoteError> {
        let answer = match self.store.get(&self.location(path)).await {
            Ok(answer) => answer,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.refused(path, &error)),
        };
        if answer.meta.size > bytes_max {
            return Err(self.fault(path, ReadFault::TooLarge { found: answer.meta.size, limit: bytes_max }));
        }
        let mark = Mark(UpdateVersion { e_tag: answer.meta.e_tag.clone(), version: answer.meta.version.clone() });
        let bytes = answer.bytes().await.map_err(|error| self.refused(path, &error))?;
        Ok(Some((bytes, mark)))
    }

    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), RemoteError> {
        let _permit = self.sending.acquire().await;
        let put = self.store.put(&self.location(path), PutPayload::from_bytes(bytes)).await;
        put.map(drop).map_err(|error| self.refused(path, &error))
    }

    /// Sends a file of this machine, in parts where it is large.
    async fn put_file(&self, file: &LocalPath, path: &str) -> Result<(), RemoteError> {
        let local = |source| RemoteError::Local { path: file.to_owned(), source };
        let mut open = File::open(file).await.map_err(local)?;
        let bytes = open.metadata().await.map_err(local)?.len();
        let _permit = self.sending.acquire().await;
        if bytes <= PART_BYTES as u64 {
            let whole = part(&mut open).await.map_err(local)?;
            let put = self.store.put(&self.location(path), whole.into()).await;
            return put.map(drop).map_err(|error| self.refused(path, &error));
        }
        let refused = |error: object_store::Error| self.refused(path, &error);
        let mut upload = self.store.put_multipart(&self.location(path)).await.map_err(refused)?;
        loop {
            let next = part(&mut open).await.map_err(local)?;
            if next.is_empty() {
                return upload.complete().await.map(drop).map_err(refused);
            }
            if let Err(error) = upload.put_part(next.into()).await {
                // What stays of it is no object; a store's own rules remove it.
                let _ = upload.abort().await;
                return Err(refused(error));
            }
        }
    }

    fn location(&self, path: &str) -> Path {
        Path::from_iter(self.prefix.parts().chain(Path::from(path).parts()))
    }

    fn refused(&self, path: &str, error: &object_store::Error) -> RemoteError {
        self.fault(path, ReadFault::of(error))
    }

    fn fault(&self, path: &str, fault: ReadFault) -> RemoteError {
        RemoteError::Store { name: format!("{}{path}", self.name), kind: Some(self.kind), fault }
    }
}

/// The next bytes of a file, a part of them or what is left.
async fn part(file: &mut File) -> std::io::Result<Bytes> {
    let mut bytes = Vec::new();
    file.take(PART_BYTES as u64).read_to_end(&mut bytes).await?;
    Ok(bytes.into())
}

impl fmt::Debug for StoreFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFolder").field("name", &self.name).finish_non_exhaustive()
    }
}
