//! From a source to bytes that were agreed on.

use std::{
    fs,
    io::Read as _,
    panic,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use oci_client::Reference;
use refiner_content::{
    AddressPolicy, ContentId, FetchBackend, Fetcher, Gateway, HedgePolicy, HttpLimits, SetupError, UrlFetcher,
    public_gateways,
};
use refiner_http_client::Egress;
use url::Url;

use crate::{
    COMPONENT_BYTES_MAX, Lock, Locked, MANIFEST_BYTES_MAX, RuleSource, Sha256, SourceError,
    cache::{Cache, Name},
    oci::{self, Oci},
};

/// Settings of the rule resolver.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where fetched components are kept, if anywhere. Made for its owner alone.
    pub cache: Option<PathBuf>,
    /// IPFS gateways in place of the public ones.
    pub gateways: Vec<String>,
    /// Bounds of every request.
    pub http: HttpLimits,
    /// The way that requests take out of this machine.
    pub egress: Egress,
}

impl Default for Settings {
    fn default() -> Self {
        let http = HttpLimits { body_bytes: COMPONENT_BYTES_MAX, ..HttpLimits::default() };
        Self { cache: None, gateways: Vec::new(), http, egress: Egress::default() }
    }
}

/// The bytes of a rule, and what was agreed on about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Their resolution, as the lock would hold it.
    pub locked: Locked,
    /// The component, or whatever is in its place, unchecked.
    pub bytes: Vec<u8>,
    /// The text of the manifest beside it, if it lies on this machine and has one.
    pub beside: Option<String>,
}

/// Resolves sources, under what was agreed on before.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    settings: Settings,
    lock: Lock,
    /// Whether only what is in the lock may be used.
    locked_only: bool,
}

/// The digest that the bytes must have.
#[derive(Clone, Copy)]
enum Pin<'a> {
    /// Anything: they are about to be agreed on.
    Open,
    /// The digest of the lock.
    Locked(&'a Locked),
    /// The digest of the argument, or none where the argument has no room for one.
    Argument,
}

impl Resolver {
    /// A resolver under a lock. With `locked_only` nothing is used that is not in it.
    pub const fn new(settings: Settings, lock: Lock, locked_only: bool) -> Self {
        Self { settings, lock, locked_only }
    }

    /// The bytes that a source names, checked against the argument's pin and the lock's.
    ///
    /// Blocks, for as long as servers take within the bounds.
    pub fn resolve(&self, source: &RuleSource) -> Result<Component, SourceError> {
        let unpinned = source.unpinned();
        let pin = match self.lock.get(&unpinned) {
            Some(locked) => Pin::Locked(locked),
            None if self.locked_only => return Err(SourceError::NotLocked(unpinned)),
            None => Pin::Argument,
        };
        let component = self.get(source, pin)?;
        if let Pin::Locked(locked) = pin {
            agree(&unpinned, locked, &component.locked)?;
        } else if !is_pinned(source) {
            let Locked { sha256: found, resolved: pinned, .. } = component.locked;
            return Err(SourceError::Unpinned { unpinned, found, pinned });
        }
        Ok(component)
    }

    /// The bytes that are there today, whatever the lock holds, to agree on them. A pin in the argument holds.
    pub fn look_up(&self, source: &RuleSource) -> Result<Component, SourceError> {
        self.get(source, Pin::Open)
    }

    fn get(&self, source: &RuleSource, pin: Pin<'_>) -> Result<Component, SourceError> {
        match source {
            RuleSource::File(path) => file(path),
            RuleSource::Url { url, sha256 } => self.web(source, url, *sha256, pin),
            RuleSource::Ipfs(id) => self.ipfs(*id, source),
            RuleSource::Oci(reference) => self.oci(reference, source, pin),
        }
    }

    fn web(
        &self,
        source: &RuleSource,
        url: &Url,
        argument: Option<Sha256>,
        pin: Pin<'_>,
    ) -> Result<Component, SourceError> {
        let locked = pin.sha256();
        if let (Some(argument), Some(locked)) = (argument, locked)
            && argument != locked
        {
            let source_name = source.unpinned();
            return Err(SourceError::Disagree {
                source_name,
                argument: argument.to_string(),
                locked: locked.to_string(),
            });
        }
        let pinned = argument.or(locked);
        if let Some(bytes) = pinned.and_then(|sha256| self.cached(&Name::Sha256(sha256))) {
            return Ok(fetched(source, bytes, |sha256| RuleSource::Url { url: url.clone(), sha256: Some(sha256) }));
        }
        // The user chose this address, so it may be one of this machine or of a private network.
        let Settings { egress, http, .. } = &self.settings;
        let web = UrlFetcher::through(egress, *http, AddressPolicy::Anywhere).map_err(SetupError::from)?;
        let bytes = wait(async { web.fetch(url).await?.check(|_| true).await })??.bytes().to_vec();
        let component = fetched(source, bytes, |sha256| RuleSource::Url { url: url.clone(), sha256: Some(sha256) });
        match pinned {
            Some(pinned) if pinned != component.locked.sha256 => Err(SourceError::Changed {
                source_name: source.unpinned(),
                pinned: pinned.to_string(),
                found: component.locked.sha256.to_string(),
            }),
            _ => {
                self.keep(&Name::Sha256(component.locked.sha256), &component.bytes);
                Ok(component)
            }
        }
    }

