//! From a source to bytes that were agreed on.

use std::{panic, path::PathBuf, sync::Arc, thread};

use oci_client::Reference;
use refiner_content::{
    AddressPolicy, ContentId, FetchBackend, Fetcher, Gateway, HedgePolicy, HttpLimits, SetupError, UrlFetcher,
    public_gateways,
};
use refiner_http_client::Egress;
use url::Url;

use crate::{
    COMPONENT_BYTES_MAX, CredentialFiles, Instead, Lock, Locked, Package, RuleSource, Sha256, SourceError, beside,
    cache::{Cache, Name},
    oci::{self, Oci},
    part::Part,
    read,
    source::Address,
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
    /// Where logins to registries are.
    pub credentials: CredentialFiles,
}

impl Default for Settings {
    fn default() -> Self {
        let http = HttpLimits { body_bytes: COMPONENT_BYTES_MAX, ..HttpLimits::default() };
        Self {
            cache: None,
            gateways: Vec::new(),
            http,
            egress: Egress::default(),
            credentials: CredentialFiles::default(),
        }
    }
}

/// The bytes of a rule, and what was agreed on about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Their resolution, as the lock would hold it.
    pub locked: Locked,
    /// The source that means these bytes and no others.
    pub pinned: RuleSource,
    /// The component, or whatever is in its place, unchecked.
    pub bytes: Vec<u8>,
    /// The text of the manifest beside it, if it has one there.
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
        let pin = match self.lock.get(source) {
            Some(locked) => Pin::Locked(locked),
            None if self.locked_only => {
                return Err(SourceError::NotLocked { source_name: source.shown(), argument: source.shown_with_pin() });
            }
            None => Pin::Argument,
        };
        let component = self.get(source, pin)?;
        if let Pin::Locked(locked) = pin {
            agree(&source.shown(), locked, &component.locked)?;
        } else if !is_pinned(source, &component) {
            return Err(SourceError::Unpinned {
                unpinned: source.shown(),
                found: component.locked.sha256,
                pinned: component.pinned.shown_with_pin(),
            });
        }
        Ok(component)
    }

    /// The bytes that are there today, whatever the lock holds, to agree on them. A pin in the argument holds.
    pub fn look_up(&self, source: &RuleSource) -> Result<Component, SourceError> {
        self.get(source, Pin::Open)
    }

    /// Publishes a rule in a registry, with the login of the credential files. Gives its source with the pin.
    ///
    /// Blocks, for as long as the registry takes within the bounds.
    pub fn push(&self, package: &Package, reference: &Reference) -> Result<RuleSource, SourceError> {
        let Settings { egress, http, credentials, .. } = &self.settings;
        Ok(RuleSource::Oci(wait(oci::push(egress, reference, *http, credentials.clone(), package))??))
    }

    fn get(&self, source: &RuleSource, pin: Pin<'_>) -> Result<Component, SourceError> {
        let component = match source {
            RuleSource::File(path) => return read::file(path),
            RuleSource::Url { url, sha256, manifest } => self.web(source, url, (*sha256, *manifest), pin)?,
            RuleSource::Ipfs { id, manifest } => self.ipfs(*id, *manifest, source)?,
            RuleSource::Oci(reference) => self.oci(reference, source, pin)?,
        };
        Ok(component)
    }

    fn web(
        &self,
        source: &RuleSource,
        url: &Url,
        argument: (Option<Sha256>, Option<Sha256>),
        pin: Pin<'_>,
    ) -> Result<Component, SourceError> {
        let (sha256, manifest) =
            (agreed(source, argument.0, pin.sha256())?, agreed(source, argument.1, pin.manifest())?);
        let pinned = |component, manifest| RuleSource::Url { url: url.clone(), sha256: Some(component), manifest };
        let bytes = self.download(url, sha256, Part::Component, source)?;
        let mut component = fetched(source, bytes, |sha256| pinned(sha256, None));
        if manifest.is_some() || !beside::is_inside(&component.bytes) {
            let address = beside::manifest_of(url);
            let text = match self.download(&address, manifest, Part::Manifest, source) {
                Err(error) if manifest.is_none() && error.is_missing_manifest() => None,
                text => Some(text?),
            };
            let sha256 = component.locked.sha256;
            component = component.with_manifest(text, |manifest| pinned(sha256, Some(manifest)))?;
        }
        Ok(component)
    }

    /// Bytes from a web server, of the digest that was agreed on.
    fn download(
        &self,
        url: &Url,
        agreed: Option<Sha256>,
        part: Part,
        source: &RuleSource,
    ) -> Result<Vec<u8>, SourceError> {
        if let Some(bytes) = agreed.and_then(|sha256| self.cached(&Name::Sha256(sha256))) {
            return Ok(bytes);
        }
        // The user chose this address, so it may be one of this machine or of a private network.
        let Settings { egress, http, .. } = &self.settings;
        let limits = HttpLimits { body_bytes: part.read_bytes_max().min(http.body_bytes), ..*http };
        let web = UrlFetcher::through(egress, limits, AddressPolicy::Anywhere).map_err(SetupError::from)?;
        let bytes = wait(async { web.fetch(url).await?.check(|_| true).await })?
            .map_err(|source| SourceError::Web { address: Address::of(url), source })?
            .bytes()
            .to_vec();
        let found = Sha256::of(&bytes);
        match (agreed, Instead::of(&bytes)) {
            (_, Some(instead)) => Err(part.replaced(Address::of(url), instead)),
            _ if bytes.len() > part.bytes_max() => {
                Err(SourceError::TooLarge { source_name: Address::of(url).to_string(), limit_bytes: part.bytes_max() })
            }
            (Some(agreed), None) if agreed != found => Err(part.changed(source, agreed, found)),
            _ => {
                self.keep(&Name::Sha256(found), &bytes);
                Ok(bytes)
            }
        }
    }

    fn ipfs(&self, id: ContentId, manifest: Option<ContentId>, source: &RuleSource) -> Result<Component, SourceError> {
        let bytes = self.content(id, Part::Component)?;
        let component = fetched(source, bytes, |_| source.clone());
        match manifest {
            None => Ok(component),
            Some(manifest) => {
                let text = self.content(manifest, Part::Manifest)?;
                component.with_manifest(Some(text), |_| source.clone())
            }
        }
    }

    /// Bytes of a content id.
    fn content(&self, id: ContentId, part: Part) -> Result<Vec<u8>, SourceError> {
        if let Some(bytes) = self.cached(&Name::Content(id)) {
            return Ok(bytes);
        }
        let Settings { egress, gateways, http, .. } = &self.settings;
        let gateways = match gateways.as_slice() {
            [] => public_gateways(egress, *http)?,
            named => named.iter().map(|base| Gateway::through(egress, base, *http)).collect::<Result<_, _>>()?,
        };
        let sources = gateways.into_iter().map(|gateway| Arc::new(gateway) as Arc<dyn FetchBackend>).collect();
        let bytes = wait(Fetcher::new(sources, None, HedgePolicy::default()).fetch(&id))??.content.bytes().to_vec();
        if let Some(instead) = Instead::of(&bytes) {
            return Err(part.replaced(Address::of_content(&id), instead));
        }
        self.keep(&Name::Content(id), &bytes);
        Ok(bytes)
    }

    fn oci(&self, reference: &Reference, source: &RuleSource, pin: Pin<'_>) -> Result<Component, SourceError> {
        let mut asked = reference.clone();
        if let Pin::Locked(locked) = pin {
            let agreed = locked.resolved.rsplit_once('@').map_or("", |(_, digest)| digest);
            match reference.digest() {
                Some(argument) if argument != agreed => {
                    return Err(SourceError::Disagree {
                        source_name: source.shown(),
                        argument: argument.to_owned(),
                        locked: agreed.to_owned(),
                    });
                }
                _ => asked = oci::pinned(reference, agreed.to_owned()),
            }
            // A registry is asked for both or for neither.
            let manifest = locked.manifest_sha256.map(|sha256| self.cached(&Name::Sha256(sha256)));
            if let (Some(bytes), None | Some(Some(_))) = (self.cached(&Name::Sha256(locked.sha256)), &manifest) {
                let component = fetched(source, bytes, |_| RuleSource::Oci(asked.clone()));
                return component.with_manifest(manifest.flatten(), |_| RuleSource::Oci(asked));
            }
        }
        let Settings { egress, http, credentials, .. } = &self.settings;
        let oci = Oci::new(egress, &asked, *http, credentials.clone())?;
        let (found, bytes, manifest) = wait(async {
            let found = oci.find(&asked).await?;
            let bytes = match self.cached(&Name::Sha256(found.sha256)) {
                Some(bytes) => bytes,
                None => oci.fetch(&found).await?,
            };
            let manifest = match found.manifest_sha256.and_then(|sha256| self.cached(&Name::Sha256(sha256))) {
                Some(text) => Some(text),
                None => oci.fetch_manifest(&found).await?,
            };
            Ok::<_, SourceError>((found, bytes, manifest))
        })??;
        if let Some(instead) = Instead::of(&bytes) {
            return Err(SourceError::Instead { source_name: source.shown(), instead });
        }
        self.keep(&Name::Sha256(found.sha256), &bytes);
        if let Some((sha256, text)) = found.manifest_sha256.zip(manifest.as_deref()) {
            self.keep(&Name::Sha256(sha256), text);
        }
        let pinned = RuleSource::Oci(found.pinned);
        fetched(source, bytes, |_| pinned.clone()).with_manifest(manifest, |_| pinned.clone())
    }

    fn cached(&self, name: &Name) -> Option<Vec<u8>> {
        Cache::in_directory(self.settings.cache.clone()?).get(name)
    }

    /// Bytes that cannot be kept are fetched again the next time.
    fn keep(&self, name: &Name, bytes: &[u8]) {
        if let Some(directory) = &self.settings.cache {
            let _ = Cache::in_directory(directory.clone()).put(name, bytes);
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

    const fn manifest(&self) -> Option<Sha256> {
        match self {
            Self::Locked(locked) => locked.manifest_sha256,
            Self::Open | Self::Argument => None,
        }
    }
}

/// The digest that was agreed on, in the argument or in the lock.
fn agreed(
    source: &RuleSource,
    argument: Option<Sha256>,
    locked: Option<Sha256>,
) -> Result<Option<Sha256>, SourceError> {
    match (argument, locked) {
        (Some(argument), Some(locked)) if argument != locked => Err(SourceError::Disagree {
            source_name: source.shown(),
            argument: argument.to_string(),
            locked: locked.to_string(),
        }),
        _ => Ok(argument.or(locked)),
    }
}

/// True when the argument itself pins its bytes, or when only the user can change them.
fn is_pinned(source: &RuleSource, component: &Component) -> bool {
    match source {
        RuleSource::File(_) | RuleSource::Ipfs { .. } => true,
        RuleSource::Url { sha256, manifest, .. } => {
            sha256.is_some() && (manifest.is_some() || component.locked.manifest_sha256.is_none())
        }
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
            agreed: locked.manifest_sha256,
            found: found.manifest_sha256,
        });
    }
    Ok(())
}

