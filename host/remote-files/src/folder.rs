//! A prefix of an object store, into which files are written.

use std::{
    fmt, io,
    path::{Path as LocalPath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, FuturesUnordered},
};
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion, path::Path,
};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
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
pub struct Sending(JoinHandle<Result<bool, RemoteError>>);

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

    /// The length of each of these files as the store has it now, without a listing; none of those that are not there.
    ///
    /// # Errors
    ///
    /// The store does not answer, or refuses.
    pub fn lengths(&self, paths: &[String]) -> Result<Vec<Option<u64>>, RemoteError> {
        let asked = stream::iter(paths).map(|path| self.length(path)).buffered(REQUESTS_MAX);
        self.network.runtime.block_on(asked.try_collect())
    }

    /// Reads a file of at most so many bytes; none where there is none.
    ///
    /// # Errors
    ///
    /// The store does not answer or refuses, or the file is longer.
    pub fn read(&self, path: &str, bytes_max: u64) -> Result<Option<(Bytes, Mark)>, RemoteError> {
        self.network.runtime.block_on(self.get(path, bytes_max))
    }

    /// Reads many files of at most so many bytes each, in the order of their paths; none of those that are not there.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_all(&self, paths: &[String], bytes_max: u64) -> Result<Vec<Option<Bytes>>, RemoteError> {
        let reading = stream::iter(paths).map(|path| self.get(path, bytes_max)).buffered(REQUESTS_MAX);
        let read = self.network.runtime.block_on(reading.try_collect::<Vec<_>>())?;
        Ok(read.into_iter().map(|read| read.map(|(bytes, _)| bytes)).collect())
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
        self.network.runtime.block_on(self.put(path, bytes, condition))
    }

    /// Sends files of this machine, each with its path in the store, and when all are there writes the last one under a condition. The
    /// files are removed here once they are there.
    pub fn send(&self, files: Vec<(PathBuf, String)>, last: (String, Bytes), condition: Condition) -> Sending {
        let folder = self.clone();
        Sending(self.network.runtime.spawn(async move {
            folder.put_files(&files).await?;
            let (path, bytes) = last;
            let is_there = folder.put(&path, &bytes, &condition).await? || folder.has(&path, &bytes).await?;
            for (file, _) in &files {
                // What stays is removed with its directory.
                let _ = tokio::fs::remove_file(file).await;
            }
            Ok(is_there)
        }))
    }

    /// Waits until files are there. Returns false where the condition of the last one did not hold, and other bytes are there.
    ///
    /// # Errors
    ///
    /// The store does not answer or refuses, or a file of this machine cannot be read.
    pub fn wait(&self, Sending(sending): Sending) -> Result<bool, RemoteError> {
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

    /// True where a file that stood in the way of a new one has the same bytes: another run wrote them, or this one with a request whose
    /// answer was lost. One that is gone by now is written.
    async fn has(&self, path: &str, bytes: &Bytes) -> Result<bool, RemoteError> {
        match self.length(path).await? {
            None => self.put(path, bytes, &Condition::Always).await,
            Some(length) if length != bytes.len() as u64 => Ok(false),
            Some(length) => Ok(self.get(path, length).await?.is_some_and(|(there, _)| there == *bytes)),
        }
    }

    async fn length(&self, path: &str) -> Result<Option<u64>, RemoteError> {
        match self.store.head(&self.location(path)).await {
            Ok(object) => Ok(Some(object.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.refused(path, &error)),
        }
    }

    /// Writes a file as a whole where the condition holds, or where the store knows none.
    async fn put(&self, path: &str, bytes: &Bytes, condition: &Condition) -> Result<bool, RemoteError> {
        let mode = match condition {
            Condition::Always => PutMode::Overwrite,
            Condition::New => PutMode::Create,
            Condition::Unchanged(Mark(version)) => PutMode::Update(version.clone()),
        };
        let _permit = self.sending.acquire().await;
        let location = self.location(path);
        let put = |mode: PutMode| {
            let options = PutOptions { mode, ..PutOptions::default() };
            self.store.put_opts(&location, PutPayload::from_bytes(bytes.clone()), options)
        };
        match put(mode).await {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. }
                | object_store::Error::NotModified { .. },
            ) => Ok(false),
            Err(object_store::Error::NotImplemented { .. }) => {
                put(PutMode::Overwrite).await.map(|_| true).map_err(|error| self.refused(path, &error))
            }
            Err(error) => Err(self.refused(path, &error)),
        }
    }

    /// Sends files of this machine. After a failure no more begin, and those under way come to their end: an upload that is only dropped
    /// would stay open in the store, which charges for it.
    async fn put_files(&self, files: &[(PathBuf, String)]) -> Result<(), RemoteError> {
        let mut waiting = files.iter();
        let mut sending = FuturesUnordered::new();
        let mut ended = Ok(());
        loop {
            while ended.is_ok()
                && sending.len() < REQUESTS_MAX
                && let Some((file, path)) = waiting.next()
            {
                sending.push(self.put_file(file, path));
            }
            match sending.next().await {
                Some(sent) => ended = ended.and(sent),
                None => return ended,
            }
        }
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
        self.put_in_parts(&mut open, path).await.map_err(|fault| match fault {
            PartFault::Read(error) => local(error),
            PartFault::Sent(error) => self.refused(path, &error),
        })
    }

    async fn put_in_parts(&self, file: &mut (impl AsyncRead + Unpin), path: &str) -> Result<(), PartFault> {
        let mut upload = self.store.put_multipart(&self.location(path)).await.map_err(PartFault::Sent)?;
        let sent = put_parts(&mut *upload, file).await;
        if sent.is_err() {
            // The store charges for the parts of an upload that stays open. Where this fails too, only its own rules remove them.
            let _ = upload.abort().await;
        }
        sent
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

/// Reasons for which the parts of a file are not in the store.
enum PartFault {
    Read(io::Error),
    Sent(object_store::Error),
}

/// Sends a file in parts, and ends the upload with the last.
async fn put_parts(upload: &mut dyn MultipartUpload, file: &mut (impl AsyncRead + Unpin)) -> Result<(), PartFault> {
    loop {
        let next = part(file).await.map_err(PartFault::Read)?;
        if next.is_empty() {
            return upload.complete().await.map(drop).map_err(PartFault::Sent);
        }
        upload.put_part(next.into()).await.map_err(PartFault::Sent)?;
    }
}

/// The next bytes of a file, a part of them or what is left.
async fn part(file: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    file.take(PART_BYTES as u64).read_to_end(&mut bytes).await?;
    Ok(bytes.into())
}

impl fmt::Debug for StoreFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFolder").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Cursor,
        pin::Pin,
        task::{Context, Poll},
    };

    use refiner_teststore::TestStore;
    use tokio::io::ReadBuf;

    use super::*;
    use crate::{RemoteFiles, Terms};

    /// A file that cannot be read.
    struct Unreadable;

    impl AsyncRead for Unreadable {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
        }
    }

    #[test]
    fn upload_of_a_file_that_cannot_be_read_to_its_end_does_not_stay_open() {
        let store = TestStore::start();
        store.put("bucket", "there", b"");
        let variables = store.variables().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let folder = RemoteFiles::new(Terms { variables, ..Terms::default() }).folder("s3://bucket/a").unwrap();
        let mut file = Cursor::new(vec![7; PART_BYTES]).chain(Unreadable);
        let ended = folder.network.runtime.block_on(folder.put_in_parts(&mut file, "large"));
        assert!(matches!(ended, Err(PartFault::Read(_))));
        let requests = store.requests();
        let methods: Vec<_> = requests.iter().map(|line| line.split_once(' ').unwrap().0).collect();
        assert_eq!(methods, ["POST", "PUT", "DELETE"], "{requests:?}");
    }
}
