//! From URLs to files.

use std::{
    borrow::Cow,
    ffi::OsString,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use object_store::ObjectStore;
use refiner_content::{
    AddressPolicy, ContentId, FetchBackend, Fetcher, Gateway, HedgePolicy, HttpLimits, UrlFetcher, public_gateways,
};
use refiner_http_client::Egress;
use tokio::runtime::Builder;
use url::Url;

use crate::{
    ahead::ReadAhead,
    connector::Connector,
    error::RemoteError,
    file::{RemoteFile, WholeFrom},
    folder::StoreFolder,
    kind::StoreKind,
    listing::{Listing, StoreUrl},
    network::Network,
    spool::Spool,
    store,
};

/// Threads that talk to the network; what they do is waiting.
const THREADS: usize = 2;
/// The longest silence of a server, and the time for one file from the web.
const STALL: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(300);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time without a further object of a listing. A request that is made again takes up to a minute and a last silence.
const LISTING: Duration = Duration::from_secs(120);

/// The way to other machines.
#[derive(Clone)]
pub struct Terms {
    /// The proxy, where there is one.
    pub egress: Egress,
    /// Gateways that are asked for content; the public ones without any.
    pub gateways: Vec<String>,
    /// The longest silence.
    pub stall: Duration,
    /// The time for one file from the web.
    pub whole: Duration,
    /// The longest time without a further object of a listing.
    pub listing: Duration,
    /// Variables of the environment, in which the credentials of stores are.
    pub variables: Vec<(OsString, OsString)>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            egress: Egress::default(),
            gateways: Vec::new(),
            stall: STALL,
            whole: WHOLE,
            listing: LISTING,
            variables: Vec::new(),
        }
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths, users and hosts of gateways can be secrets.
        let gateways = format_args!("{} gateways", self.gateways.len());
        f.debug_struct("Terms").field("egress", &self.egress).field("gateways", &gateways).finish_non_exhaustive()
    }
}

/// Files of other machines, found by URLs.
#[derive(Debug)]
pub struct RemoteFiles {
    terms: Terms,
    /// Made for the first URL.
    network: Mutex<Option<Arc<Network>>>,
}

/// A store and the place in it that a URL names.
struct Opened<'a> {
    /// The part of an object's URL before its key.
    base: String,
    key: &'a str,
    store: Arc<dyn ObjectStore>,
    network: Arc<Network>,
}