pub(crate) fn fetched(source: &RuleSource, bytes: Vec<u8>, pinned: impl FnOnce(Sha256) -> RuleSource) -> Component {
    let sha256 = Sha256::of(&bytes);
    let pinned = pinned(sha256);
    let locked = Locked {
        source: source.unpinned(),
        resolved: pinned.to_string(),
        sha256,
        bytes: bytes.len() as u64,
        manifest_sha256: None,
    };
    Component { locked, pinned, bytes, beside: None }
}

impl Component {
    /// The same with the manifest that was found beside it, if one was.
    pub(crate) fn with_manifest(
        mut self,
        text: Option<Vec<u8>>,
        pinned: impl FnOnce(Sha256) -> RuleSource,
    ) -> Result<Self, SourceError> {
        let Some(text) = text else { return Ok(self) };
        let sha256 = Sha256::of(&text);
        self.pinned = pinned(sha256);
        self.locked.resolved = self.pinned.to_string();
        self.locked.manifest_sha256 = Some(sha256);
        let read = refiner_manifest::text(&text).map(str::to_owned);
        self.beside = Some(read.map_err(|fault| SourceError::NotText { source_name: self.pinned.shown(), fault })?);
        Ok(self)
    }
}

/// Waits on a thread of its own, because an asynchronous one may not wait.
fn wait<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(SourceError::Runtime)?;
    thread::scope(|scope| match scope.spawn(|| runtime.block_on(work)).join() {
        Ok(done) => Ok(done),
        Err(panic) => panic::resume_unwind(panic),
    })
}