    fn ipfs(&self, id: ContentId, source: &RuleSource) -> Result<Component, SourceError> {
        let itself = |_| source.clone();
        if let Some(bytes) = self.cached(&Name::Content(id)) {
            return Ok(fetched(source, bytes, itself));
        }
        let Settings { egress, gateways, http, .. } = &self.settings;
        let gateways = match gateways.as_slice() {
            [] => public_gateways(egress, *http)?,
            named => named.iter().map(|base| Gateway::through(egress, base, *http)).collect::<Result<_, _>>()?,
        };
        let sources = gateways.into_iter().map(|gateway| Arc::new(gateway) as Arc<dyn FetchBackend>).collect();
        let bytes = wait(Fetcher::new(sources, None, HedgePolicy::default()).fetch(&id))??.content.bytes().to_vec();
        self.keep(&Name::Content(id), &bytes);
        Ok(fetched(source, bytes, itself))
    }

    fn oci(&self, reference: &Reference, source: &RuleSource, pin: Pin<'_>) -> Result<Component, SourceError> {
        let mut asked = reference.clone();
        if let Pin::Locked(locked) = pin {
            let agreed = locked.resolved.rsplit_once('@').map_or("", |(_, digest)| digest);
            match reference.digest() {
                Some(argument) if argument != agreed => {
                    return Err(SourceError::Disagree {
                        source_name: source.unpinned(),
                        argument: argument.to_owned(),
                        locked: agreed.to_owned(),
                    });
                }
                _ => asked = oci::pinned(reference, agreed.to_owned()),
            }
            if let Some(bytes) = self.cached(&Name::Sha256(locked.sha256)) {
                return Ok(fetched(source, bytes, |_| RuleSource::Oci(asked)));
            }
        }
        let oci = Oci::new(&self.settings.egress, &asked, self.settings.http)?;
        let (found, bytes) = wait(async {
            let found = oci.find(&asked).await?;
            let bytes = match self.cached(&Name::Sha256(found.sha256)) {
                Some(bytes) => bytes,
                None => oci.fetch(&found).await?,
            };
            Ok::<_, SourceError>((found, bytes))
        })??;
        self.keep(&Name::Sha256(found.sha256), &bytes);
        Ok(fetched(source, bytes, |_| RuleSource::Oci(found.pinned)))
    }

    fn cached(&self, name: &Name) -> Option<Vec<u8>> {
        Cache(self.settings.cache.clone()?).get(name)
    }

    /// Bytes that cannot be kept are fetched again the next time.
    fn keep(&self, name: &Name, bytes: &[u8]) {
        if let Some(directory) = &self.settings.cache {
            let _ = Cache(directory.clone()).put(name, bytes);
        }
    }
}

impl Pin<'_> {
    const fn sha256(&self) -> Option<Sha256> {
        match self {
            Self::Locked(locked) => Some(locked.sha256),
            Self::Open | Self::Argument => None,
        }
    }
}

/// True when the argument itself pins its bytes, or when only the user can change them.
fn is_pinned(source: &RuleSource) -> bool {
    match source {
        RuleSource::File(_) | RuleSource::Ipfs(_) => true,
        RuleSource::Url { sha256, .. } => sha256.is_some(),
        RuleSource::Oci(reference) => reference.digest().is_some(),
    }
}

fn agree(source_name: &str, locked: &Locked, found: &Locked) -> Result<(), SourceError> {
    let source_name = source_name.to_owned();
    if locked.sha256 != found.sha256 {
        return Err(SourceError::Changed {
            source_name,
            pinned: locked.sha256.to_string(),
            found: found.sha256.to_string(),
        });
    }
    if locked.manifest_sha256 != found.manifest_sha256 {
        return Err(SourceError::ManifestChanged {
            source_name,
            locked: locked.manifest_sha256,
            found: found.manifest_sha256,
        });
    }
    Ok(())
}

fn fetched(source: &RuleSource, bytes: Vec<u8>, pinned: impl FnOnce(Sha256) -> RuleSource) -> Component {
    let sha256 = Sha256::of(&bytes);
    let locked = Locked {
        source: source.unpinned(),
        resolved: pinned(sha256).to_string(),
        sha256,
        bytes: bytes.len() as u64,
        manifest_sha256: None,
    };
    Component { locked, bytes, beside: None }
}

/// A component on this machine, with the manifest of the same name beside it, if there is one.
fn file(path: &Path) -> Result<Component, SourceError> {
    let bytes = read(path, COMPONENT_BYTES_MAX)?;
    let source = RuleSource::File(path.to_owned());
    let mut component = fetched(&source, bytes, |_| source.clone());
    let manifest = path.with_extension("toml");
    if manifest.is_file() {
        let text = read(&manifest, MANIFEST_BYTES_MAX)?;
        component.locked.manifest_sha256 = Some(Sha256::of(&text));
        // Bytes that are no text are no manifest either, which its reader reports.
        component.beside = Some(String::from_utf8_lossy(&text).into_owned());
    }
    Ok(component)
}

fn read(path: &Path, limit_bytes: usize) -> Result<Vec<u8>, SourceError> {
    let refuse = |source| SourceError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(refuse)?;
    file.take(limit_bytes as u64 + 1).read_to_end(&mut bytes).map_err(refuse)?;
    if bytes.len() > limit_bytes {
        return Err(SourceError::TooLarge { source_name: path.display().to_string(), limit_bytes });
    }
    Ok(bytes)
}

/// Waits on a thread of its own, because an asynchronous one may not wait.
fn wait<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(SourceError::Runtime)?;
    thread::scope(|scope| match scope.spawn(|| runtime.block_on(work)).join() {
        Ok(done) => Ok(done),
        Err(panic) => panic::resume_unwind(panic),
    })
}
