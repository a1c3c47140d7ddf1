//! Locations of a specimen, as the proof chain's `getURLS` lists them.

use std::collections::HashSet;

use url::{Host, Url};

use crate::{ContentId, Excerpt, IdError};

/// Most entries read; the contract holds one a submitter, and there are at most 256 validators with at most 3 submissions.
pub const ENTRIES_MAX: usize = 768;
/// Most bytes of an entry that is read.
pub const ENTRY_BYTES_MAX: usize = 2048;

/// The places a list of entries names. Duplicates are merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations {
    /// Content ids, to ask every source for.
    pub ids: Vec<ContentId>,
    /// Gateway URLs with the id in them; that id is in `ids` as well.
    pub gateways: Vec<(Url, ContentId)>,
    /// URLs that name no content, so that only the announced hash can check what comes.
    pub web: Vec<Url>,
    /// Entries that lead nowhere, and why.
    pub refused: Vec<Refused>,
}

/// An entry that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The beginning of the entry.
    pub entry: Excerpt,
    /// The reason why it leads nowhere.
    pub why: NotFetchable,
}

/// Reasons for which nothing can be fetched from an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFetchable {
    /// The entry is empty.
    #[error("the entry is empty")]
    Empty,
    /// The entry is longer than [`ENTRY_BYTES_MAX`].
    #[error("the entry has more than {ENTRY_BYTES_MAX} bytes")]
    TooLong,
    /// More than [`ENTRIES_MAX`] entries; those after are not read.
    #[error("more than {ENTRIES_MAX} entries")]
    TooMany,
    /// The producer could not reach its pinner and names a file on its own disk (docs/protocol.md, section 1.2).
    #[error("only on the producer's disk")]
    OnlyLocal,
    /// A bucket of 2022 to 2023, which answers with a login page (docs/protocol.md, section 1.2).
    #[error("a private Google Cloud Storage bucket")]
    GoogleStorage,
    /// A scheme that is not fetched.
    #[error("scheme {scheme:?} is not fetched; ipfs, https and http are")]
    Scheme {
        /// Scheme of the URL.
        scheme: Excerpt,
    },
    /// `ipfs://` without a content id that is read here.
    #[error("no content id")]
    Id(#[from] IdError),
    /// A file within a directory: the id names the directory.
    #[error("a path below a content id is not followed")]
    Path,
    /// Neither a URL nor a content id.
    #[error("neither a URL nor a content id")]
    Unreadable,
    /// A URL with a user name or password.
    #[error("the URL carries credentials")]
    Credentials,
}

enum Location {
    Content(ContentId),
    Gateway(Url, ContentId),
    Url(Url),
}

impl Locations {
    /// The location of this content alone.
    #[must_use]
    pub fn of(id: ContentId) -> Self {
        Self { ids: vec![id], ..Self::default() }
    }

    /// Reads entries in the order in which they stand.
    #[must_use]
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Self {
        let mut locations = Self::default();
        let mut seen = HashSet::new();
        for entry in entries.iter().take(ENTRIES_MAX) {
            let entry = entry.as_ref().trim();
            if !seen.insert(entry) {
                continue;
            }
            match read(entry) {
                Ok(place) => locations.add(place),
                Err(why) => locations.refuse(entry, why),
            }
        }
        if let Some(next) = entries.get(ENTRIES_MAX) {
            locations.refuse(next.as_ref(), NotFetchable::TooMany);
        }
        locations
    }

    /// Whether there is nothing to fetch from.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.web.is_empty()
    }

    fn refuse(&mut self, entry: &str, why: NotFetchable) {
        self.refused.push(Refused { entry: Excerpt::of(entry.as_bytes()), why });
    }

    fn add(&mut self, place: Location) {
        let id = match place {
            Location::Content(id) => id,
            Location::Gateway(url, id) => {
                if !self.gateways.contains(&(url.clone(), id)) {
                    self.gateways.push((url, id));
                }
                id
            }
            Location::Url(url) => {
                if !self.web.contains(&url) {
                    self.web.push(url);
                }
                return;
            }
        };
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
    }
}

fn read(entry: &str) -> Result<Location, NotFetchable> {
    if entry.is_empty() {
        return Err(NotFetchable::Empty);
    }
    if entry.len() > ENTRY_BYTES_MAX {
        return Err(NotFetchable::TooLong);
    }
    if starts_with_ignoring_case(entry, "only local:") {
        return Err(NotFetchable::OnlyLocal);
    }
    if starts_with_ignoring_case(entry, "ipfs://") {
        return read_ipfs(&entry["ipfs://".len()..]).map(Location::Content);
    }
    if let Some(path) = entry.strip_prefix("/ipfs/") {
        return read_ipfs(path).map(Location::Content);
    }
    let url = match Url::parse(entry) {
        Ok(url) => url,
        Err(_) => return entry.parse().map(Location::Content).map_err(|_: IdError| NotFetchable::Unreadable),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NotFetchable::Scheme { scheme: Excerpt::of(url.scheme().as_bytes()) });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotFetchable::Credentials);
    }
    if url.host() == Some(Host::Domain("storage.cloud.google.com")) {
        return Err(NotFetchable::GoogleStorage);
    }
    Ok(match id_of_gateway_url(&url)? {
        Some(id) => Location::Gateway(url, id),
        None => Location::Url(url),
    })
}

/// Reads what follows `ipfs://`: an id, also after a second `ipfs/` that some producers write.
fn read_ipfs(rest: &str) -> Result<ContentId, NotFetchable> {
    let rest = rest.trim_start_matches('/');
    let rest = rest.strip_prefix("ipfs/").unwrap_or(rest);
    let rest = rest.split(['?', '#']).next().unwrap_or(rest).trim_end_matches('/');
    match rest.split_once('/') {
        None => Ok(rest.parse()?),
        Some((id, _)) => {
            id.parse::<ContentId>()?;
            Err(NotFetchable::Path)
        }
    }
}

/// The id in `https://gateway/ipfs/<id>` or `https://<id>.ipfs.gateway/`.
fn id_of_gateway_url(url: &Url) -> Result<Option<ContentId>, NotFetchable> {
    if let Some(rest) = url.path().strip_prefix("/ipfs/") {
        return read_ipfs(rest).map(Some);
    }
    let Some(Host::Domain(domain)) = url.host() else { return Ok(None) };
    let Some((label, rest)) = domain.split_once('.') else { return Ok(None) };
    if !rest.starts_with("ipfs.") {
        return Ok(None);
    }
    let id = label.parse()?;
    if url.path() == "/" { Ok(Some(id)) } else { Err(NotFetchable::Path) }
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}