/// True for a URL: what stands before `://` is a scheme.
pub fn is_url(argument: &str) -> bool {
    let is_scheme = |scheme: &str| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    argument.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// True for an argument that names files of other machines: a URL, or a content id alone.
pub fn is_remote(argument: &str) -> bool {
    is_url(argument) || argument.parse::<ContentId>().is_ok()
}

impl RemoteFiles {
    /// The files that can be reached in this way. Nothing is asked before the first URL.
    pub fn new(terms: Terms) -> Self {
        Self { terms, network: Mutex::default() }
    }

    /// The files that a URL names, in the order of their names. Below a prefix of a store, only those whose names are `wanted`.
    ///
    /// # Errors
    ///
    /// [`RemoteError`]
    pub fn find(&self, url: &str, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<RemoteFile>, RemoteError> {
        let url = &*with_plain_scheme(url);
        let name = || without_secrets(url);
        let Some((scheme, rest)) = url.split_once("://") else { return Ok(vec![self.content(url, url)?]) };
        if scheme == "ipfs" {
            return Ok(vec![self.content(url, rest)?]);
        }
        if let Some(kind) = StoreKind::of_scheme(scheme) {
            return self.objects(kind, url, scheme, rest, wanted);
        }
        if !matches!(scheme, "http" | "https") {
            return Err(RemoteError::Scheme { name: name(), scheme: scheme.to_owned() });
        }
        let parsed: Url = url.parse().map_err(|source| RemoteError::Url { name: name(), source })?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(RemoteError::Credentials { name: without_secrets(url) });
        }
        Ok(vec![RemoteFile::whole(WholeFrom::Web(parsed), self.network()?)])
    }

    fn content(&self, name: &str, id: &str) -> Result<RemoteFile, RemoteError> {
        if let Some((above, _)) = id.split_once('/')
            && above.parse::<ContentId>().is_ok()
        {
            return Err(RemoteError::BelowId { name: name.to_owned() });
        }
        let id = id.parse().map_err(|source| RemoteError::Id { name: name.to_owned(), source })?;
        Ok(RemoteFile::whole(WholeFrom::Content(id), self.network()?))
    }

    fn objects(
        &self,
        kind: StoreKind,
        name: &str,
        scheme: &str,
        rest: &str,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Vec<RemoteFile>, RemoteError> {
        let Opened { base, key, store, network } = self.open(kind, name, scheme, rest)?;
        let url = StoreUrl { name, kind, key, wait: network.listing };
        let objects = network.runtime.block_on(url.objects(&store, wanted))?;
        let runtime = network.runtime.handle().clone();
        let seen = objects.iter().map(|_| OnceLock::new()).collect();
        let listing = Arc::new(Listing { base, store, objects, seen, runtime, ahead: ReadAhead::default() });
        let file = |number| RemoteFile::object(Arc::clone(&listing), number, Arc::clone(&network));
        Ok((0..listing.objects.len()).map(file).collect())
    }

    /// The prefix of a store that a URL names, to write files into it. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// The URL is none of a store, or the store's settings are not usable.
    pub fn folder(&self, url: &str) -> Result<StoreFolder, RemoteError> {
        let url = &*with_plain_scheme(url);
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let no_store = || RemoteError::NotWritten { name: without_secrets(url), scheme: scheme.to_owned() };
        let kind = StoreKind::of_scheme(scheme).ok_or_else(no_store)?;
        let Opened { base, key, store, network } = self.open(kind, url, scheme, rest)?;
        let folder = key.trim_end_matches('/');
        let name = if folder.is_empty() { base } else { format!("{base}{folder}/") };
        StoreFolder::new(name, kind, folder, store, network)
    }

    fn open<'a>(&self, kind: StoreKind, name: &str, scheme: &str, rest: &'a str) -> Result<Opened<'a>, RemoteError> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(RemoteError::NoBucket { name: name.to_owned() });
        }
        // `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/` has no password, and nothing else has a user.
        if bucket.contains(':') || (bucket.contains('@') && !scheme.starts_with("abfs")) {
            return Err(RemoteError::Credentials { name: without_secrets(name) });
        }
        let base = format!("{scheme}://{bucket}/");
        let address: Url = base.parse().map_err(|source| RemoteError::Url { name: without_secrets(name), source })?;
        let network = self.network()?;
        let connector =
            Connector { egress: self.terms.egress.clone(), connect: CONNECT_TIMEOUT, stall: self.terms.stall };
        let store = store::open(kind, &address, &self.terms.variables, connector)?;
        Ok(Opened { base, key, store, network })
    }

    fn network(&self) -> Result<Arc<Network>, RemoteError> {
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = &*network {
            return Ok(Arc::clone(network));
        }
        let Terms { egress, gateways, stall, whole, listing, .. } = &self.terms;
        let limits = HttpLimits::patient(*stall, *whole);
        let gateways = match gateways.as_slice() {
            [] => public_gateways(egress, limits)?,
            named => named
                .iter()
                .filter(|base| *base != "none")
                .map(|base| Gateway::through(egress, base, limits))
                .collect::<Result<_, _>>()?,
        };
        let sources = gateways.into_iter().map(|gateway| Arc::new(gateway) as Arc<dyn FetchBackend>).collect();
        let made = Arc::new(Network {
            runtime: Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("network")
                .enable_all()
                .build()
                .map_err(RemoteError::Runtime)?,
            // Who typed the URL may read what it leads to.
            web: UrlFetcher::through(egress, limits, AddressPolicy::Anywhere)?,
            content: Fetcher::new(sources, None, HedgePolicy::within(*whole)),
            spool: Spool::default(),
            listing: *listing,
        });
        *network = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// A URL with its scheme in lower case, which it may be written in either way.
fn with_plain_scheme(url: &str) -> Cow<'_, str> {
    match url.split_once("://") {
        Some((scheme, rest)) if is_url(url) && scheme.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            format!("{}://{rest}", scheme.to_ascii_lowercase()).into()
        }
        _ => url.into(),
    }
}

/// An argument as it may be shown: a URL without what stands before `@` in it, and without a query, which may be a signature. Keys of
/// stores have none.
pub fn without_secrets(argument: &str) -> String {
    let Some((scheme, rest)) = argument.split_once("://") else { return argument.to_owned() };
    let has_query = StoreKind::of_scheme(scheme).is_none();
    let rest = if has_query { rest.split(['?', '#']).next().unwrap_or(rest) } else { rest };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        // `abfss://CONTAINER@ACCOUNT` holds no secret.
        Some((user, _)) if scheme.starts_with("abfs") && !user.contains(':') => argument.to_owned(),
        Some((_, host)) => format!("{scheme}://…@{host}{path}"),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_shown_without_what_may_be_secret_in_them() {
        let gateways = ["https://user:canary@host/", "https://host/canary/", "canary"].map(str::to_owned).into();
        let variables = vec![("AWS_SECRET_ACCESS_KEY".into(), "canary".into())];
        let files = RemoteFiles::new(Terms { gateways, variables, ..Terms::default() });
        let shown = format!("{files:?} {files:#?}");
        assert!(shown.contains("3 gateways") && !shown.contains("canary"), "{shown}");
    }

    #[test]
    fn argument_is_shown_without_credentials_and_without_a_query() {
        for (argument, shown) in [
            ("https://user:canary@host/a.avro?token=canary#x", "https://…@host/a.avro"),
            ("https://host/a.avro?X-Amz-Signature=canary", "https://host/a.avro"),
            ("ftp://user:canary@host/a?token=canary", "ftp://…@host/a"),
            ("s3://id:canary@bucket/key@2.avro", "s3://…@bucket/key@2.avro"),
            ("s3://bucket/a?.avro", "s3://bucket/a?.avro"),
            ("abfss://container@account.dfs.core.windows.net/a", "abfss://container@account.dfs.core.windows.net/a"),
            ("abfss://container:canary@account/a", "abfss://…@account/a"),
            ("1-10.avro", "1-10.avro"),
        ] {
            assert_eq!(without_secrets(argument), shown);
        }
    }
}
